//! Tests of the whole end of a room, also after a crash.

use std::time::Duration;

use protocol::{NewRoom, Refusal, RoomEnd, RoomId, Start};
use sha2::{Digest, Sha256};
use texts::refusal;

use super::archive;
use crate::store::rooms;
use crate::store::sql::{query, query_as};
use crate::testing::{TestChat, new_guest, new_message};
use crate::{Chat, Error, FollowEvent, Follower, Person};

const HOUR: Duration = Duration::from_secs(3_600);

async fn new_test_chat() -> TestChat {
    TestChat::new(|config| config.timeout = HOUR).await
}

async fn wait_until_closed(mut follower: Follower) {
    while !matches!(follower.next().await.unwrap(), FollowEvent::Closed(_)) {}
}

async fn find_refusal(chat: &Chat, room: RoomId) -> Refusal {
    refusal(chat.find_room(&Person::Anonymous, &room).await)
}

fn refusal<T>(answer: Result<T, Error>) -> Refusal {
    match answer.err() {
        Some(Error::Refusal(refusal)) => refusal,
        other => panic!("{other:?}"),
    }
}

/// Checks the digest and the lines of an archive. Returns how many messages it has.
fn check_archive(test: &TestChat, room: RoomId) -> u64 {
    let text = std::fs::read_to_string(test.config.data_dir.join(format!("archive/{room}.jsonl")))
        .unwrap();
    let body_end = text.trim_end().rfind('\n').unwrap() + 1;
    let trailer: serde_json::Value = serde_json::from_str(&text[body_end..]).unwrap();
    let sha256 = protocol::hexadecimal(&Sha256::digest(&text[..body_end]));
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
async fn inactive_room_is_warned_archived_and_gone() {
    let test = new_test_chat().await;
    let room = test.create_room().await;
    test.post(room, "hello").await;
    let mut follower = test
        .chat
        .follow_room(&Person::Anonymous, &room, Start::Latest)
        .await
        .unwrap();
    test.config.clock.advance(HOUR * 19 / 20);
    let end = test
        .chat
        .find_room(&Person::Anonymous, &room)
        .await
        .unwrap()
        .expires_at;
    assert!(matches!(follower.next().await.unwrap(), FollowEvent::Closing(at) if at == end));
    let mut late = test
        .chat
        .follow_room(&Person::Anonymous, &room, Start::Latest)
        .await
        .unwrap();
    assert!(matches!(late.next().await.unwrap(), FollowEvent::Closing(at) if at == end));
    test.config.clock.advance(HOUR / 20);
    wait_until_closed(follower).await;
    wait_until_closed(late).await;
    assert_eq!(check_archive(&test, room), 1);
    assert_eq!(
        find_refusal(&test.chat, room).await,
        Refusal::Gone(RoomEnd::Inactive)
    );
    assert!(matches!(
        test.chat
            .post_message(&Person::Anonymous, &room, &new_message("late"), None)
            .await,
        Err(Error::Refusal(Refusal::Gone(RoomEnd::Inactive)))
    ));
    let rows: i64 = query_as("select count(*) from message")
        .fetch_one(test.chat.0.store.read())
        .await
        .unwrap();
    assert_eq!(rows, 0);
}

#[tokio::test]
async fn erasure_of_a_large_room_lets_other_writes_through() {
    let test = new_test_chat().await;
    let room = test.create_room().await;
    let posts = (0..2_500).map(|n| {
        let chat = test.chat.clone();
        async move {
            chat.post_message(
                &Person::Anonymous,
                &room,
                &new_message(&n.to_string()),
                None,
            )
            .await
            .unwrap()
        }
    });
    futures_util::future::join_all(posts).await;
    let follower = test
        .chat
        .follow_room(&Person::Anonymous, &room, Start::Latest)
        .await
        .unwrap();
    let others = async {
        let mut left = vec![2_500];
        while left.last() > Some(&0) {
            let mut tx = test.chat.0.store.begin().await.unwrap();
            left.push(
                query_as("select count(*) from message")
                    .fetch_one(tx.connection())
                    .await
                    .unwrap(),
            );
        }
        left
    };
    test.config.clock.advance(HOUR);
    let ((), mut left) = tokio::join!(wait_until_closed(follower), others);
    left.dedup();
    assert_eq!(left, [2_500, 500, 0], "other transactions ran in between");
    assert_eq!(check_archive(&test, room), 2_500);
}

#[tokio::test]
async fn room_that_expired_without_a_server_is_gone_at_the_next_start() {
    let mut test = new_test_chat().await;
    let room = test.create_room().await;
    test.chat.close().await;
    test.config.clock.advance(HOUR);
    test.reopen().await;
    assert_eq!(
        find_refusal(&test.chat, room).await,
        Refusal::Gone(RoomEnd::Inactive)
    );
}

#[tokio::test]
async fn gone_room_is_not_found_after_a_day() {
    let test = new_test_chat().await;
    let room = test.create_room().await;
    let follower = test
        .chat
        .follow_room(&Person::Anonymous, &room, Start::Latest)
        .await
        .unwrap();
    test.config.clock.advance(HOUR);
    wait_until_closed(follower).await;
    test.config.clock.advance(HOUR * 23);
    rooms::delete_expired_tombstones(&test.chat.0.store, test.config.clock.now())
        .await
        .unwrap();
    assert_eq!(
        find_refusal(&test.chat, room).await,
        Refusal::Gone(RoomEnd::Inactive)
    );
    test.config.clock.advance(HOUR * 2);
    rooms::delete_expired_tombstones(&test.chat.0.store, test.config.clock.now())
        .await
        .unwrap();
    assert_eq!(
        find_refusal(&test.chat, room).await,
        Refusal::NotFound(refusal::NO_ROOM)
    );
}

#[tokio::test]
async fn ended_private_room_is_gone_for_its_members_and_unknown_to_others() {
    let test = new_test_chat().await;
    let chat = &test.chat;
    let [owner, stranger] = [new_guest(), new_guest()];
    let wish = NewRoom {
        private: Some(true),
        ..NewRoom::default()
    };
    let room = chat.create_room(&owner, &wish).await.unwrap().id;
    let follower = chat
        .follow_room(&owner, &room, Start::Latest)
        .await
        .unwrap();
    let answers = async || {
        let mut answers = Vec::new();
        for by in [&owner, &stranger, &Person::Anonymous] {
            let message = new_message("late");
            let posted = chat.post_message(by, &room, &message, None).await;
            let found = chat.find_room(by, &room).await;
            answers.push((refusal(found), refusal(posted)));
        }
        answers
    };
    let pair = |refusal: Refusal| (refusal.clone(), refusal);
    let unknown = pair(Refusal::NotFound(refusal::NO_ROOM));
    let expected = [
        pair(Refusal::Gone(RoomEnd::ClosedByOwner)),
        unknown.clone(),
        unknown,
    ];
    chat.close_room(&owner, &room).await.unwrap();
    assert_eq!(answers().await, expected, "while it ends");
    wait_until_closed(follower).await;
    assert_eq!(answers().await, expected);
}

#[tokio::test]
async fn room_that_cannot_be_archived_is_kept() {
    let test = new_test_chat().await;
    // A file has the name of the directory of archives.
    let path = test.config.data_dir.join("archive");
    std::fs::write(&path, "").unwrap();
    let room = test.create_room().await;
    test.post(room, "precious").await;
    let mut follower = test
        .chat
        .follow_room(&Person::Anonymous, &room, Start::Seq(0))
        .await
        .unwrap();
    let due = test
        .chat
        .find_room(&Person::Anonymous, &room)
        .await
        .unwrap()
        .expires_at;
    test.config.clock.advance(HOUR);
    while !test
        .chat
        .find_room(&Person::Anonymous, &room)
        .await
        .is_ok_and(|room| room.expires_at > due)
    {
        tokio::task::yield_now().await;
    }
    assert!(matches!(
        follower.next().await.unwrap(),
        FollowEvent::Messages(_)
    ));
    std::fs::remove_file(&path).unwrap();
    test.config.clock.advance(HOUR);
    wait_until_closed(follower).await;
    assert_eq!(check_archive(&test, room), 1);
}

#[tokio::test]
async fn closed_room_that_was_reopened_ends_as_any_other() {
    let test = new_test_chat().await;
    let path = test.config.data_dir.join("archive");
    std::fs::write(&path, "").unwrap();
    let owner = new_guest();
    let wish = NewRoom::default();
    let room = test.chat.create_room(&owner, &wish).await.unwrap().id;
    test.chat.close_room(&owner, &room).await.unwrap();
    while test.chat.find_room(&owner, &room).await.is_err() {
        tokio::task::yield_now().await;
    }
    let mut follower = test
        .chat
        .follow_room(&owner, &room, Start::Latest)
        .await
        .unwrap();
    std::fs::remove_file(&path).unwrap();
    test.config.clock.advance(HOUR);
    let end = loop {
        if let FollowEvent::Closed(end) = follower.next().await.unwrap() {
            break end;
        }
    };
    assert_eq!(end, RoomEnd::Inactive);
    assert_eq!(find_refusal(&test.chat, room).await, Refusal::Gone(end));
}

#[tokio::test]
async fn end_of_a_room_continues_after_a_crash_at_any_step() {
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
        let store = &test.chat.0.store;
        let archives = test.config.data_dir.join("archive");
        let execute = async |sql: &'static str| {
            let mut tx = store.begin().await.unwrap();
            query(sql).execute(tx.connection()).await.unwrap();
            tx.commit().await.unwrap();
        };
        execute("update room set state = 1").await;
        let frozen = rooms::load_ending_rooms(store, 1).await.unwrap().remove(0);
        match archived {
            "nothing" => {}
            "a part" => {
                std::fs::create_dir(&archives).unwrap();
                std::fs::write(archives.join(format!("{room}.jsonl.tmp")), "{").unwrap();
            }
            _ => {
                let files = test.chat.0.files.store();
                let written = archive::write(store, files, &archives, frozen.row);
                written.await.unwrap();
            }
        }
        match erased {
            0 => {}
            1 => execute("update room set state = 2").await,
            _ => {
                execute("update room set state = 2").await;
                execute("delete from message where (key & 4294967295) < 3").await;
            }
        }
        test.reopen().await;
        assert_eq!(
            find_refusal(&test.chat, room).await,
            Refusal::Gone(RoomEnd::Inactive),
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
