//! Delays repeated attempts to guess a secret: passwords, invitation codes, and sign-ups.
//!
//! # Guarantees
//! Each further failed attempt has to wait longer, up to a limit, so that nobody is locked out for
//! good. Memory is bounded.
//!
//! # Not here
//! The attempts, and what counts as one subject (`limit`).

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use protocol::Refusal;

/// The most subjects that are remembered.
const SUBJECTS_MAX: usize = 10_000;

/// After this time without an attempt, a subject starts again.
const FORGET_AFTER: Duration = Duration::from_secs(60 * 60);

/// No more than this many doublings of a wait.
const DOUBLINGS_MAX: u32 = 20;

/// How long attempts of one kind have to wait.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BackoffPolicy {
    /// How many attempts need no wait.
    pub free: u32,
    /// The longest wait before an attempt.
    pub longest: Duration,
}

/// The attempts so far, by subject: an address that makes attempts, or an account that they are
/// for.
#[derive(Debug, Default)]
pub(crate) struct LoginBackoff(Mutex<HashMap<String, Attempts>>);

#[derive(Clone, Copy, Debug)]
struct Attempts {
    count: u32,
    last: Instant,
}

impl Attempts {
    /// The wait after the last attempt: none for the free ones, then 1 s, 2 s, 4 s, …
    fn wait(self, policy: BackoffPolicy) -> Duration {
        match self.count.checked_sub(policy.free) {
            Some(doublings) => {
                Duration::from_secs(1 << doublings.min(DOUBLINGS_MAX)).min(policy.longest)
            }
            None => Duration::ZERO,
        }
    }
}

impl LoginBackoff {
    /// Records an attempt. The caller records it before making it, so that concurrent attempts
    /// count too.
    ///
    /// # Errors
    /// [`Refusal::RateLimited`] during the wait after the previous attempt; then nothing is recorded.
    pub fn record_attempt(
        &self,
        subject: &str,
        policy: BackoffPolicy,
        now: Instant,
    ) -> Result<(), Refusal> {
        let mut all = self.lock();
        if all.len() >= SUBJECTS_MAX {
            make_room(&mut all, now);
        }
        let attempts = all.entry(subject.to_owned()).or_insert(Attempts {
            count: 0,
            last: now,
        });
        let elapsed = now.duration_since(attempts.last);
        if elapsed >= FORGET_AFTER {
            attempts.count = 0;
        }
        let rest = attempts.wait(policy).saturating_sub(elapsed);
        if !rest.is_zero() {
            return Err(Refusal::RateLimited(rest));
        }
        *attempts = Attempts {
            count: attempts.count.saturating_add(1),
            last: now,
        };
        Ok(())
    }

    /// Removes one attempt, because it has succeeded.
    pub fn remove_attempt(&self, subject: &str) {
        if let Some(attempts) = self.lock().get_mut(subject) {
            attempts.count = attempts.count.saturating_sub(1);
        }
    }

    /// Removes all attempts of a subject, because one has succeeded.
    pub fn forget(&self, subject: &str) {
        self.lock().remove(subject);
    }

    // Held for a lookup and a change, never across an await.
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Attempts>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes room for a subject: removes the old ones first and then, under an attack from many
/// addresses, those with the fewest attempts.
fn make_room(all: &mut HashMap<String, Attempts>, now: Instant) {
    all.retain(|_, attempts| now.duration_since(attempts.last) < FORGET_AFTER);
    let mut least = 1;
    while all.len() >= SUBJECTS_MAX {
        all.retain(|_, attempts| attempts.count > least);
        least *= 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: BackoffPolicy = BackoffPolicy {
        free: 3,
        longest: Duration::from_secs(60),
    };

    fn seconds(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    #[test]
    fn wait_doubles_up_to_the_longest_and_is_forgotten_after_an_hour() {
        let backoff = LoginBackoff::default();
        let mut now = Instant::now();
        for wait in [0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60] {
            if wait > 0 {
                let early = now + seconds(wait) - Duration::from_millis(1);
                let refused = backoff.record_attempt("ada", POLICY, early);
                assert_eq!(
                    refused,
                    Err(Refusal::RateLimited(Duration::from_millis(1))),
                    "{wait}"
                );
            }
            now += seconds(wait);
            assert_eq!(backoff.record_attempt("ada", POLICY, now), Ok(()), "{wait}");
        }
        assert_eq!(backoff.record_attempt("grace", POLICY, now), Ok(()));
        assert!(backoff.record_attempt("ada", POLICY, now).is_err());
        let later = now + FORGET_AFTER;
        assert_eq!(backoff.record_attempt("ada", POLICY, later), Ok(()));
        assert_eq!(backoff.record_attempt("ada", POLICY, later), Ok(()));
    }

    #[test]
    fn successful_attempts_need_no_wait() {
        let backoff = LoginBackoff::default();
        let now = Instant::now();
        for _ in 0..10 {
            assert_eq!(backoff.record_attempt("ada", POLICY, now), Ok(()));
            backoff.forget("ada");
        }
    }

    #[test]
    fn memory_is_bounded_and_subjects_with_the_most_attempts_are_remembered_longest() {
        let backoff = LoginBackoff::default();
        let now = Instant::now();
        while backoff.record_attempt("eve", POLICY, now).is_ok() {}
        for n in 0..SUBJECTS_MAX * 2 {
            backoff.record_attempt(&n.to_string(), POLICY, now).unwrap();
            assert!(backoff.lock().len() <= SUBJECTS_MAX);
        }
        assert!(backoff.record_attempt("eve", POLICY, now).is_err());
    }
}
