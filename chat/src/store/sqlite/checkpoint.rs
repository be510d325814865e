//! Checkpoints: moves the write-ahead log into the database.
//!
//! A passive checkpoint runs beside the transactions. Only two cases take the write lock: a log
//! that has become long is moved completely, so that it can start again at its beginning, and after
//! a deletion the log is emptied.
//!
//! # Guarantees
//! - Deleted text is removed from the log within a few seconds.
//! - No request waits for a checkpoint, except in these two cases.

use std::time::Duration;

use tokio::time::MissedTickBehavior;

use super::pool::SqlitePools;
use crate::Error;
use crate::retries::Retries;
use crate::store::pending_erasure::PendingErasure;
use crate::store::write_lock::WriteLock;

/// The time between two checkpoints.
const CHECKPOINT_INTERVAL: Duration = Duration::from_secs(1);

/// The log is emptied at most at one in so many checkpoints, because commits are slower until the
/// log has grown again.
const TRUNCATE_EVERY: u64 = if cfg!(test) { 1 } else { 10 };

/// The length of the log, in pages, above which it has to start again at its beginning.
const LONG_LOG: i64 = 8_000;

/// The result of a checkpoint.
struct CheckpointResult {
    /// Whether a reader kept the checkpoint from completing.
    is_busy: bool,
    /// The length of the log in pages.
    pages: i64,
}

/// What checkpoints need.
pub(crate) struct Checkpoints {
    pub pools: SqlitePools,
    pub write_lock: WriteLock,
    pub pending_erasure: PendingErasure,
}

impl Checkpoints {
    /// Runs checkpoints until it is dropped.
    pub async fn run(self) {
        let mut interval = tokio::time::interval(CHECKPOINT_INTERVAL);
        interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut retries = Retries::of("checkpoint the write-ahead log");
        for number in 1_u64.. {
            interval.tick().await;
            let may_truncate = number.is_multiple_of(TRUNCATE_EVERY);
            retries.note(self.checkpoint(may_truncate).await);
        }
    }

    async fn checkpoint(&self, may_truncate: bool) -> Result<(), Error> {
        let passive = "pragma wal_checkpoint(passive)";
        let pages = self.execute_checkpoint(passive).await?.pages;
        if may_truncate && self.pending_erasure.take() {
            return self.truncate_log().await;
        }
        if pages > LONG_LOG {
            let _write_lock = self.write_lock.lock().await;
            self.execute_checkpoint(passive).await?;
        }
        Ok(())
    }

    /// Empties the log; if that fails, the erasure stays pending.
    async fn truncate_log(&self) -> Result<(), Error> {
        let _write_lock = self.write_lock.lock().await;
        let result = self
            .execute_checkpoint("pragma wal_checkpoint(truncate)")
            .await;
        if !result.as_ref().is_ok_and(|result| !result.is_busy) {
            self.pending_erasure.mark();
        }
        result.map(|_| ())
    }

    async fn execute_checkpoint(&self, pragma: &'static str) -> Result<CheckpointResult, Error> {
        let (is_busy, pages, _): (bool, i64, i64) = sqlx::query_as(pragma)
            .fetch_one(&self.pools.checkpoint)
            .await?;
        Ok(CheckpointResult { is_busy, pages })
    }
}
