//! Limits how often an address can guess room IDs.
//!
//! # Guarantees
//! An address that has guessed too often is refused before any lookup, so a refusal reveals nothing
//! about a room. Requests for a room that exists, or that was deleted, do not count. Memory is
//! bounded.
//!
//! # Not here
//! What counts as one address, and the log (`limit`).

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use protocol::Refusal;

/// How many failed lookups an address is forgiven each second.
const FORGIVEN_PER_SECOND: f64 = 5.0;

/// How many failed lookups an address can have at once. A class may be behind one address, with a
/// link to a room that does not exist.
const FAILED_MAX: f64 = 500.0;

/// The most addresses that are remembered.
const ADDRESSES_MAX: usize = 10_000;

/// The failed lookups so far, by address.
#[derive(Debug, Default)]
pub(crate) struct RoomProbes(Mutex<HashMap<IpAddr, FailedLookups>>);

#[derive(Clone, Copy, Debug)]
struct FailedLookups {
    /// How many there were at the time `at`.
    count: f64,
    at: Instant,
}

impl FailedLookups {
    /// How many are left now.
    fn count_at(self, now: Instant) -> f64 {
        let forgiven = now.duration_since(self.at).as_secs_f64() * FORGIVEN_PER_SECOND;
        (self.count - forgiven).max(0.0)
    }
}

impl RoomProbes {
    /// Whether this address may look up a room.
    ///
    /// # Errors
    /// [`Refusal::RateLimited`] if it has too many failed lookups.
    pub fn check(&self, address: IpAddr, now: Instant) -> Result<(), Refusal> {
        let count = self
            .lock()
            .get(&address)
            .map_or(0.0, |failed| failed.count_at(now));
        let excess = count + 1.0 - FAILED_MAX;
        if excess > 0.0 {
            let wait = Duration::from_secs_f64(excess / FORGIVEN_PER_SECOND);
            Err(Refusal::RateLimited(wait))
        } else {
            Ok(())
        }
    }

    /// Records a failed lookup.
    pub fn record_failure(&self, address: IpAddr, now: Instant) {
        let mut all = self.lock();
        if all.len() >= ADDRESSES_MAX {
            make_room(&mut all, now);
        }
        let failed = all.entry(address).or_insert(FailedLookups {
            count: 0.0,
            at: now,
        });
        *failed = FailedLookups {
            count: failed.count_at(now) + 1.0,
            at: now,
        };
    }

    // Held for a lookup and a change, never across an await.
    fn lock(&self) -> MutexGuard<'_, HashMap<IpAddr, FailedLookups>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes room for an address: removes those that have no failed lookups left first and then, under
/// an attack from many addresses, those with the fewest.
fn make_room(all: &mut HashMap<IpAddr, FailedLookups>, now: Instant) {
    let mut least = 0.0;
    while all.len() >= ADDRESSES_MAX {
        all.retain(|_, failed| failed.count_at(now) > least);
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
    fn guessing_address_is_refused_for_a_while_and_others_are_not() {
        let probes = RoomProbes::default();
        let now = Instant::now();
        for _ in 0..500 {
            assert_eq!(probes.check(address(1), now), Ok(()));
            probes.record_failure(address(1), now);
        }
        assert_eq!(
            probes.check(address(1), now),
            Err(Refusal::RateLimited(Duration::from_millis(200)))
        );
        assert_eq!(probes.check(address(2), now), Ok(()));
        // A refused request is not recorded.
        let soon = now + Duration::from_millis(200);
        assert_eq!(probes.check(address(1), soon), Ok(()));
        let later = now + Duration::from_secs(100);
        assert_eq!(probes.check(address(1), later), Ok(()));
        assert_eq!(probes.lock()[&address(1)].count_at(later), 0.0);
    }

    #[test]
    fn client_that_polls_a_missing_room_every_second_is_not_refused() {
        let probes = RoomProbes::default();
        let start = Instant::now();
        for n in 0..10_000 {
            let now = start + Duration::from_secs(n);
            assert_eq!(probes.check(address(1), now), Ok(()), "{n}");
            probes.record_failure(address(1), now);
        }
    }

    #[test]
    fn memory_is_bounded_and_addresses_with_the_most_failures_are_remembered_longest() {
        let probes = RoomProbes::default();
        let now = Instant::now();
        for _ in 0..500 {
            probes.record_failure(address(0), now);
        }
        for n in 1..3 * ADDRESSES_MAX as u32 {
            probes.record_failure(address(n), now);
            assert!(probes.lock().len() <= ADDRESSES_MAX);
        }
        assert!(probes.check(address(0), now).is_err());
    }
}
