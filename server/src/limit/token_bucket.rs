//! Token buckets, one for each key.
//!
//! # Guarantees
//! Memory is bounded by the keys of the last [`CLEANUP_AFTER`] requests and by those whose bucket
//! is not full: a full bucket is as good as none, and is removed.

use std::hash::Hash;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

/// After how many requests the full buckets are removed.
const CLEANUP_AFTER: u32 = 10_000;

/// The limit of a bucket.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rate {
    /// How many tokens are added each second.
    pub per_second: u32,
    /// How many tokens a full bucket has.
    pub burst: u32,
}

/// Token buckets of the same rate.
#[derive(Debug)]
pub(crate) struct TokenBuckets<K: Hash + Eq + Clone> {
    limiter: DefaultKeyedRateLimiter<K>,
    burst: NonZeroU32,
    requests: AtomicU32,
}

impl<K: Hash + Eq + Clone> TokenBuckets<K> {
    pub fn new(rate: Rate) -> Self {
        let positive = |number| NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN);
        let quota = Quota::per_second(positive(rate.per_second)).allow_burst(positive(rate.burst));
        Self {
            limiter: RateLimiter::keyed(quota),
            burst: quota.burst_size(),
            requests: AtomicU32::new(0),
        }
    }

    /// Takes a token from the key's bucket.
    ///
    /// # Errors
    /// The time until the bucket has a token.
    pub fn take(&self, key: &K) -> Result<(), Duration> {
        self.take_many(key, NonZeroU32::MIN)
    }

    /// Takes so many tokens from the key's bucket; more than a full bucket has count as those.
    ///
    /// # Errors
    /// The time until the bucket has them.
    pub fn take_many(&self, key: &K, count: NonZeroU32) -> Result<(), Duration> {
        // Requests are counted here because the limiter's own size is slow to compute.
        if self.requests.fetch_add(1, Ordering::Relaxed) % CLEANUP_AFTER == CLEANUP_AFTER - 1 {
            self.limiter.retain_recent();
        }
        match self.limiter.check_key_n(key, count.min(self.burst)) {
            Ok(Ok(())) | Err(_) => Ok(()),
            Ok(Err(until)) => Err(until.wait_time_from(DefaultClock::default().now())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_buckets_are_removed_so_memory_is_bounded() {
        let buckets = TokenBuckets::new(Rate {
            per_second: 1_000_000,
            burst: 1,
        });
        (0..3 * CLEANUP_AFTER).for_each(|key| buckets.take(&key).unwrap());
        assert!(
            buckets.limiter.len() <= CLEANUP_AFTER as usize,
            "{}",
            buckets.limiter.len()
        );
    }
}
