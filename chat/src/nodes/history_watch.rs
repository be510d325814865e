//! The history watch: notices that the database has lost commits, and makes all readers read again.
//!
//! # Guarantees
//! - Within a few seconds after the database can be read again, all streams of an earlier epoch have
//!   ended. Until then nothing is lost: their clients come back with cursors of that epoch, which are
//!   answered with a reset and everything that there is.
//!
//! # Not here
//! - What counts as lost: `store::log_position`.

use std::time::Duration;

use crate::current_epoch::CurrentEpoch;
use crate::realtime::hub::Hub;
use crate::retries::Retries;
use crate::store::Store;
use crate::store::log_position::HistoryCheck;

/// The time between two looks.
const INTERVAL: Duration = Duration::from_secs(1);

/// What is needed to watch the history of the database.
#[derive(Clone, Debug)]
pub(crate) struct HistoryWatch {
    pub store: Store,
    pub hub: Hub,
    pub epoch: CurrentEpoch,
}

impl HistoryWatch {
    /// Runs until it is dropped.
    pub async fn run(self) {
        let mut check = HistoryCheck::default();
        let mut retries = Retries::of("read the history of the database");
        loop {
            let checked = check.run(&self.store, self.epoch.number()).await;
            if let Some(Some(epoch)) = retries.note(checked)
                && epoch != self.epoch.number()
            {
                tracing::error!(
                    "the database lacks messages that it had: it was restored, or a standby has \
                     taken over without them; clients read their rooms again"
                );
                self.epoch.set(epoch);
                self.hub.end_earlier_epochs();
            }
            tokio::time::sleep(INTERVAL).await;
        }
    }
}
