//! Rooms that are looked for in vain: how often one address may guess.
//!
//! Promises: whoever guesses too often is refused before anything is looked up, so a refusal says nothing about a room;
//! memory is bounded. Whoever knows where to go is never counted, and neither is who comes to a room that was deleted.
//! Leaves to others: who counts as one address (`limit`), and saying so in the log (`lines`).

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use protocol::Refusal;

/// So many a second are forgotten.
const A_SECOND: f64 = 5.0;

/// So many may come at once: a class may be behind an address, with a link to a room that is no more.
const AT_ONCE: f64 = 500.0;

/// How many addresses are remembered at once.
const REMEMBERED: usize = 10_000;

/// Looks in vain so far, by who looked.
#[derive(Debug, Default)]
pub(crate) struct RoomProbes(Mutex<HashMap<IpAddr, Tally>>);

#[derive(Clone, Copy, Debug)]
struct Tally {
    count: f64,
    at: Instant,
}

impl Tally {
    /// What is not yet forgotten.
    fn left(self, now: Instant) -> f64 {
        (self.count - now.duration_since(self.at).as_secs_f64() * A_SECOND).max(0.0)
    }
}

impl RoomProbes {
    /// Whether this address may look for a room.
    ///
    /// # Errors
    /// [`Refusal::RateLimited`] while it has looked too often in vain.
    pub fn check(&self, address: IpAddr, now: Instant) -> Result<(), Refusal> {
        let left = self
            .lock()
            .get(&address)
            .map_or(0.0, |tally| tally.left(now));
        let over = left + 1.0 - AT_ONCE;
        if over > 0.0 {
            Err(Refusal::RateLimited(Duration::from_secs_f64(
                over / A_SECOND,
            )))
        } else {
            Ok(())
        }
    }

    /// Counts a look in vain.
    pub fn count(&self, address: IpAddr, now: Instant) {
        let mut all = self.lock();
        if all.len() >= REMEMBERED {
            forget(&mut all, now);
        }
        let tally = all.entry(address).or_insert(Tally {
            count: 0.0,
            at: now,
        });
        *tally = Tally {
            count: tally.left(now) + 1.0,
            at: now,
        };
    }

    // Held for a look and a change, never across an await.
    fn lock(&self) -> MutexGuard<'_, HashMap<IpAddr, Tally>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes room: first what is over, and under an attack from everywhere those who guessed least.
fn forget(all: &mut HashMap<IpAddr, Tally>, now: Instant) {
    let mut least = 0.0;
    while all.len() >= REMEMBERED {
        all.retain(|_, tally| tally.left(now) > least);
        least = least * 2.0 + 1.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(n: u32) -> IpAddr {
        std::net::Ipv4Addr::from_bits(n).into()
    }

    #[test]
    fn one_who_guesses_is_refused_until_it_is_forgotten_and_others_are_not() {
        let (guesses, now) = (RoomProbes::default(), Instant::now());
        for _ in 0..500 {
            assert_eq!(guesses.check(address(1), now), Ok(()));
            guesses.count(address(1), now);
        }
        assert_eq!(
            guesses.check(address(1), now),
            Err(Refusal::RateLimited(Duration::from_millis(200)))
        );
        assert_eq!(guesses.check(address(2), now), Ok(()));
        // Whoever is refused is not counted.
        assert_eq!(
            guesses.check(address(1), now + Duration::from_millis(200)),
            Ok(())
        );
        assert_eq!(
            guesses.check(address(1), now + Duration::from_secs(100)),
            Ok(())
        );
        assert_eq!(
            guesses.lock()[&address(1)].left(now + Duration::from_secs(100)),
            0.0
        );
    }

    #[test]
    fn who_asks_each_second_for_what_is_gone_may_go_on() {
        let (guesses, begin) = (RoomProbes::default(), Instant::now());
        for n in 0..10_000 {
            let now = begin + Duration::from_secs(n);
            assert_eq!(guesses.check(address(1), now), Ok(()), "{n}");
            guesses.count(address(1), now);
        }
    }

    #[test]
    fn memory_is_bounded_and_those_who_guess_most_are_remembered_longest() {
        let (guesses, now) = (RoomProbes::default(), Instant::now());
        for _ in 0..500 {
            guesses.count(address(0), now);
        }
        for n in 1..3 * REMEMBERED as u32 {
            guesses.count(address(n), now);
            assert!(guesses.lock().len() <= REMEMBERED);
        }
        assert!(guesses.check(address(0), now).is_err());
    }
}
