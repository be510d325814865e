//! Throttles log lines about events that can happen very often.
//!
//! # Guarantees
//! The first event is logged at once. After that, at most one line a minute is logged, with the
//! number of events since the previous line.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The shortest time between two log lines about one kind of event.
const INTERVAL: Duration = Duration::from_secs(60);

/// The throttle for one kind of event.
#[derive(Debug, Default)]
pub(crate) struct LogThrottle(Mutex<Unlogged>);

#[derive(Debug, Default)]
struct Unlogged {
    count: u64,
    last_line: Option<Instant>,
}

impl LogThrottle {
    /// Counts an event. Returns the number of events to log, if it is time for a line.
    pub fn count(&self, now: Instant) -> Option<u64> {
        let mut unlogged = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        unlogged.count += 1;
        if unlogged
            .last_line
            .is_some_and(|last| now.duration_since(last) < INTERVAL)
        {
            return None;
        }
        unlogged.last_line = Some(now);
        Some(std::mem::take(&mut unlogged.count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_event_is_logged_and_the_next_line_has_the_number_of_the_others() {
        let throttle = LogThrottle::default();
        let now = Instant::now();
        assert_eq!(throttle.count(now), Some(1));
        assert_eq!(
            (0..50).find_map(|_| throttle.count(now + Duration::from_secs(59))),
            None
        );
        assert_eq!(throttle.count(now + INTERVAL), Some(51));
    }
}
