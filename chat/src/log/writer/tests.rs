//! Tests of sequence numbers, idempotency keys and batches.

use futures_util::future::join_all;
use protocol::{Message, Refusal, RoomId};
use texts::refusal;

use super::*;
use crate::FollowEvent;
use crate::IdempotencyKey;
use crate::identity::person::Person;
use crate::store::MessagesPage;
use crate::store::sql::query;
use crate::testing::{TestChat, new_guest, new_message};

#[tokio::test]
async fn sequence_numbers_of_concurrent_posts_have_no_gaps() {
    let test = TestChat::new(|_| {}).await;
    let rooms = [test.create_room().await, test.create_room().await];
    let posts = (0..400).map(|n| {
        let chat = test.chat.clone();
        let room = rooms[n % 2];
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
    let answers = join_all(posts).await;
    for room in rooms {
        let page = test
            .chat
            .list_messages(
                &Person::Anonymous,
                &room,
                MessagesPage {
                    limit: 1_000,
                    ..MessagesPage::default()
                },
            )
            .await
            .unwrap();
        assert!(page.iter().map(|m| m.id).eq(1..=200));
        let mut own: Vec<Message> = answers.iter().filter(|m| m.room == room).cloned().collect();
        own.sort_by_key(|m| m.id);
        assert_eq!(own, page);
    }
}

#[tokio::test]
async fn repeated_idempotency_key_returns_the_first_message() {
    let mut test = TestChat::new(|_| {}).await;
    let room = test.create_room().await;
    let other = test.create_room().await;
    // Some of these posts share a batch.
    let posts = (0..50).map(|_| post_with_key(&test, room, "hello"));
    let answers = join_all(posts).await;
    let first = answers[0].as_ref().unwrap();
    assert!(
        answers
            .iter()
            .all(|answer| answer.as_ref().unwrap() == first)
    );
    test.reopen().await;
    let again = post_with_key(&test, room, "hello").await.unwrap();
    assert_eq!(again, *first);
    assert_eq!(test.post(room, "next").await.id, 2);
    let elsewhere = post_with_key(&test, other, "elsewhere").await.unwrap();
    assert_eq!(elsewhere.id, 1);
}

/// Posts as an anonymous author, with the same idempotency key each time.
async fn post_with_key(test: &TestChat, room: RoomId, body: &str) -> Result<Message, Error> {
    test.chat
        .post_message(
            &Person::Anonymous,
            &room,
            &new_message(body),
            Some("k".into()),
        )
        .await
}

fn is_refused_key(answer: &Result<Message, Error>) -> bool {
    let Err(Error::Refusal(refusal)) = answer else {
        return false;
    };
    let field = "Idempotency-Key";
    matches!(refusal, Refusal::Invalid { field: named, .. } if *named == field)
}

#[tokio::test]
async fn idempotency_key_with_another_text_is_refused_until_the_message_is_deleted() {
    let mut test = TestChat::new(|_| {}).await;
    let room = test.create_room().await;
    let guest = new_guest();
    let post = async |test: &TestChat, body: &str| {
        let message = new_message(body);
        let key = Some("k".into());
        test.chat.post_message(&guest, &room, &message, key).await
    };
    // One of two texts in one batch is refused.
    let both = tokio::join!(post(&test, "one"), post(&test, "two"));
    let refused = [is_refused_key(&both.0), is_refused_key(&both.1)];
    assert_eq!(refused, [false, true]);
    test.reopen().await;
    assert!(is_refused_key(&post(&test, "two").await));
    // An edit does not change what was posted.
    let edited = test.chat.edit_message(&guest, &room, 1, "two").await;
    assert_eq!(edited.unwrap().id, 1);
    assert!(is_refused_key(&post(&test, "two").await));
    assert_eq!(post(&test, "one").await.unwrap().body(), "two");
    // Nothing is kept of what a deleted message has said.
    test.chat.delete_message(&guest, &room, 1).await.unwrap();
    for body in ["one", "two"] {
        assert!(post(&test, body).await.unwrap().is_deleted());
    }
}

#[tokio::test]
async fn idempotency_key_counts_by_address_for_anonymous_authors_alone() {
    let test = TestChat::new(|_| {}).await;
    let room = test.create_room().await;
    let grace = test.register("grace").await;
    let post = async |by: &Person, name: &str, address: &str| {
        let key = IdempotencyKey {
            text: "k",
            address: Some(address.parse().unwrap()),
        };
        let mut message = new_message(name);
        message.username = name.to_owned();
        let posted = test.chat.post_message(by, &room, &message, Some(key)).await;
        posted.unwrap().id
    };
    let addresses = ["192.0.2.1", "192.0.2.2", "192.0.2.1", "2001:db8::"];
    let authors = [
        (Person::Anonymous, "ada", [1, 2, 1, 3]),
        (new_guest(), "bob", [4; 4]),
        (grace, "grace", [5; 4]),
    ];
    for (author, name, expected) in authors {
        for (address, seq) in addresses.into_iter().zip(expected) {
            assert_eq!(post(&author, name, address).await, seq, "{name} {address}");
        }
    }
}

#[tokio::test]
async fn idempotency_key_repeated_in_one_batch_is_delivered_once() {
    let test = TestChat::new(|_| {}).await;
    let room = test.create_room().await;
    let mut follower = test
        .chat
        .follow_room(&Person::Anonymous, &room, protocol::Start::Latest)
        .await
        .unwrap();
    let posts = ["a", "b", "a", "b", "a"].map(|key| {
        let chat = test.chat.clone();
        async move {
            chat.post_message(
                &Person::Anonymous,
                &room,
                &new_message(key),
                Some(key.into()),
            )
            .await
            .unwrap()
            .id
        }
    });
    assert_eq!(join_all(posts).await, [1, 2, 1, 2, 1]);
    let mut last = 0;
    while last < 2 {
        let FollowEvent::Messages(frames) = follower.next().await.unwrap() else {
            panic!("no messages")
        };
        assert_eq!(frames.first(), last + 1);
        last = frames.last();
    }
    assert_eq!(last, 2);
}

#[tokio::test]
async fn post_to_an_unknown_room_is_refused() {
    let test = TestChat::new(|_| {}).await;
    let refused = test
        .chat
        .post_message(
            &Person::Anonymous,
            &RoomId::from_bytes([7; 8]),
            &new_message("hello"),
            None,
        )
        .await;
    assert!(matches!(
        refused,
        Err(Error::Refusal(Refusal::NotFound(refusal::NO_ROOM)))
    ));
}

#[tokio::test]
async fn post_to_a_due_room_is_refused_as_gone() {
    let test = TestChat::new(|_| {}).await;
    let room = test.create_room().await;
    // The room is due, and the expiry task has not frozen it yet.
    let mut tx = test.chat.0.store.begin().await.unwrap();
    query("update room set expires_at = 0")
        .execute(tx.connection())
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let refused = test
        .chat
        .post_message(&Person::Anonymous, &room, &new_message("late"), None)
        .await;
    assert!(matches!(refused, Err(Error::Refusal(Refusal::Gone(_)))));
}

#[tokio::test]
async fn writer_that_panics_continues_with_the_next_batch() {
    let test = TestChat::new(|_| {}).await;
    let room = test.create_room().await;
    for (place, count) in [("writer before a commit", 0), ("writer after a commit", 1)] {
        test.config.faults.panic_in(place);
        let refused = test
            .chat
            .post_message(
                &Person::Anonymous,
                &room,
                &new_message(place),
                Some(place.into()),
            )
            .await;
        assert!(matches!(refused, Err(Error::Refusal(Refusal::Draining))));
        let page = MessagesPage::default();
        let stored = test.chat.list_messages(&Person::Anonymous, &room, page);
        let stored = stored.await.unwrap();
        let stored = stored.iter().filter(|message| message.body() == place);
        assert_eq!(stored.count(), count);
        let repeated = test
            .chat
            .post_message(
                &Person::Anonymous,
                &room,
                &new_message(place),
                Some(place.into()),
            )
            .await
            .unwrap();
        assert_eq!(repeated.body(), place);
    }
    assert_eq!(test.post(room, "next").await.id, 3);
    test.chat.close().await;
}

#[tokio::test]
async fn sent_at_follows_the_machines_clock_back() {
    const TWO_DAYS: i64 = 2 * 86_400_000;
    let test = TestChat::in_file(|_| {}).await;
    let room = test.create_room().await;
    let before = test.post(room, "before").await;
    test.config.clock.correct_wall_time(TWO_DAYS);
    let ahead = test.post(room, "ahead").await;
    assert!(ahead.sent_at.millis() - before.sent_at.millis() >= TWO_DAYS);
    test.config.clock.correct_wall_time(-TWO_DAYS);
    let after = test.post(room, "after").await;
    assert!(after.sent_at.millis() - before.sent_at.millis() < TWO_DAYS / 2);
    assert_eq!([before.id, ahead.id, after.id], [1, 2, 3]);
}
