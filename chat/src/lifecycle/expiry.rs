//! Expiry: freezes the rooms that are due, and warns their followers before.
//!
//! # Guarantees
//! - The queue is the index over the due times of the rooms, so nothing is rebuilt after a restart.
//! - A room ends after its timeout has really passed, however the machine's clock is corrected.
//!
//! # Not here
//! - What happens to a frozen room: `eraser`.

use std::time::Duration;

use protocol::Time;

use crate::events::DomainEvent;
use crate::retries::Retries;
use crate::store::{Store, clock_correction, rooms};
use crate::{Clock, Error, Listeners};

/// The longest single sleep, and so the longest delay until the task notices a new room with a
/// short timeout.
const LONGEST_SLEEP: Duration = Duration::from_millis(250);

/// The time between two deletions of expired tombstones.
const TOMBSTONE_CLEANUP_INTERVAL: Duration = Duration::from_secs(3_600);

/// The smallest change of the correction of the machine's clock that is stored, in milliseconds.
const LEAST_CORRECTION: u64 = 1_000;

/// The task that freezes rooms and warns of their end.
#[derive(Clone, Debug)]
pub(crate) struct Expiry {
    pub store: Store,
    pub listeners: Listeners,
    pub clock: Clock,
}

impl Expiry {
    /// Runs until it is dropped.
    pub async fn run(self) {
        let mut next_cleanup = self.clock.now();
        let mut correction = 0;
        let mut correction_retries = Retries::of("store the correction of the clock");
        let mut retries = Retries::of("freeze the rooms that are due");
        loop {
            correction_retries.note(self.save_correction(&mut correction).await);
            let now = self.clock.now();
            let frozen = self.freeze_due_rooms(now).await;
            let next_due = retries.note(frozen).flatten();
            let next_warning = self.listeners.hub.warn_of_expiry(now);
            if next_cleanup <= now {
                next_cleanup = now.after(TOMBSTONE_CLEANUP_INTERVAL);
                self.delete_expired_tombstones(now).await;
            }
            let latest = now.after(LONGEST_SLEEP);
            let next = [next_due, next_warning].into_iter().flatten().min();
            let wake_at = next.map_or(latest, |next| next.min(latest));
            self.clock.sleep_until(wake_at).await;
        }
    }

    /// Stores the correction of the machine's clock if it has changed since it was `saved`.
    async fn save_correction(&self, saved: &mut i64) -> Result<(), Error> {
        let correction = self.clock.correction();
        if correction.abs_diff(*saved) < LEAST_CORRECTION {
            return Ok(());
        }
        clock_correction::save(&self.store, correction).await?;
        let seconds = correction / 1_000;
        tracing::warn!(
            seconds,
            "the machine's clock was corrected; deadlines count the time that has passed"
        );
        *saved = correction;
        Ok(())
    }

    /// Freezes the rooms that are due. Returns when the next room is due.
    async fn freeze_due_rooms(&self, now: Time) -> Result<Option<Time>, Error> {
        match rooms::next_due(&self.store).await? {
            Some(due) if due <= now => {
                let mut tx = self.store.begin().await?;
                let has_frozen = rooms::freeze_due(&mut tx, now).await?;
                let events = has_frozen.then_some(DomainEvent::RoomsFrozen);
                self.listeners.commit(tx, events).await?;
                rooms::next_due(&self.store).await
            }
            later => Ok(later),
        }
    }

    async fn delete_expired_tombstones(&self, now: Time) {
        if let Err(error) = rooms::delete_expired_tombstones(&self.store, now).await {
            tracing::error!(%error, "cannot delete the expired tombstones of rooms");
        }
    }
}

#[cfg(test)]
mod tests {
    use protocol::{NewRoom, Refusal, Start};

    use super::*;
    use crate::store::meta;
    use crate::testing::{TestChat, new_guest};
    use crate::{FollowEvent, Person};

    const HOUR: Duration = Duration::from_secs(3_600);

    async fn new_test_chat() -> TestChat {
        TestChat::new(|config| config.timeout = HOUR).await
    }

    #[tokio::test]
    async fn message_restarts_the_timeout_of_its_room() {
        let test = new_test_chat().await;
        let room = test.create_room().await;
        let mut follower = test
            .chat
            .follow_room(&Person::Anonymous, &room, Start::Latest)
            .await
            .unwrap();
        test.config.clock.advance(HOUR * 19 / 20);
        assert!(matches!(
            follower.next().await.unwrap(),
            FollowEvent::Closing(_)
        ));
        test.post(room, "still here").await;
        test.config.clock.advance(HOUR * 19 / 20);
        assert!(matches!(
            follower.next().await.unwrap(),
            FollowEvent::Messages(_)
        ));
        assert!(
            matches!(follower.next().await.unwrap(), FollowEvent::Closing(_)),
            "there is a warning of the new end"
        );
        assert_eq!(
            test.chat
                .find_room(&Person::Anonymous, &room)
                .await
                .unwrap()
                .message_count,
            1
        );
    }

    #[tokio::test]
    async fn room_survives_a_jump_of_the_machine_by_two_days_and_ends_after_its_timeout() {
        const TWO_DAYS: i64 = 2 * 86_400_000;
        for jump in [TWO_DAYS, -TWO_DAYS] {
            let test = TestChat::in_file(|config| config.timeout = HOUR).await;
            let room = test.create_room().await;
            let mut follower = test
                .chat
                .follow_room(&Person::Anonymous, &room, Start::Latest)
                .await
                .unwrap();
            test.config.clock.correct_wall_time(jump);
            test.post(room, "during the jump").await;
            wait_for_correction(&test, jump).await;
            test.post(room, "still here").await;
            test.config.clock.correct_wall_time(-jump);
            wait_for_correction(&test, 0).await;
            test.config.clock.advance(HOUR - Duration::from_secs(30));
            test.post(room, "the last one").await;
            test.config.clock.advance(HOUR);
            while !matches!(follower.next().await.unwrap(), FollowEvent::Closed(_)) {}
        }
    }

    /// Waits until about this correction is stored.
    async fn wait_for_correction(test: &TestChat, expected: i64) {
        loop {
            let stored = meta::load(&test.chat.0.store, clock_correction::NAME).await;
            if stored
                .unwrap()
                .is_some_and(|stored| stored.abs_diff(expected) < 5_000)
            {
                return;
            }
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn lasting_correction_of_the_machine_moves_the_rooms_at_the_next_start() {
        const DAY: i64 = 86_400_000;
        let mut test = TestChat::in_file(|config| config.timeout = HOUR).await;
        test.config.clock.correct_wall_time(DAY);
        let room = test.create_room().await;
        wait_for_correction(&test, DAY).await;
        test.chat.close().await;
        // The next process reads the corrected clock.
        test.config.clock = Clock::default();
        test.config
            .clock
            .advance(Duration::from_millis(DAY.unsigned_abs()));
        for _ in 0..2 {
            test.reopen().await;
            let found = test
                .chat
                .find_room(&Person::Anonymous, &room)
                .await
                .unwrap();
            let left = found.expires_at.since(test.config.clock.now());
            assert!(
                left > HOUR - Duration::from_secs(30) && left <= HOUR,
                "{left:?}"
            );
        }
    }

    #[tokio::test]
    async fn followers_are_warned_of_the_end_that_the_owner_has_set() {
        let test = new_test_chat().await;
        let owner = new_guest();
        let room = test
            .chat
            .create_room(&owner, &protocol::NewRoom::default())
            .await
            .unwrap()
            .id;
        let mut follower = test
            .chat
            .follow_room(&owner, &room, Start::Latest)
            .await
            .unwrap();
        let set_lifetime = async |timeout: &str| {
            let change = protocol::RoomChange {
                timeout: Some(timeout.to_owned()),
                ..Default::default()
            };
            test.chat
                .change_room_settings(&owner, &room, &change)
                .await
                .unwrap()
                .expires_at
        };
        for (timeout, left) in [
            ("2m", Duration::from_secs(2)),
            ("1h", Duration::from_secs(60)),
            ("2m", Duration::from_secs(2)),
        ] {
            let mut expected = Time::from_millis(0);
            for change in [None, Some(timeout), None] {
                if let Some(timeout) = change {
                    expected = set_lifetime(timeout).await;
                }
                test.post(room, "still here").await;
                assert!(
                    matches!(follower.next().await.unwrap(), FollowEvent::Messages(_)),
                    "there is no warning yet"
                );
            }
            let end = test.chat.find_room(&owner, &room).await.unwrap().expires_at;
            assert!(end >= expected);
            test.config
                .clock
                .advance(end.since(test.config.clock.now()) - left);
            assert!(
                matches!(follower.next().await.unwrap(), FollowEvent::Closing(at) if at == end),
                "{timeout}"
            );
        }
        let end = set_lifetime("1h").await;
        test.config
            .clock
            .advance(end.since(test.config.clock.now()) - HOUR / 30);
        assert!(
            matches!(follower.next().await.unwrap(), FollowEvent::Closing(at) if at == end),
            "the change alone moves the warning"
        );
    }

    #[tokio::test]
    async fn shorter_timeout_is_accepted_and_a_longer_one_refused() {
        let test = new_test_chat().await;
        let wish = |timeout: &str| NewRoom {
            timeout: Some(timeout.to_owned()),
            ..NewRoom::default()
        };
        let room = test
            .chat
            .create_room(&Person::Anonymous, &wish("30m"))
            .await
            .unwrap();
        assert_eq!(room.expires_at.since(room.created_at), HOUR / 2);
        for refused in ["2h", "0s", "-5m", "soon", "60"] {
            let answer = test
                .chat
                .create_room(&Person::Anonymous, &wish(refused))
                .await;
            assert!(
                matches!(
                    answer,
                    Err(Error::Refusal(Refusal::Invalid {
                        field: "timeout",
                        ..
                    }))
                ),
                "{refused}"
            );
        }
    }

    #[tokio::test]
    async fn changed_timeout_applies_to_older_rooms_after_a_restart() {
        let mut test = new_test_chat().await;
        let owner = new_guest();
        let create = async |wish: NewRoom| test.chat.create_room(&owner, &wish).await.unwrap().id;
        let default = create(NewRoom::default()).await;
        let private = create(NewRoom {
            private: Some(true),
            ..NewRoom::default()
        })
        .await;
        let short = create(NewRoom {
            timeout: Some("10m".to_owned()),
            ..NewRoom::default()
        })
        .await;
        for (timeout, expected, expected_short) in [
            (HOUR / 4, HOUR / 4, HOUR / 6),
            (HOUR / 12, HOUR / 12, HOUR / 12),
            (HOUR, HOUR, HOUR / 6),
        ] {
            test.config.timeout = timeout;
            test.reopen().await;
            for (id, expected) in [
                (default, expected),
                (private, expected),
                (short, expected_short),
            ] {
                let room = test.chat.find_room(&owner, &id).await.unwrap();
                assert_eq!(room.expires_at.since(room.last_active_at), expected);
            }
        }
    }
}
