//! The end of a room, always by one path: freeze, archive, erase, say `closed`.
//!
//! Two tasks share it. One freezes rooms the moment they are due and warns followers before; the index over the rooms'
//! ends is its queue, so there is nothing to rebuild after a restart. The other takes frozen rooms to their end. A crash
//! anywhere leaves a row whose state says where to go on: a frozen room is archived again, an archived one is erased on.
//! A room that cannot be archived is opened again and tried later.

use std::sync::Arc;
use std::time::Duration;

use protocol::Time;
use tokio::sync::Notify;

use crate::realtime::hub::Hub;
use crate::store::{Store, rooms};
use crate::{Clock, Error};

/// How long the task sleeps at most: how late it can notice a room that was created with a short lifetime.
const LONGEST_SLEEP: Duration = Duration::from_millis(250);

/// How often deleted rooms are looked through for those to forget.
const FORGET_EVERY: Duration = Duration::from_secs(3_600);

#[derive(Debug)]
pub(crate) struct Expiry {
    pub store: Store,
    pub hub: Hub,
    pub clock: Clock,
    /// Says that there are rooms to take to their end.
    pub frozen: Arc<Notify>,
}

impl Expiry {
    /// Runs until it is dropped; one who waits for rooms to be due, and one who takes them to their end.
    pub async fn run(self) {
        self.watch().await;
    }

    async fn watch(&self) {
        let mut forget_at = self.clock.now();
        loop {
            let now = self.clock.now();
            let next = self.freeze_due(now).await.unwrap_or_else(|error| {
                tracing::error!(%error, "cannot look for rooms that are due");
                None
            });
            let warn = self.hub.warn(now);
            if forget_at <= now {
                forget_at = now.after(FORGET_EVERY);
                if let Err(error) = rooms::delete_expired_tombstones(&self.store, now).await {
                    tracing::error!(%error, "cannot forget rooms that are long gone");
                }
            }
            let due = [next, warn].into_iter().flatten().min();
            self.clock
                .sleep_until(
                    due.unwrap_or(now.after(LONGEST_SLEEP))
                        .min(now.after(LONGEST_SLEEP)),
                )
                .await;
        }
    }

    /// Freezes what is due; returns when the next room is.
    async fn freeze_due(&self, now: Time) -> Result<Option<Time>, Error> {
        match rooms::next_due(&self.store).await? {
            Some(due) if due <= now => {
                if rooms::freeze_due(&self.store, now).await? {
                    self.frozen.notify_one();
                }
                rooms::next_due(&self.store).await
            }
            later => Ok(later),
        }
    }
}

#[cfg(test)]
mod tests {
    use protocol::{NewRoom, Refusal, RoomId, Start};
    use sha2::{Digest, Sha256};

    use super::*;
    use crate::lifecycle::archive;
    use crate::testing::{TestChat, new_guest, new_message};
    use crate::{Chat, FollowEvent};

    const HOUR: Duration = Duration::from_secs(3_600);

    async fn new_test_chat() -> TestChat {
        TestChat::new(|config| config.timeout = HOUR).await
    }

    async fn closed(mut follow: crate::Follower) {
        while !matches!(follow.next().await.unwrap(), FollowEvent::Closed) {}
    }

    async fn refusal(chat: &Chat, room: RoomId) -> Refusal {
        match chat.find_room(&crate::Person::Anonymous, &room).await {
            Err(Error::Refusal(refusal)) => refusal,
            other => panic!("{other:?}"),
        }
    }

    /// Checks an archive the way anybody could, and says how many messages it has.
    fn check_archive(test: &TestChat, room: RoomId) -> u64 {
        let text =
            std::fs::read_to_string(test.config.data_dir.join(format!("archive/{room}.jsonl")))
                .unwrap();
        let body_end = text.trim_end().rfind('\n').unwrap() + 1;
        let trailer: serde_json::Value = serde_json::from_str(&text[body_end..]).unwrap();
        let sha256: String = Sha256::digest(&text[..body_end])
            .iter()
            .map(|b| format!("{b:02x}"))
            .collect();
        assert_eq!(trailer["sha256"], sha256);
        let lines: Vec<serde_json::Value> = text[..body_end]
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(lines[0]["id"], room.to_string());
        assert!(lines[1..].iter().zip(1..).all(|(line, n)| line["id"] == n));
        assert_eq!(trailer["count"], lines.len() - 1);
        trailer["count"].as_u64().unwrap()
    }

    #[tokio::test]
    async fn a_quiet_room_is_warned_archived_and_gone() {
        let test = new_test_chat().await;
        let room = test.create_room().await;
        test.post(room, "hello").await;
        let mut follow = test
            .chat
            .follow_room(&crate::Person::Anonymous, &room, Start::Latest)
            .await
            .unwrap();
        test.config.clock.advance(HOUR * 19 / 20);
        let ends = test
            .chat
            .find_room(&crate::Person::Anonymous, &room)
            .await
            .unwrap()
            .expires_at;
        assert!(matches!(follow.next().await.unwrap(), FollowEvent::Closing(at) if at == ends));
        let mut late = test
            .chat
            .follow_room(&crate::Person::Anonymous, &room, Start::Latest)
            .await
            .unwrap();
        assert!(matches!(late.next().await.unwrap(), FollowEvent::Closing(at) if at == ends));
        test.config.clock.advance(HOUR / 20);
        closed(follow).await;
        closed(late).await;
        assert_eq!(check_archive(&test, room), 1);
        assert_eq!(refusal(&test.chat, room).await, Refusal::Gone);
        assert!(matches!(
            test.chat
                .post_message(&crate::Person::Anonymous, &room, &new_message("late"), None)
                .await,
            Err(Error::Refusal(Refusal::Gone))
        ));
        let rows: i64 = sqlx::query_scalar("select count(*) from message")
            .fetch_one(test.chat.0.store.read())
            .await
            .unwrap();
        assert_eq!(rows, 0);
    }

    #[tokio::test]
    async fn a_message_gives_the_room_its_time_back() {
        let test = new_test_chat().await;
        let room = test.create_room().await;
        let mut follow = test
            .chat
            .follow_room(&crate::Person::Anonymous, &room, Start::Latest)
            .await
            .unwrap();
        test.config.clock.advance(HOUR * 19 / 20);
        assert!(matches!(
            follow.next().await.unwrap(),
            FollowEvent::Closing(_)
        ));
        test.post(room, "still here").await;
        test.config.clock.advance(HOUR * 19 / 20);
        assert!(matches!(
            follow.next().await.unwrap(),
            FollowEvent::Messages(_)
        ));
        assert!(
            matches!(follow.next().await.unwrap(), FollowEvent::Closing(_)),
            "warned of the new end"
        );
        assert_eq!(
            test.chat
                .find_room(&crate::Person::Anonymous, &room)
                .await
                .unwrap()
                .message_count,
            1
        );
    }

    #[tokio::test]
    async fn whoever_listens_is_warned_of_the_end_that_the_owner_has_set() {
        let test = new_test_chat().await;
        let owner = new_guest();
        let room = test
            .chat
            .create_room(&owner, &protocol::NewRoom::default())
            .await
            .unwrap()
            .id;
        let mut follow = test
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
            let mut set = Time::from_millis(0);
            for change in [None, Some(timeout), None] {
                if let Some(timeout) = change {
                    set = set_lifetime(timeout).await;
                }
                test.post(room, "still here").await;
                assert!(
                    matches!(follow.next().await.unwrap(), FollowEvent::Messages(_)),
                    "there is time enough"
                );
            }
            let end = test.chat.find_room(&owner, &room).await.unwrap().expires_at;
            assert!(end >= set);
            test.config
                .clock
                .advance(end.since(test.config.clock.now()) - left);
            assert!(
                matches!(follow.next().await.unwrap(), FollowEvent::Closing(at) if at == end),
                "{timeout}"
            );
        }
        let end = set_lifetime("1h").await;
        test.config
            .clock
            .advance(end.since(test.config.clock.now()) - HOUR / 30);
        assert!(
            matches!(follow.next().await.unwrap(), FollowEvent::Closing(at) if at == end),
            "without a word"
        );
    }

    #[tokio::test]
    async fn a_large_room_is_erased_and_nobody_waits_for_it() {
        let test = new_test_chat().await;
        let room = test.create_room().await;
        let posts = (0..2_500).map(|n| {
            let chat = test.chat.clone();
            async move {
                chat.post_message(
                    &crate::Person::Anonymous,
                    &room,
                    &new_message(&n.to_string()),
                    None,
                )
                .await
                .unwrap()
            }
        });
        futures_util::future::join_all(posts).await;
        let follow = test
            .chat
            .follow_room(&crate::Person::Anonymous, &room, Start::Latest)
            .await
            .unwrap();
        let others = async {
            let mut left = vec![2_500];
            while left.last() > Some(&0) {
                let mut tx = test.chat.0.store.begin().await.unwrap();
                left.push(
                    sqlx::query_scalar("select count(*) from message")
                        .fetch_one(&mut *tx)
                        .await
                        .unwrap(),
                );
            }
            left
        };
        test.config.clock.advance(HOUR);
        let ((), mut left) = tokio::join!(closed(follow), others);
        left.dedup();
        assert_eq!(left, [2_500, 500, 0], "others had their turn in between");
        assert_eq!(check_archive(&test, room), 2_500);
    }

    #[tokio::test]
    async fn a_room_that_expired_while_nobody_served_is_gone_at_once() {
        let mut test = new_test_chat().await;
        let room = test.create_room().await;
        test.chat.close().await;
        test.config.clock.advance(HOUR);
        test.reopen().await;
        assert_eq!(refusal(&test.chat, room).await, Refusal::Gone);
    }

    #[tokio::test]
    async fn a_gone_room_is_forgotten_after_a_day() {
        let test = new_test_chat().await;
        let room = test.create_room().await;
        let follow = test
            .chat
            .follow_room(&crate::Person::Anonymous, &room, Start::Latest)
            .await
            .unwrap();
        test.config.clock.advance(HOUR);
        closed(follow).await;
        test.config.clock.advance(HOUR * 23);
        rooms::delete_expired_tombstones(&test.chat.0.store, test.config.clock.now())
            .await
            .unwrap();
        assert_eq!(refusal(&test.chat, room).await, Refusal::Gone);
        test.config.clock.advance(HOUR * 2);
        rooms::delete_expired_tombstones(&test.chat.0.store, test.config.clock.now())
            .await
            .unwrap();
        assert_eq!(refusal(&test.chat, room).await, Refusal::NotFound("room"));
    }

    #[tokio::test]
    async fn a_room_that_cannot_be_archived_stays() {
        let test = new_test_chat().await;
        // A file stands where the directory of archives would be.
        let place = test.config.data_dir.join("archive");
        std::fs::write(&place, "").unwrap();
        let room = test.create_room().await;
        test.post(room, "precious").await;
        let mut follow = test
            .chat
            .follow_room(&crate::Person::Anonymous, &room, Start::Seq(0))
            .await
            .unwrap();
        let due = test
            .chat
            .find_room(&crate::Person::Anonymous, &room)
            .await
            .unwrap()
            .expires_at;
        test.config.clock.advance(HOUR);
        while !test
            .chat
            .find_room(&crate::Person::Anonymous, &room)
            .await
            .is_ok_and(|room| room.expires_at > due)
        {
            tokio::task::yield_now().await;
        }
        assert!(matches!(
            follow.next().await.unwrap(),
            FollowEvent::Messages(_)
        ));
        std::fs::remove_file(&place).unwrap();
        test.config.clock.advance(HOUR);
        closed(follow).await;
        assert_eq!(check_archive(&test, room), 1);
    }

    #[tokio::test]
    async fn an_end_that_a_crash_interrupted_is_taken_up_again() {
        for (archived, erased) in [
            ("nothing", 0),
            ("a part", 0),
            ("all", 0),
            ("all", 1),
            ("all", 3),
        ] {
            let mut test = new_test_chat().await;
            let room = test.create_room().await;
            for body in ["one", "two", "three"] {
                test.post(room, body).await;
            }
            let (store, archives) = (&test.chat.0.store, test.config.data_dir.join("archive"));
            let stop_at = async |sql: &'static str| {
                let mut tx = store.begin().await.unwrap();
                sqlx::query(sql).execute(&mut *tx).await.unwrap();
                tx.commit().await.unwrap();
            };
            stop_at("update room set state = 1").await;
            let (frozen, _) = rooms::load_ending_rooms(store, 1).await.unwrap().remove(0);
            match archived {
                "nothing" => {}
                "a part" => {
                    std::fs::create_dir(&archives).unwrap();
                    std::fs::write(archives.join(format!("{room}.jsonl.tmp")), "{").unwrap();
                }
                _ => archive::write(store, &archives, frozen).await.unwrap(),
            }
            match erased {
                0 => {}
                1 => stop_at("update room set state = 2").await,
                _ => {
                    stop_at("update room set state = 2").await;
                    stop_at("delete from message where seq < 3").await;
                }
            }
            test.reopen().await;
            assert_eq!(
                refusal(&test.chat, room).await,
                Refusal::Gone,
                "{archived}, {erased}"
            );
            while !rooms::load_ending_rooms(&test.chat.0.store, 1)
                .await
                .unwrap()
                .is_empty()
            {
                tokio::task::yield_now().await;
            }
            assert_eq!(check_archive(&test, room), 3, "{archived}, {erased}");
            assert_eq!(
                std::fs::read_dir(&archives).unwrap().count(),
                1,
                "{archived}, {erased}"
            );
        }
    }

    #[tokio::test]
    async fn a_shorter_life_is_kept_and_a_longer_one_refused() {
        let test = new_test_chat().await;
        let ask = |timeout: &str| NewRoom {
            timeout: Some(timeout.to_owned()),
            ..NewRoom::default()
        };
        let room = test
            .chat
            .create_room(&crate::Person::Anonymous, &ask("30m"))
            .await
            .unwrap();
        assert_eq!(room.expires_at.since(room.created_at), HOUR / 2);
        for refused in ["2h", "0s", "-5m", "soon", "60"] {
            let answer = test
                .chat
                .create_room(&crate::Person::Anonymous, &ask(refused))
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
    async fn another_timeout_after_a_restart_holds_for_older_rooms() {
        let mut test = new_test_chat().await;
        let owner = new_guest();
        let create = async |wish: NewRoom| test.chat.create_room(&owner, &wish).await.unwrap().id;
        let usual = create(NewRoom::default()).await;
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
                (usual, expected),
                (private, expected),
                (short, expected_short),
            ] {
                let room = test.chat.find_room(&owner, &id).await.unwrap();
                assert_eq!(room.expires_at.since(room.last_active_at), expected);
            }
        }
    }
}
