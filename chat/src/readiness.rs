//! Whether the service works, whether it can store more, and its numbers.

use std::time::Duration;

use protocol::Refusal;
use tokio::time::timeout;

use crate::store::{files, rooms};
use crate::sync::lock;
use crate::{Chat, Error, Metrics};

/// How long the database may take to tell its numbers.
const NUMBERS_TIMEOUT: Duration = Duration::from_secs(1);

impl Chat {
    /// Checks that all background tasks run and that the database can be read and written.
    ///
    /// # Errors
    /// [`Refusal::NotReady`] with what does not work.
    pub async fn check_readiness(&self) -> Result<(), Error> {
        let not_ready = |text: &str| Err(Refusal::NotReady(text.to_owned()).into());
        if self.0.supervisor.stopped_task().is_some() {
            return not_ready("A part of the server has failed and is started again.");
        }
        let read = self.0.store.check_reads().await;
        if lock(&self.0.read_retries).note(read).is_none() {
            return not_ready("The database cannot be read.");
        }
        if self.0.store.check_writes().await.is_err() {
            return not_ready("The database cannot be written.");
        }
        if !self.0.disk.is_enough() {
            return not_ready("The disk is almost full.");
        }
        Ok(())
    }

    /// The numbers of this chat.
    pub fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }

    /// Reads the numbers that are not counted. Those that only the database knows are missing without
    /// its answer.
    pub async fn update_metrics(&self) {
        self.metrics().set_leader(*self.0.is_leader.borrow());
        let counts = rooms::count_by_state(&self.0.store);
        let counts = timeout(NUMBERS_TIMEOUT, counts).await;
        let counts = counts.map_err(Error::fault).flatten();
        if let Err(error) = &counts {
            tracing::debug!(%error, "the database tells no numbers");
        }
        self.metrics().set_rooms(counts.ok());
        let files = timeout(NUMBERS_TIMEOUT, files::count_by_state(&self.0.store)).await;
        let files = files.map_err(Error::fault).flatten();
        self.metrics().files.set_counts(files.ok());
        self.metrics()
            .files
            .set_free_space(self.0.disk.free_space());
    }

    /// Checks that the disk has room for a message, a room or an account.
    pub(crate) fn require_disk_space(&self) -> Result<(), Refusal> {
        if self.0.disk.is_enough() {
            Ok(())
        } else {
            Err(Refusal::DiskFull)
        }
    }
}
