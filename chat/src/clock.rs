//! The one clock. Rooms live by it, and tests turn it.
//!
//! Promises: `now` and `sleep_until` agree, whether the clock is turned by a test or jumps by itself (suspended
//! machines, corrected time). Leaves to others: what is due when.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use protocol::Time;
use tokio::sync::watch;

/// The longest single sleep: how late a sleeper notices that the machine's clock jumped.
const LONGEST_SLEEP: Duration = Duration::from_millis(500);

/// The machine's clock, plus however far it was turned.
#[derive(Clone, Debug)]
pub struct Clock(Arc<watch::Sender<Duration>>);

impl Default for Clock {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(Duration::ZERO)))
    }
}

impl Clock {
    /// The present moment.
    pub fn now(&self) -> Time {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Time::from_millis(0).after(since).after(*self.0.borrow())
    }

    /// Turns the clock forward and wakes whoever sleeps by it.
    pub fn advance(&self, by: Duration) {
        self.0.send_modify(|turned| *turned += by);
    }

    /// Returns once the clock shows `due` or later.
    pub async fn sleep_until(&self, due: Time) {
        let mut turned = self.0.subscribe();
        loop {
            let wait = due.since(self.now());
            if wait.is_zero() {
                return;
            }
            // Both outcomes mean: look at the clock again.
            let _ = tokio::time::timeout(wait.min(LONGEST_SLEEP), turned.changed()).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_sleeper_wakes_when_the_clock_is_turned() {
        let clock = Clock::default();
        let due = clock.now().after(Duration::from_secs(3_600));
        let sleeper = tokio::spawn({
            let clock = clock.clone();
            async move { clock.sleep_until(due).await }
        });
        clock.advance(Duration::from_secs(3_600));
        sleeper.await.unwrap();
        assert!(clock.now() >= due);
    }
}
