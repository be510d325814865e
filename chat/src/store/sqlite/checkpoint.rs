//! Checkpoints: moves the write-ahead log into the database.

use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::MissedTickBehavior;

use super::pool::Store;
use crate::Error;

/// How often the log is moved into the database.
const CHECKPOINT_EVERY: Duration = Duration::from_secs(1);

/// The log is emptied at one in so many of these times at most: commits cost more until it is as long as before.
const EMPTIED_EVERY: u64 = if cfg!(test) { 1 } else { 10 };

/// How long the log may become before it begins anew, in pages.
const LOG_PAGES: i64 = 8_000;

/// What came of moving the log into the database.
struct Moved {
    /// Whether somebody still read what was in it.
    busy: bool,
    /// How long it is, in pages.
    pages: i64,
}

impl Store {
    /// Moves what was written from the log to its place in the database, now and then, until it is dropped. Beside those who
    /// write, who would otherwise do it themselves while somebody waits for them; only to begin the log anew when it has
    /// become long takes their turn, for what came meanwhile, and to empty it when something was deleted.
    pub async fn run_checkpoints(self) {
        let mut pause = tokio::time::interval(CHECKPOINT_EVERY);
        pause.set_missed_tick_behavior(MissedTickBehavior::Delay);
        for time in 1_u64.. {
            pause.tick().await;
            if let Err(error) = self.checkpoint(time.is_multiple_of(EMPTIED_EVERY)).await {
                tracing::error!(%error, "cannot move the log into the database; it is tried again");
            }
        }
    }

    async fn checkpoint(&self, may_empty: bool) -> Result<(), Error> {
        let pages = self
            .checkpoint_log("pragma wal_checkpoint(passive)")
            .await?
            .pages;
        if may_empty && self.deleted.0.swap(false, Ordering::Relaxed) {
            let _turn = self.turn.lock().await;
            let moved = self.checkpoint_log("pragma wal_checkpoint(truncate)").await;
            if !moved.as_ref().is_ok_and(|moved| !moved.busy) {
                self.deleted.mark();
            }
            moved?;
        } else if pages > LOG_PAGES {
            let _turn = self.turn.lock().await;
            self.checkpoint_log("pragma wal_checkpoint(passive)")
                .await?;
        }
        Ok(())
    }

    async fn checkpoint_log(&self, how: &'static str) -> Result<Moved, Error> {
        let (busy, pages, _): (bool, i64, i64) =
            sqlx::query_as(how).fetch_one(&self.checkpoint).await?;
        Ok(Moved { busy, pages })
    }
}
