//! Whether the service works, and whether it can store more.

use protocol::Refusal;

use crate::{Chat, Error};

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
        if let Err(error) = self.0.store.check_reads().await {
            tracing::warn!(%error, "the database cannot be read");
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

    /// Checks that the disk has room for a message, a room or an account.
    pub(crate) fn require_disk_space(&self) -> Result<(), Refusal> {
        if self.0.disk.is_enough() {
            Ok(())
        } else {
            Err(Refusal::DiskFull)
        }
    }
}
