//! Live delivery: followers, presence, and the watchers of the overview and the public rooms.
//!
//! # Guarantees
//! - A follower receives every entry of a room's log once and in order.
//! - Presence, typing and warnings are current states, which may be skipped but are never stale.
//!
//! # Not here
//! - What is stored: `log`. The streams to clients: the server.

pub(crate) mod follower;
pub(crate) mod frame;
pub(crate) mod hub;
pub(crate) mod operator_watch;
pub(crate) mod overview;
pub(crate) mod presence;
pub(crate) mod public_rooms;
pub(crate) mod publisher;
mod topics;

use protocol::RoomId;

use crate::events::DomainEvent;
use crate::identity::person::Person;
use crate::room::name_claims;
use crate::{Chat, Error};

impl Chat {
    /// Notifies the followers of a room that the caller types, for the next six seconds.
    ///
    /// # Errors
    /// [`protocol::Refusal::Invalid`] if the name breaks a rule, [`protocol::Refusal::Taken`] if it
    /// belongs to another person, [`protocol::Refusal::Forbidden`] if the caller may not write in
    /// the room, [`protocol::Refusal::NotSignedIn`] if the session has ended, the refusals of [`Chat::find_room`], or a fault.
    pub async fn notify_typing(
        &self,
        by: &Person,
        room: &RoomId,
        username: &str,
    ) -> Result<(), Error> {
        self.require_session(by).await?;
        self.require_writer(by, *room).await?;
        let username = name_claims::resolve_name(&self.0.store, by, *room, username).await?;
        self.0.listeners.hub.record_typing(*room, &username);
        if let Some(bell) = &self.0.listeners.bell {
            let (room, name) = (*room, username.to_string());
            bell.ring(&DomainEvent::Typing { room, name });
        }
        Ok(())
    }
}
