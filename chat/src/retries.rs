//! What a task that tries again and again says of its failures.
//!
//! # Guarantees
//! - The log has a line when attempts begin to fail, and one when they succeed again, however many
//!   there are.

use std::fmt::Display;
use std::time::Instant;

/// The attempts of a task at one thing.
#[derive(Debug)]
pub(crate) struct Retries {
    /// What the task does, so that "cannot" can stand before it.
    what: &'static str,
    failures: u64,
    failing_since: Option<Instant>,
}

impl Retries {
    /// No attempt yet.
    pub fn of(what: &'static str) -> Self {
        Self {
            what,
            failures: 0,
            failing_since: None,
        }
    }

    /// Notes an attempt. Returns its result, if it has one.
    pub fn note<T, E: Display>(&mut self, outcome: Result<T, E>) -> Option<T> {
        match outcome {
            Ok(done) => {
                self.note_success();
                Some(done)
            }
            Err(error) => {
                self.note_failure(&error);
                None
            }
        }
    }

    /// Notes that an attempt has failed.
    pub fn note_failure(&mut self, error: &dyn Display) {
        self.failures += 1;
        let what = self.what;
        if self.failing_since.is_none() {
            self.failing_since = Some(Instant::now());
            tracing::error!(%error, "cannot {what}; it is tried again");
        } else {
            tracing::debug!(%error, "still cannot {what}");
        }
    }

    /// Notes that an attempt has succeeded.
    pub fn note_success(&mut self) {
        let Some(since) = self.failing_since.take() else {
            return;
        };
        let failures = std::mem::take(&mut self.failures);
        let (what, seconds) = (self.what, since.elapsed().as_secs());
        tracing::info!(failures, seconds, "can {what} again");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::captured_log::CapturedLog;

    #[test]
    fn failures_are_logged_when_they_begin_and_when_they_end() {
        let (log, _guard) = CapturedLog::start();
        let mut retries = Retries::of("read the room");
        for _ in 0..2 {
            assert_eq!(retries.note(Ok::<_, String>(1)), Some(1));
            for _ in 0..3 {
                assert_eq!(retries.note(Err::<u32, _>("away")), None);
            }
            retries.note_success();
        }
        let lines = [
            "cannot read the room; it is tried again",
            "can read the room again",
        ];
        assert_eq!(log.lines(), [lines, lines].concat());
    }
}
