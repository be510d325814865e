//! What a node reads again after it may have missed events.

use std::collections::HashMap;

use protocol::RoomId;

use super::listening::Listening;
use crate::Error;
use crate::events::DomainEvent;
use crate::store::{accounts, room_heads};

/// How many rows one statement reads.
const BATCH: usize = 1_000;

impl Listening {
    /// Reads whatever may have changed, and tells those whom it concerns.
    pub(super) async fn catch_up(&self) -> Result<(), Error> {
        for followed in self.listeners.hub.followed_rooms().chunks(BATCH) {
            self.check_rooms(followed).await?;
        }
        self.end_old_sessions().await?;
        self.listeners.public_rooms.mark_changed();
        self.listeners.hub.topics().notify_all();
        self.listeners.hub.want_all_names_elsewhere();
        self.listeners.frozen.notify_one();
        Ok(())
    }

    /// Makes the followers of rooms read on, check their access, or hear that the room has ended.
    async fn check_rooms(&self, followed: &[RoomId]) -> Result<(), Error> {
        let heads = room_heads::load_heads(&self.store, followed).await?;
        let heads: HashMap<_, _> = heads
            .into_iter()
            .map(|head| (head.room, (head.seq, head.lifetime)))
            .collect();
        let ends: HashMap<_, _> = room_heads::load_ends(&self.store, followed)
            .await?
            .into_iter()
            .collect();
        for &room in followed {
            if let Some(&(seq, lifetime)) = heads.get(&room) {
                DomainEvent::LogAdvanced { room, seq }.apply(&self.listeners);
                DomainEvent::LifetimeChanged { room, lifetime }.apply(&self.listeners);
                DomainEvent::AccessChanged { room }.apply(&self.listeners);
                DomainEvent::RolesChanged { room }.apply(&self.listeners);
            } else if let Some(&end) = ends.get(&room) {
                DomainEvent::RoomClosed { room, end }.apply(&self.listeners);
            }
        }
        Ok(())
    }

    /// Ends the streams of sessions that have ended.
    async fn end_old_sessions(&self) -> Result<(), Error> {
        for watched in self.listeners.sessions.watched().chunks(BATCH) {
            let mut reader = self.store.reader().await?;
            let found = accounts::load_accounts(&mut reader, watched).await?;
            let ended = watched
                .iter()
                .zip(found)
                .filter(|(_, found)| found.is_none());
            for (ended, _) in ended {
                let session = ended.id.unwrap_or_default();
                self.listeners.sessions.end_session(ended.account, session);
            }
        }
        Ok(())
    }
}
