//! The eraser: archives and erases frozen rooms.
//!
//! # Guarantees
//! - A room is erased only after its archive is complete and durable, if archives are enabled.
//! - A room that cannot be archived is reopened, and its end is tried again.

use std::path::PathBuf;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use protocol::{RoomEnd, RoomId};
use tokio::sync::watch;

use crate::events::DomainEvent;
use crate::files::Files;
use crate::lifecycle::archive;
use crate::lifetime::Lifetime;
use crate::retries::Retries;
use crate::store::{EndingRoom, RoomRow, Store, files, rooms};
use crate::{Clock, Error, Listeners, Metrics};

/// How many rooms are archived and erased at the same time.
const CONCURRENT_ROOMS: usize = 4;

/// How many rooms are loaded at once.
const BATCH: i64 = 64;

/// How long to wait for frozen rooms before the store is asked again.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// How long to wait after a fault of the store.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// The task that archives and erases rooms.
#[derive(Clone, Debug)]
pub(crate) struct Eraser {
    pub store: Store,
    pub listeners: Listeners,
    pub metrics: Metrics,
    pub clock: Clock,
    /// The bytes of files.
    pub files: Files,
    /// The directory of the archives; `None` if archives are disabled.
    pub archives: Option<PathBuf>,
    /// Whether this node does what one of them has to do alone.
    pub is_leader: watch::Receiver<bool>,
}

impl Eraser {
    /// Runs until it is dropped.
    pub async fn run(mut self) {
        let mut load_retries = Retries::of("load the rooms to archive and erase");
        let mut retries = Retries::of("archive and erase a room");
        // The only server of a database leads it from the start.
        while self
            .is_leader
            .wait_for(|is_leader| *is_leader)
            .await
            .is_ok()
        {
            let loaded = rooms::load_ending_rooms(&self.store, BATCH).await;
            match load_retries.note(loaded) {
                Some(rooms) if rooms.is_empty() => {
                    // The node that froze a room may be another one, whose notification may be lost.
                    let frozen = self.listeners.frozen.notified();
                    let _ = tokio::time::timeout(LONGEST_WAIT, frozen).await;
                }
                Some(rooms) => {
                    let finished = self.finish_all(rooms).await;
                    if retries.note(finished).is_none() {
                        tokio::time::sleep(RETRY_AFTER).await;
                    }
                }
                None => tokio::time::sleep(RETRY_AFTER).await,
            }
        }
    }

    /// Archives and erases rooms. If some remain, the error names one of them.
    async fn finish_all(&self, rooms: Vec<EndingRoom>) -> Result<(), String> {
        let finish = async |ending: EndingRoom| {
            let id = ending.row.room.id;
            let finished = self.finish(ending).await;
            finished.map_err(|error| format!("room {id}: {error}"))
        };
        stream::iter(rooms)
            .map(finish)
            .buffer_unordered(CONCURRENT_ROOMS)
            .fold(Ok(()), async |all, finished| finished.and(all))
            .await
    }

    /// Archives and erases a room, or reopens it if it cannot be archived.
    async fn finish(&self, ending: EndingRoom) -> Result<(), Error> {
        let row = ending.row;
        if !ending.is_archived
            && let Err(error) = self.archive(&row).await
        {
            if let Error::Unavailable(_) = error {
                return Err(error);
            }
            let id = row.room.id;
            self.metrics.archive_failures.inc();
            tracing::error!(room = %id, %error, "cannot archive a room; it is reopened");
            return self.reopen(&row).await;
        }
        self.erase(row.room.id, ending.end).await?;
        tracing::info!(room = %row.room.id, messages = row.room.message_count, "room closed");
        Ok(())
    }

    async fn archive(&self, row: &RoomRow) -> Result<(), Error> {
        match &self.archives {
            Some(dir) => archive::write(&self.store, self.files.store(), dir, row.clone()).await,
            None => Ok(()),
        }
    }

    /// Reopens a room for its timeout, but for at least a second and at most a minute.
    async fn reopen(&self, row: &RoomRow) -> Result<(), Error> {
        let extension = row
            .timeout
            .clamp(Duration::from_secs(1), Duration::from_secs(60));
        let lifetime = Lifetime {
            end: self.clock.now().after(extension),
            timeout: row.timeout,
        };
        let room = row.room.id;
        let mut tx = self.store.begin().await?;
        rooms::reopen(&mut tx, room, lifetime.end).await?;
        let event = DomainEvent::LifetimeChanged { room, lifetime };
        self.listeners.commit(tx, [event]).await
    }

    /// Deletes the bytes of a room's files. Before that, the room is noted to be archived, because
    /// its archive cannot be written again afterwards.
    async fn erase_files(&self, room: RoomId) -> Result<(), Error> {
        if !files::has_files(&self.store, room).await? {
            return Ok(());
        }
        let mut tx = self.store.begin().await?;
        rooms::note_archived(&mut tx, room).await?;
        files::give_up_room(&mut tx, self.clock.now(), room).await?;
        tx.commit().await?;
        self.files.pass("room archived").await;
        self.files.delete_bytes_of_room(room).await?;
        self.files.pass("bytes of a room deleted").await;
        Ok(())
    }

    async fn erase(&self, room: RoomId, end: RoomEnd) -> Result<(), Error> {
        self.erase_files(room).await?;
        let tx = rooms::erase(&self.store, room, self.clock.now()).await?;
        // The list of public rooms is sent only if it differs.
        let events = [
            DomainEvent::RoomClosed { room, end },
            DomainEvent::PublicRoomsChanged,
        ];
        self.listeners.commit(tx, events).await
    }
}
