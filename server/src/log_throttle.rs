//! LogThrottle in the log about what may happen very often.
//!
//! Promises: there is one at once, and then one now and then, which says how many there were.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The shortest time between two lines in the log about the same.
const BETWEEN_LINES: Duration = Duration::from_secs(60);

/// Something that is in the log now and then, however often it happens.
#[derive(Debug, Default)]
pub(crate) struct LogThrottle(Mutex<Told>);

#[derive(Debug, Default)]
struct Told {
    since: u64,
    last: Option<Instant>,
}

impl LogThrottle {
    /// Counts one more; gives back how many there were since the last line, if it is time for another.
    pub fn count(&self, now: Instant) -> Option<u64> {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        told.since += 1;
        if told
            .last
            .is_some_and(|last| now.duration_since(last) < BETWEEN_LINES)
        {
            return None;
        }
        told.last = Some(now);
        Some(std::mem::take(&mut told.since))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_now_and_then_says_how_many() {
        let (lines, now) = (LogThrottle::default(), Instant::now());
        assert_eq!(lines.count(now), Some(1));
        assert_eq!(
            (0..50).find_map(|_| lines.count(now + Duration::from_secs(59))),
            None
        );
        assert_eq!(lines.count(now + BETWEEN_LINES), Some(51));
    }
}
