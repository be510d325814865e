//! Checks that transactions can be committed.
//!
//! # Guarantees
//! - While nothing is written, a probe changes a page, at most once in [`INTERVAL`].

use std::time::{Duration, Instant};

use super::write_health::Commit;
use crate::Error;
use crate::store::Store;
use crate::store::sql::query;

/// The shortest time between two probes, and how long a successful commit makes a probe
/// unnecessary.
const INTERVAL: Duration = Duration::from_secs(1);

/// The longest time for a probe. Other transactions may be waiting for a disk that hangs.
const TIMEOUT: Duration = Duration::from_secs(5);

impl Store {
    /// Checks that transactions can be committed.
    ///
    /// # Errors
    /// The reason why the latest one failed.
    pub async fn check_writes(&self) -> Result<(), String> {
        let health = self.write_health();
        let mut probed = health.probed.lock().await;
        let is_known = |commit: Commit| commit.error.is_none() && commit.at.elapsed() < INTERVAL;
        let is_probed = probed.is_some_and(|probed| probed.elapsed() < INTERVAL);
        if !is_probed && !health.latest().is_some_and(is_known) {
            self.probe().await;
            *probed = Some(Instant::now());
        }
        match health.latest().and_then(|commit| commit.error) {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    /// Writes, so that the outcome is recorded.
    async fn probe(&self) {
        let write = async {
            let mut tx = self.begin().await?;
            query(
                "insert into meta (name, value) values ('write_probe', 1)
                 on conflict (name) do update set value = meta.value + 1",
            )
            .execute(tx.connection())
            .await?;
            tx.commit().await
        };
        let outcome = tokio::time::timeout(TIMEOUT, write)
            .await
            .unwrap_or_else(|_| Err(Error::fault("a transaction takes too long")));
        self.write_health().record(&outcome);
    }
}

#[cfg(test)]
mod tests {
    use protocol::Refusal;

    use super::*;
    use crate::testing::{TestChat, new_message};
    use crate::{Chat, Person};

    async fn is_ready(chat: &Chat) -> bool {
        match chat.check_readiness().await {
            Ok(()) => true,
            Err(Error::Refusal(Refusal::NotReady(_))) => false,
            Err(error) => panic!("{error}"),
        }
    }

    async fn wait_until_ready(chat: &Chat) {
        while !is_ready(chat).await {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn server_is_not_ready_from_a_failed_commit_until_a_probe_succeeds() {
        let test = TestChat::new(|_| {}).await;
        let room = test.create_room().await;
        assert!(is_ready(&test.chat).await);
        test.config.faults.arm(0, 1);
        let refused = test
            .chat
            .post_message(&Person::Anonymous, &room, &new_message("lost"), None)
            .await;
        assert!(refused.is_err());
        assert!(!is_ready(&test.chat).await);
        test.config.faults.arm(0, 0);
        wait_until_ready(&test.chat).await;
    }

    #[tokio::test]
    async fn server_on_which_nobody_writes_notices_that_writes_fail() {
        let test = TestChat::new(|_| {}).await;
        test.config.faults.arm(0, 1);
        while is_ready(&test.chat).await {
            tokio::task::yield_now().await;
        }
        test.config.faults.arm(0, 0);
        wait_until_ready(&test.chat).await;
    }

    #[tokio::test]
    async fn server_is_not_ready_while_a_task_is_stopped() {
        let test = TestChat::new(|_| {}).await;
        assert!(is_ready(&test.chat).await);
        while test.chat.supervisor().given_up_task().is_none() {
            test.config.faults.panic_in("expiry");
            tokio::task::yield_now().await;
        }
        assert!(!is_ready(&test.chat).await);
    }
}
