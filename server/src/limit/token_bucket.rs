//! Token buckets, one for each key.
//!
//! # Guarantees
//! Memory is bounded: a key whose bucket is full again is forgotten.

use std::hash::Hash;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

/// So many a second, and so many at once after a pause.
pub(crate) type Rate = (u32, u32);

/// After how many looks those that have been quiet are forgotten.
const LOOKS: u32 = 10_000;

#[derive(Debug)]
pub(crate) struct Bucket<K: Hash + Eq + Clone> {
    limiter: DefaultKeyedRateLimiter<K>,
    looks: AtomicU32,
}

impl<K: Hash + Eq + Clone> Bucket<K> {
    pub fn new((a_second, at_once): Rate) -> Self {
        let positive = |number| NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN);
        let quota = Quota::per_second(positive(a_second)).allow_burst(positive(at_once));
        Self {
            limiter: RateLimiter::keyed(quota),
            looks: AtomicU32::new(0),
        }
    }

    /// Takes one out, or says how long to wait for it.
    pub fn take(&self, key: &K) -> Result<(), Duration> {
        // A count of its own, because asking for the size would touch all of it each time.
        if self.looks.fetch_add(1, Ordering::Relaxed) % LOOKS == LOOKS - 1 {
            self.limiter.retain_recent();
        }
        self.limiter
            .check_key(key)
            .map_err(|until| until.wait_time_from(DefaultClock::default().now()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_that_have_been_quiet_are_forgotten() {
        let bucket = Bucket::new((1_000_000, 1));
        (0..3 * LOOKS).for_each(|key| bucket.take(&key).unwrap());
        assert!(
            bucket.limiter.len() <= LOOKS as usize,
            "{}",
            bucket.limiter.len()
        );
    }
}
