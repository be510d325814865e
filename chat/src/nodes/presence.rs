//! Presence on several nodes: writes who is present by way of this node, and reads who is by way of
//! the others.
//!
//! # Guarantees
//! - The rooms of all changes within [`PAUSE`] are written with one statement, and read with one.
//! - What could not be written or read is tried again.
//!
//! # Not here
//! - What a room makes of it: `realtime::presence`. The end of a node: `lease`.

use std::collections::HashMap;
use std::time::Duration;

use protocol::RoomId;

use super::bell::Bell;
use crate::Error;
use crate::events::DomainEvent;
use crate::realtime::hub::{Hub, NotedRooms};
use crate::realtime::presence::Elsewhere;
use crate::retries::Retries;
use crate::store::{NodeStore, PresentNames};

/// The time between two turns.
const PAUSE: Duration = Duration::from_millis(50);

/// How long to wait before the database is tried again.
const RETRY: Duration = Duration::from_millis(500);

/// How many rooms one statement writes or reads.
const BATCH: usize = 500;

/// What is needed to share the presence of this node.
#[derive(Clone, Debug)]
pub(crate) struct PresenceExchange {
    pub store: NodeStore,
    pub hub: Hub,
    pub bell: Bell,
}

impl PresenceExchange {
    /// Runs until it is dropped.
    pub async fn run(self) {
        self.hub.note_all_names();
        self.hub.want_all_names_elsewhere();
        let mut retries = Retries::of("share the presence");
        loop {
            let noted = self.hub.take_noted_rooms().await;
            let exchanged = self.exchange(&noted).await;
            let pause = if retries.note(exchanged).is_some() {
                PAUSE
            } else {
                self.hub.put_noted_rooms_back(noted);
                RETRY
            };
            tokio::time::sleep(pause).await;
        }
    }

    async fn exchange(&self, noted: &NotedRooms) -> Result<(), Error> {
        let changed: Vec<RoomId> = noted.changed.iter().copied().collect();
        for rooms in changed.chunks(BATCH) {
            self.write(rooms).await?;
        }
        let wanted: Vec<RoomId> = noted.wanted.iter().copied().collect();
        for rooms in wanted.chunks(BATCH) {
            self.read(rooms).await?;
        }
        Ok(())
    }

    async fn write(&self, rooms: &[RoomId]) -> Result<(), Error> {
        let names = rooms.iter().map(|&room| {
            let contributed = self.hub.contributed_names(room);
            PresentNames {
                room,
                names: contributed.names,
                count: contributed.count,
            }
        });
        let names: Vec<PresentNames> = names.collect();
        self.store.save_presence(self.bell.node(), &names).await?;
        for &room in rooms {
            self.bell.ring(&DomainEvent::PresenceChanged { room });
        }
        Ok(())
    }

    async fn read(&self, rooms: &[RoomId]) -> Result<(), Error> {
        let mut present: HashMap<RoomId, Elsewhere> = HashMap::new();
        for part in self.store.load_presence(self.bell.node(), rooms).await? {
            let elsewhere = present.entry(part.room).or_default();
            elsewhere.unnamed += part.count.saturating_sub(part.names.len());
            elsewhere
                .names
                .extend(part.names.into_iter().map(Into::into));
        }
        for room in rooms {
            let elsewhere = present.remove(room).unwrap_or_default();
            self.hub.set_names_elsewhere(*room, elsewhere);
        }
        Ok(())
    }
}
