//! The sweeper: deletes the bytes of files that were given up, finishes what an earlier process has
//! begun, and gives up what is left behind.
//!
//! # Guarantees
//! - The bytes of a file are deleted before its row, so no bytes are forgotten.
//! - Bytes without a row are deleted when they are a day old: a file that is published just now has its
//!   row already, but a restored database may lack it.

use std::path::Path;
use std::time::Duration;

use futures_util::TryStreamExt;
use protocol::{FileId, Time};
use tokio::sync::watch;

use super::check::{Drawing, HeldBack};
use super::{Files, ObjectKey};
use crate::retries::Retries;
use crate::store::file_rows::{FileRow, FileState};
use crate::store::{Store, files, uploads};
use crate::sync::lock;
use crate::{Clock, Error};

/// How long a file may be in no message, an upload may get no byte, and bytes may have no row.
pub(super) const KEPT: Duration = Duration::from_secs(24 * 60 * 60);

/// The time between two looks for files that were given up, or left behind.
const INTERVAL: Duration = Duration::from_secs(60);

/// The time between two comparisons of the rows with the bytes.
const COMPARISON_INTERVAL: Duration = Duration::from_secs(60 * 60);

/// How many files are read from the store at once.
const BATCH: usize = 500;

/// The task that sweeps.
#[derive(Clone, Debug)]
pub(crate) struct FileSweeper {
    pub files: Files,
    pub store: Store,
    pub clock: Clock,
    /// Whether this node does what one of them has to do alone.
    pub is_leader: watch::Receiver<bool>,
}

impl FileSweeper {
    /// Runs until it is dropped.
    pub async fn run(self) {
        let mut retries = Retries::of("delete files");
        let mut comparison_retries = Retries::of("compare the files with their rows");
        // Not at once: the start has enough to do, and a process that ends at once need not begin it.
        let mut next_comparison = self.clock.now().after(INTERVAL);
        loop {
            retries.note(self.sweep().await);
            let now = self.clock.now();
            if next_comparison <= now && *self.is_leader.borrow() {
                next_comparison = now.after(COMPARISON_INTERVAL);
                comparison_retries.note(self.compare(now).await);
            }
            tokio::select! {
                () = self.files.0.wake.notified() => {}
                () = self.clock.sleep_until(now.after(INTERVAL)) => {}
            }
        }
    }

    /// Does all that is due.
    pub(super) async fn sweep(&self) -> Result<(), Error> {
        self.finish_leftovers().await?;
        self.give_up_abandoned().await?;
        let now = self.clock.now();
        if *self.is_leader.borrow() {
            self.give_up_left_behind(now).await?;
        }
        self.delete_given_up().await
    }

    /// Publishes what an earlier process has received, and deletes what it has not.
    async fn finish_leftovers(&self) -> Result<(), Error> {
        loop {
            let Some(path) = lock(&self.files.0.leftovers).pop() else {
                return Ok(());
            };
            if let Err(error) = self.finish_leftover(&path).await {
                lock(&self.files.0.leftovers).push(path);
                return Err(error);
            }
        }
    }

    async fn finish_leftover(&self, path: &Path) -> Result<(), Error> {
        let name = path.file_name().and_then(|name| name.to_str());
        let id = name.and_then(|name| name.parse::<FileId>().ok());
        // A request to the upload may be about to do the same.
        let _turn = match id {
            Some(id) => Some(self.files.0.turns.take(id).await),
            None => None,
        };
        let found = match id {
            Some(id) => files::find(&mut self.store.reader().await?, id).await?,
            None => None,
        };
        match found {
            Some(FileRow {
                state: FileState::Received,
                file,
                ..
            }) if self.files.has_scanner() => {
                self.files.hold_back(HeldBack {
                    id: file.id,
                    drawing: Drawing::Never,
                });
                return Ok(());
            }
            Some(FileRow {
                state: FileState::Received,
                room,
                file,
                ..
            }) => {
                let now = self.clock.now();
                let key = ObjectKey {
                    room,
                    file: file.id,
                };
                let published = self
                    .files
                    .publish(&self.store, now, room, file, Drawing::Never);
                match published.await {
                    // It was given up meanwhile.
                    Ok(_) | Err(Error::Refusal(_)) => {}
                    Err(error) => return Err(error),
                }
                self.files.0.store.delete_pieces(key).await?;
            }
            Some(found) if found.state == FileState::Receiving => {
                let mut tx = self.store.begin().await?;
                uploads::give_up_cut(&mut tx, self.clock.now(), found.file.id).await?;
                tx.commit().await?;
            }
            _ => {}
        }
        Ok(super::staging::remove_if_exists(path)?)
    }

    async fn give_up_abandoned(&self) -> Result<(), Error> {
        loop {
            let Some(id) = lock(&self.files.0.abandoned).last().copied() else {
                return Ok(());
            };
            self.give_up(id).await?;
            self.files.0.staging.remove(id)?;
            lock(&self.files.0.abandoned).retain(|one| *one != id);
        }
    }

    async fn give_up(&self, id: FileId) -> Result<(), Error> {
        let mut tx = self.store.begin().await?;
        files::give_up(&mut tx, self.clock.now(), id).await?;
        tx.commit().await?;
        Ok(())
    }

    async fn give_up_left_behind(&self, now: Time) -> Result<(), Error> {
        let since = day_before(now);
        let mut tx = self.store.begin().await?;
        if files::give_up_left_behind(&mut tx, now, since).await? > 0 {
            tx.commit().await?;
        }
        Ok(())
    }

    /// Deletes the bytes and then the rows of the files that were given up.
    async fn delete_given_up(&self) -> Result<(), Error> {
        loop {
            let limit = i64::try_from(BATCH).unwrap_or(i64::MAX);
            let found = files::list_in_state(&self.store, FileState::Deleting, limit).await?;
            if found.is_empty() {
                return Ok(());
            }
            for row in &found {
                let id = row.file.id;
                let key = ObjectKey {
                    room: row.room,
                    file: id,
                };
                self.files.0.staging.remove(id)?;
                self.files.0.store.delete(key).await?;
                self.files.0.store.delete_pieces(key).await?;
            }
            self.files.pass("bytes deleted").await;
            let mut tx = self.store.begin().await?;
            for row in &found {
                files::delete_row(&mut tx, row.file.id).await?;
            }
            tx.mark_erasure();
            tx.commit().await?;
        }
    }

    /// Deletes the bytes that have no row, and gives up the files whose message or room is gone.
    pub(super) async fn compare(&self, now: Time) -> Result<(), Error> {
        let since = day_before(now).millis();
        let listed = self.files.0.store.list();
        let old = listed.try_filter(|object| std::future::ready(object.put_at <= since));
        let mut batches = old.try_chunks(BATCH);
        while let Some(batch) = batches.try_next().await.map_err(|error| error.1)? {
            let ids: Vec<FileId> = batch.iter().map(|object| object.key.file).collect();
            let known = files::list_known(&self.store, &ids).await?;
            for object in batch {
                if !known.contains(&object.key.file) {
                    tracing::warn!(file = %object.key.file, room = %object.key.room, "deleting bytes without a row");
                    self.files.0.store.delete(object.key).await?;
                }
            }
        }
        self.compare_pieces(since).await?;
        let mut tx = self.store.begin().await?;
        if files::give_up_orphans(&mut tx, now).await? > 0 {
            tx.commit().await?;
            self.files.0.wake.notify_one();
        }
        Ok(())
    }
}

impl FileSweeper {
    /// Deletes the pieces of uploads that are complete, or given up.
    async fn compare_pieces(&self, since: i64) -> Result<(), Error> {
        let listed = self.files.0.store.list_all_pieces();
        let old = listed.try_filter(|piece| std::future::ready(piece.put_at <= since));
        let mut batches = old.try_chunks(BATCH);
        while let Some(batch) = batches.try_next().await.map_err(|error| error.1)? {
            let mut keys: Vec<ObjectKey> = batch.iter().map(|piece| piece.key).collect();
            keys.dedup();
            let ids: Vec<FileId> = keys.iter().map(|key| key.file).collect();
            let needed = uploads::list_incomplete(&self.store, &ids).await?;
            for key in keys {
                if !needed.contains(&key.file) {
                    tracing::warn!(file = %key.file, room = %key.room, "deleting pieces without an upload");
                    self.files.0.store.delete_pieces(key).await?;
                }
            }
        }
        Ok(())
    }
}

fn day_before(now: Time) -> Time {
    let kept = i64::try_from(KEPT.as_millis()).unwrap_or(i64::MAX);
    Time::from_millis(now.millis().saturating_sub(kept))
}
