//! LoginBackoff to sign in and to sign up: how soon one more may be made.
//!
//! Promises: whoever goes on trying waits ever longer, by address and by account, up to a limit that keeps nobody out for
//! good; memory is bounded. Leaves to others: what is tried.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use protocol::Refusal;

/// How many are remembered at once.
const REMEMBERED: usize = 10_000;

/// After how long without an attempt all is forgotten.
const FORGOTTEN: Duration = Duration::from_secs(60 * 60);

/// How patient to be with one kind of attempts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BackoffPolicy {
    /// So many come without a wait.
    pub free: u32,
    /// The longest wait before the next one.
    pub longest: Duration,
}

/// LoginBackoff so far, by who makes them or whom they are about.
#[derive(Debug, Default)]
pub(crate) struct LoginBackoff(Mutex<HashMap<String, Tries>>);

#[derive(Clone, Copy, Debug)]
struct Tries {
    count: u32,
    last: Instant,
}

impl Tries {
    /// The wait after the last one: a second, then twice as long each time.
    fn wait(self, patience: BackoffPolicy) -> Duration {
        match self.count.checked_sub(patience.free) {
            Some(doubled) => Duration::from_secs(1 << doubled.min(20)).min(patience.longest),
            None => Duration::ZERO,
        }
    }
}

impl LoginBackoff {
    /// Counts an attempt of or on `who`. Counted before it is made, so that many at once are many.
    ///
    /// # Errors
    /// [`Refusal::RateLimited`] while the wait after the one before is not over; that is not counted.
    pub fn make(&self, who: &str, patience: BackoffPolicy, now: Instant) -> Result<(), Refusal> {
        let mut all = self.lock();
        if all.len() >= REMEMBERED {
            forget(&mut all, now);
        }
        let tries = all.entry(who.to_owned()).or_insert(Tries {
            count: 0,
            last: now,
        });
        if now.duration_since(tries.last) >= FORGOTTEN {
            tries.count = 0;
        }
        let rest = tries
            .wait(patience)
            .saturating_sub(now.duration_since(tries.last));
        if !rest.is_zero() {
            return Err(Refusal::RateLimited(rest));
        }
        *tries = Tries {
            count: tries.count.saturating_add(1),
            last: now,
        };
        Ok(())
    }

    /// Takes back one attempt of or on `who`, because it was good.
    pub fn undo(&self, who: &str) {
        if let Some(tries) = self.lock().get_mut(who) {
            tries.count = tries.count.saturating_sub(1);
        }
    }

    /// Forgets the attempts of or on `who`, because one was good.
    pub fn forgive(&self, who: &str) {
        self.lock().remove(who);
    }

    // Held for a look and a change, never across an await.
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Tries>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes room: first what is old, and under an attack from everywhere those with the fewest attempts.
fn forget(all: &mut HashMap<String, Tries>, now: Instant) {
    all.retain(|_, tries| now.duration_since(tries.last) < FORGOTTEN);
    let mut least = 1;
    while all.len() >= REMEMBERED {
        all.retain(|_, tries| tries.count > least);
        least *= 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: BackoffPolicy = BackoffPolicy {
        free: 3,
        longest: Duration::from_secs(60),
    };

    fn seconds(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    #[test]
    fn the_wait_grows_up_to_a_limit_and_is_forgotten() {
        let (attempts, begin) = (LoginBackoff::default(), Instant::now());
        let mut now = begin;
        for wait in [0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60] {
            if wait > 0 {
                let early = now + seconds(wait) - Duration::from_millis(1);
                let refused = attempts.make("ada", PATIENCE, early);
                assert_eq!(
                    refused,
                    Err(Refusal::RateLimited(Duration::from_millis(1))),
                    "{wait}"
                );
            }
            now += seconds(wait);
            assert_eq!(attempts.make("ada", PATIENCE, now), Ok(()), "{wait}");
        }
        assert_eq!(attempts.make("grace", PATIENCE, now), Ok(()));
        assert!(attempts.make("ada", PATIENCE, now).is_err());
        assert_eq!(attempts.make("ada", PATIENCE, now + FORGOTTEN), Ok(()));
        assert_eq!(attempts.make("ada", PATIENCE, now + FORGOTTEN), Ok(()));
    }

    #[test]
    fn what_was_good_is_forgiven() {
        let (attempts, now) = (LoginBackoff::default(), Instant::now());
        for _ in 0..10 {
            assert_eq!(attempts.make("ada", PATIENCE, now), Ok(()));
            attempts.forgive("ada");
        }
    }

    #[test]
    fn memory_is_bounded_and_those_who_try_most_are_remembered_longest() {
        let (attempts, now) = (LoginBackoff::default(), Instant::now());
        while attempts.make("eve", PATIENCE, now).is_ok() {}
        for n in 0..REMEMBERED * 2 {
            attempts.make(&n.to_string(), PATIENCE, now).unwrap();
            assert!(attempts.lock().len() <= REMEMBERED);
        }
        assert!(attempts.make("eve", PATIENCE, now).is_err());
    }
}
