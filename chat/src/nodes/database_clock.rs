//! The time of the database, which all nodes follow: one whose own clock is wrong neither ends rooms
//! early nor sends messages from the future.

use std::time::Duration;

use crate::clock::Moment;
use crate::retries::Retries;
use crate::store::NodeStore;
use crate::{Clock, Error};

/// How often the time is read. A machine's clock gains or loses less than a millisecond meanwhile.
const INTERVAL: Duration = Duration::from_secs(10);

/// How long the database may take to tell its time, so that the answer is of use.
const DELAY_MAX: Duration = Duration::from_secs(1);

/// The least change of the time that is logged, in milliseconds.
const LOGGED_CHANGE: i64 = 1_000;

/// How often a slow database is asked at the start.
const ATTEMPTS: usize = 10;

/// Sets the clock to the time of the database, before anything is done by it.
pub(crate) async fn set_clock(store: &NodeStore, clock: &Clock) -> Result<(), Error> {
    for _ in 0..ATTEMPTS {
        if let Some(change) = read_time(store, clock).await? {
            if change.abs() >= LOGGED_CHANGE {
                let seconds = change / 1_000;
                tracing::warn!(
                    seconds,
                    "the clock of this machine differs from the database's, which counts"
                );
            }
            return Ok(());
        }
    }
    Err(Error::fault("the database answers too slowly"))
}

/// Follows the time of the database, until it is dropped.
pub(crate) async fn follow(store: NodeStore, clock: Clock) {
    let mut retries = Retries::of("read the time of the database");
    loop {
        tokio::time::sleep(INTERVAL).await;
        let read = read_time(&store, &clock).await;
        if let Some(Some(change)) = retries.note(read)
            && change.abs() >= LOGGED_CHANGE
        {
            let seconds = change / 1_000;
            tracing::warn!(seconds, "the clock of the database was corrected");
        }
    }
}

/// Sets the clock. Returns by how many milliseconds, or `None` if the answer came too late.
async fn read_time(store: &NodeStore, clock: &Clock) -> Result<Option<i64>, Error> {
    let asked = Moment::now();
    let time = store.time().await?;
    let (at, delay) = asked.between(Moment::now());
    Ok((delay <= DELAY_MAX).then(|| clock.follow_database(time, at)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Person;
    use crate::testing::TestChat;

    const HOUR: i64 = 3_600_000;

    #[tokio::test]
    async fn node_with_a_wrong_clock_shows_the_time_of_the_others_and_ends_no_room_early() {
        let right = TestChat::new(|config| config.archive = false).await;
        let Some(database) = right.config.database.clone() else {
            return;
        };
        let room = right.create_room().await;
        let lifetime = right.config.timeout;
        for wrong_by in [2 * HOUR, -2 * HOUR] {
            let wrong = TestChat::new(|config| {
                config.database = Some(database.clone());
                config.archive = false;
                config.clock.correct_wall_time(wrong_by);
            })
            .await;
            let before = right.chat.now();
            let sent = wrong.post(room, "from the wrong clock").await.sent_at;
            assert!(sent.millis().abs_diff(before.millis()) < 60_000);
            wrong.chat.close().await;
            let found = right.chat.find_room(&Person::Anonymous, &room).await;
            let left = found.unwrap().expires_at.since(before);
            assert!(left.abs_diff(lifetime) < Duration::from_secs(60));
        }
    }
}
