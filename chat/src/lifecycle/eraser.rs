//! The eraser: archives and erases frozen rooms.
//!
//! # Guarantees
//! - A room is erased only after its archive is complete and durable, if archives are enabled.
//! - A room that cannot be archived is reopened, and its end is tried again.

use std::path::PathBuf;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use protocol::{RoomEnd, RoomId};

use crate::events::DomainEvent;
use crate::lifecycle::archive;
use crate::lifetime::Lifetime;
use crate::store::{EndingRoom, RoomRow, Store, rooms};
use crate::{Clock, Error, Listeners};

/// How many rooms are archived and erased at the same time.
const CONCURRENT_ROOMS: usize = 4;

/// How many rooms are loaded at once.
const BATCH: i64 = 64;

/// How long to wait after a fault of the store.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// The task that archives and erases rooms.
#[derive(Clone, Debug)]
pub(crate) struct Eraser {
    pub store: Store,
    pub listeners: Listeners,
    pub clock: Clock,
    /// The directory of the archives; `None` if archives are disabled.
    pub archives: Option<PathBuf>,
}

impl Eraser {
    /// Runs until it is dropped.
    pub async fn run(self) {
        loop {
            match rooms::load_ending_rooms(&self.store, BATCH).await {
                Ok(rooms) if rooms.is_empty() => self.listeners.frozen.notified().await,
                Ok(rooms) => {
                    stream::iter(rooms)
                        .for_each_concurrent(CONCURRENT_ROOMS, |room| self.finish(room))
                        .await;
                }
                Err(error) => {
                    tracing::error!(%error, "cannot load the rooms to archive and erase");
                    tokio::time::sleep(RETRY_AFTER).await;
                }
            }
        }
    }

    /// Archives and erases a room, or reopens it if it cannot be archived.
    async fn finish(&self, ending: EndingRoom) {
        let row = ending.row;
        if !ending.is_archived
            && let Err(error) = self.archive(&row).await
        {
            let id = row.room.id;
            tracing::error!(room = %id, %error, "cannot archive a room; it is reopened");
            self.reopen(&row).await;
            return;
        }
        self.erase(&row, ending.end).await;
    }

    async fn archive(&self, row: &RoomRow) -> Result<(), Error> {
        match &self.archives {
            Some(dir) => archive::write(&self.store, dir, row.clone()).await,
            None => Ok(()),
        }
    }

    /// Reopens a room for its timeout, but for at least a second and at most a minute.
    async fn reopen(&self, row: &RoomRow) {
        let id = row.room.id;
        let extension = row
            .timeout
            .clamp(Duration::from_secs(1), Duration::from_secs(60));
        let lifetime = Lifetime {
            end: self.clock.now().after(extension),
            timeout: row.timeout,
        };
        if let Err(error) = self.commit_reopening(id, lifetime).await {
            tracing::error!(room = %id, %error, "cannot reopen a room");
            tokio::time::sleep(RETRY_AFTER).await;
        }
    }

    async fn commit_reopening(&self, room: RoomId, lifetime: Lifetime) -> Result<(), Error> {
        let mut tx = self.store.begin().await?;
        rooms::reopen(&mut tx, room, lifetime.end).await?;
        let event = DomainEvent::LifetimeChanged { room, lifetime };
        self.listeners.commit(tx, [event]).await
    }

    async fn erase(&self, row: &RoomRow, end: RoomEnd) {
        let id = row.room.id;
        if let Err(error) = self.commit_erasure(id, end).await {
            tracing::error!(room = %id, %error, "cannot erase a room; it is tried again");
            tokio::time::sleep(RETRY_AFTER).await;
            return;
        }
        tracing::info!(room = %id, messages = row.room.message_count, "room closed");
    }

    async fn commit_erasure(&self, room: RoomId, end: RoomEnd) -> Result<(), Error> {
        let tx = rooms::erase(&self.store, room, self.clock.now()).await?;
        // The list of public rooms is sent only if it differs.
        let events = [
            DomainEvent::RoomClosed { room, end },
            DomainEvent::PublicRoomsChanged,
        ];
        self.listeners.commit(tx, events).await
    }
}
