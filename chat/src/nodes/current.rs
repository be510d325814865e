//! Events of other nodes whose content may be out of date: two nodes may have changed the same, and
//! their rings arrive in any order.
//!
//! # Guarantees
//! - What is passed on is what the store has, and no commit of this node overtakes it.

use super::listening::Listening;
use crate::Error;
use crate::events::DomainEvent;
use crate::store::{accounts, room_heads};

impl Listening {
    /// Applies an event of another node, with the content that the store has.
    pub(super) async fn apply_current(&self, event: &DomainEvent) {
        // A commit here waits until the event is applied, and is applied itself after it.
        let _write_lock = match event {
            DomainEvent::AccountRenamed { .. } | DomainEvent::LifetimeChanged { .. } => {
                Some(self.store.write_lock().lock_owned().await)
            }
            _ => None,
        };
        match self.load_current(event).await {
            Ok(Some(current)) => current.apply(&self.listeners),
            Ok(None) => event.apply(&self.listeners),
            Err(error) => {
                tracing::debug!(%error, "an event is passed on as another node has sent it");
                event.apply(&self.listeners);
            }
        }
    }

    /// The event with the content that the store has, if that may differ.
    async fn load_current(&self, event: &DomainEvent) -> Result<Option<DomainEvent>, Error> {
        Ok(match event {
            DomainEvent::AccountRenamed {
                username, rooms, ..
            } => {
                let found = accounts::find_account(&self.store, username).await?;
                found.map(|account| DomainEvent::AccountRenamed {
                    username: username.clone(),
                    name: account.name,
                    rooms: rooms.clone(),
                })
            }
            DomainEvent::LifetimeChanged { room, .. } if self.listeners.hub.is_followed(*room) => {
                let found = room_heads::find_lifetime(&self.store, *room).await?;
                let room = *room;
                found.map(|lifetime| DomainEvent::LifetimeChanged { room, lifetime })
            }
            _ => None,
        })
    }
}
