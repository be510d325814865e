//! Attempts to guess a secret, counted on all nodes together.
//!
//! # Guarantees
//! - Attempts of the same subject on any nodes are counted one after the other, and their times are
//!   compared by the clock of the database.
//! - At most [`SUBJECTS_MAX`] subjects stay, for an hour.

use std::time::Duration;

use sqlx::PgPool;
use tokio::time::MissedTickBehavior;

use super::pool::PostgresPools;
use crate::Error;
use crate::retries::Retries;

/// The most subjects that stay when old ones are removed.
const SUBJECTS_MAX: i64 = 100_000;

/// The time between two removals of old subjects.
const INTERVAL: Duration = Duration::from_secs(60);

/// The same after one that has failed.
const RETRY: Duration = Duration::from_secs(5);

/// The wait after the last attempt: none for the free ones, then 1 s, 2 s, 4 s, and so on.
macro_rules! wait {
    () => {
        "case when known.count < $2 then interval '0'
              else make_interval(secs => least(2 ^ least(known.count - $2, 20), $3)) end"
    };
}

impl PostgresPools {
    /// Counts an attempt, unless it has to wait: then it returns for how long. After the `free`
    /// attempts, the wait doubles with each attempt, up to the `longest`.
    pub async fn record_attempt(
        &self,
        subject: i64,
        free: u32,
        longest: Duration,
    ) -> Result<Option<Duration>, Error> {
        // A time that is to come was written before the clock was set back.
        let sql = concat!(
            "insert into attempt as known (subject, count, last_at) values ($1, 1, clock_timestamp())
             on conflict (subject) do update set
                 count = case when known.last_at > clock_timestamp() - interval '1 hour'
                              then known.count + 1 else 1 end,
                 last_at = clock_timestamp()
             where clock_timestamp() >= known.last_at + ",
            wait!(),
            " or known.last_at > clock_timestamp() + interval '1 minute'"
        );
        let counted = sqlx::query(sql)
            .bind(subject)
            .bind(i64::from(free))
            .bind(longest.as_secs_f64())
            .execute(&self.read)
            .await?;
        if counted.rows_affected() > 0 {
            return Ok(None);
        }
        let sql = concat!(
            "select ceil(1000 * extract(epoch from known.last_at + ",
            wait!(),
            " - clock_timestamp()))::bigint from attempt as known where subject = $1"
        );
        let rest: Option<i64> = sqlx::query_scalar(sql)
            .bind(subject)
            .bind(i64::from(free))
            .bind(longest.as_secs_f64())
            .fetch_optional(&self.read)
            .await?;
        let rest = u64::try_from(rest.unwrap_or_default()).unwrap_or_default();
        // The wait may have ended between the two statements.
        Ok(Some(Duration::from_millis(rest.max(1))))
    }

    /// Removes one attempt of a subject.
    pub async fn remove_attempt(&self, subject: i64) -> Result<(), Error> {
        sqlx::query("update attempt set count = count - 1 where subject = $1 and count > 0")
            .bind(subject)
            .execute(&self.read)
            .await?;
        Ok(())
    }

    /// Removes all attempts of a subject.
    pub async fn forget_attempts(&self, subject: i64) -> Result<(), Error> {
        sqlx::query("delete from attempt where subject = $1")
            .bind(subject)
            .execute(&self.read)
            .await?;
        Ok(())
    }

    /// Removes old subjects from time to time, until it is dropped.
    pub async fn forget_old_attempts(&self) {
        let mut interval = tokio::time::interval(INTERVAL);
        interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut retries = Retries::of("remove old attempts");
        loop {
            interval.tick().await;
            let removed = remove_old(self.write(), SUBJECTS_MAX).await;
            if retries.note(removed).is_none() {
                interval.reset_after(RETRY);
            }
        }
    }
}

/// Removes the old subjects and then, under an attack from many addresses, those with the fewest
/// attempts.
async fn remove_old(write: &PgPool, most: i64) -> sqlx::Result<()> {
    sqlx::query("delete from attempt where last_at < clock_timestamp() - interval '1 hour'")
        .execute(write)
        .await?;
    let sql = "delete from attempt where subject in (
                   select subject from attempt order by count, last_at
                   limit greatest((select count(*) from attempt) - $1, 0)
               )";
    sqlx::query(sql).bind(most).execute(write).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::TestChat;

    const LONGEST: Duration = Duration::from_secs(60);

    /// Sets the clock back, as far as the attempts of a subject are concerned.
    async fn pass(pools: &PostgresPools, subject: i64, milliseconds: i64) {
        let sql = "update attempt set last_at = last_at - make_interval(secs => $2 / 1000.0)
                   where subject = $1";
        let passed = sqlx::query(sql).bind(subject).bind(milliseconds);
        passed.execute(pools.write()).await.unwrap();
    }

    #[tokio::test]
    async fn wait_doubles_up_to_the_longest_and_is_forgotten_after_an_hour() {
        let test = TestChat::new(|_| {}).await;
        let Some(pools) = test.chat.0.store.node_store() else {
            return;
        };
        let record = async |subject| pools.record_attempt(subject, 3, LONGEST).await.unwrap();
        for wait in [0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60] {
            if wait > 0 {
                let rest = record(1).await.unwrap();
                let whole = Duration::from_secs(wait);
                assert!(rest <= whole && rest * 2 > whole, "{rest:?} of {whole:?}");
                pass(&pools, 1, i64::try_from(wait).unwrap() * 1_000).await;
            }
            assert_eq!(record(1).await, None, "{wait}");
        }
        assert_eq!(record(2).await, None);
        pass(&pools, 1, 3_600_000).await;
        for _ in 0..3 {
            assert_eq!(record(1).await, None);
        }
        assert!(record(1).await.is_some());
        pools.remove_attempt(1).await.unwrap();
        assert_eq!(record(1).await, None);
        pools.forget_attempts(1).await.unwrap();
        assert_eq!(record(1).await, None);
        // The clock of the database was set back by a day.
        pass(&pools, 1, -86_400_000).await;
        assert_eq!(record(1).await, None);
    }

    #[tokio::test]
    async fn attempts_at_the_same_time_count_one_after_the_other() {
        let test = TestChat::new(|_| {}).await;
        let Some(pools) = test.chat.0.store.node_store() else {
            return;
        };
        let all = (0..50).map(|_| pools.record_attempt(1, 3, LONGEST));
        let all = futures_util::future::join_all(all).await;
        let admitted = all.iter().filter(|rest| rest.as_ref().unwrap().is_none());
        assert_eq!(admitted.count(), 3);
    }

    #[tokio::test]
    async fn subjects_are_bounded_and_those_with_the_most_attempts_stay() {
        let test = TestChat::new(|_| {}).await;
        let Some(pools) = test.chat.0.store.node_store() else {
            return;
        };
        for subject in [1, 1, 2, 3, 4, 4] {
            pools.record_attempt(subject, 3, LONGEST).await.unwrap();
        }
        pass(&pools, 4, 3_600_001).await;
        remove_old(pools.write(), 2).await.unwrap();
        let left: Vec<i64> = sqlx::query_scalar("select subject from attempt order by subject")
            .fetch_all(pools.write())
            .await
            .unwrap();
        assert_eq!(left, [1, 3]);
    }
}
