//! The clock of all deadlines, which tests can advance.
//!
//! # Guarantees
//! - [`Clock::now`] and [`Clock::sleep_until`] agree, also after a test advances the clock or the
//!   machine's clock jumps (a suspended machine, a corrected time).

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use protocol::Time;
use tokio::sync::watch;

/// The longest single sleep, and so the longest delay until a sleeper notices a jump of the
/// machine's clock.
const LONGEST_SLEEP: Duration = Duration::from_millis(500);

/// The machine's clock plus the time by which a test has advanced it.
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

    /// Advances the clock and wakes all sleepers.
    pub fn advance(&self, by: Duration) {
        self.0.send_modify(|advanced| *advanced += by);
    }

    /// Returns when the clock shows `due` or a later time.
    pub async fn sleep_until(&self, due: Time) {
        let mut advanced = self.0.subscribe();
        loop {
            let wait = due.since(self.now());
            if wait.is_zero() {
                return;
            }
            // After a timeout and after a change the loop reads the clock again.
            let _ = tokio::time::timeout(wait.min(LONGEST_SLEEP), advanced.changed()).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn sleeper_wakes_when_the_clock_is_advanced() {
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
