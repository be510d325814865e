//! Tests of what a follower reads from a store that others write.

use super::tests::take;
use super::*;
use crate::events::DomainEvent;
use crate::log::load::{RegistrationCounter, UnlistingCounter, WriterMemory};
use crate::log::validate::check_message;
use crate::log::writer::{WriteQueue, Writer};
use crate::store::sql::query;
use crate::store::{DatabaseLocation, MessagesPage};
use crate::testing::{TestChat, new_message};
use crate::{Metrics, NewFiles};

/// A writer on the database of `test` that publishes no commit to the chat of `test`, like a writer
/// in another process.
fn start_silent_writer(test: &TestChat) -> WriteQueue {
    let location = DatabaseLocation::of(&test.config).unwrap();
    let clock = test.config.clock.clone();
    let store = &test.chat.0.store;
    let (queue, _) = Writer::start(
        &location,
        store,
        clock,
        Metrics::default(),
        WriterMemory::new(
            &test.config,
            store,
            test.chat.0.disk.clone(),
            RegistrationCounter::default(),
            UnlistingCounter::default(),
        ),
        &test.chat.0.supervisor,
        |_| (),
    )
    .unwrap();
    queue
}

#[tokio::test]
async fn follower_reads_the_store_when_only_the_event_of_a_commit_arrives() {
    let test = TestChat::new(|_| {}).await;
    let room = test.create_room().await;
    let elsewhere = start_silent_writer(&test);
    let mut follower = test
        .chat
        .follow_room(&Person::Anonymous, &room, Start::Latest)
        .await
        .unwrap();
    let append = async |body: &str| {
        let request = check_message(
            &Person::Anonymous,
            room,
            &new_message(body),
            NewFiles::default(),
            None,
        )
        .unwrap();
        elsewhere.append(request).await.unwrap().message.id
    };
    for body in ["one", "two", "three"] {
        append(body).await;
    }
    let listeners = &test.chat.0.listeners;
    // The events may arrive late, twice and out of order.
    for seq in [2, 1, 2] {
        DomainEvent::LogAdvanced { room, seq }.apply(listeners);
    }
    assert_eq!(take(&mut follower, 3).await, [1, 2, 3]);
    // The log goes on here, there, and here again.
    test.post(room, "four").await;
    assert_eq!(take(&mut follower, 1).await, [4]);
    append("five").await;
    test.post(room, "six").await;
    assert_eq!(take(&mut follower, 2).await, [5, 6]);
    let seq = append("seven").await;
    DomainEvent::LogAdvanced { room, seq }.apply(listeners);
    assert_eq!(take(&mut follower, 1).await, [7]);
}

#[tokio::test]
async fn entry_of_a_later_kind_moves_the_cursor_and_breaks_nothing() {
    let mut test = TestChat::new(|_| {}).await;
    let room = test.create_room().await;
    for n in 1..=3 {
        test.post(room, &n.to_string()).await;
    }
    test.reopen().await;
    let mut tx = test.chat.0.store.begin().await.unwrap();
    let sql = "update message set kind = 9 where (key & 4294967295) = 2";
    query(sql).execute(tx.connection()).await.unwrap();
    tx.commit().await.unwrap();
    let mut follower = test
        .chat
        .follow_room(&Person::Anonymous, &room, Start::Seq(0))
        .await
        .unwrap();
    let FollowEvent::Messages(frames) = follower.next().await.unwrap() else {
        panic!("no messages")
    };
    let sequences: Vec<u64> = frames.frames().map(|frame| frame.cursor.seq).collect();
    assert_eq!(sequences, [1, 2, 3]);
    assert!(frames.messages().map(|message| message.id).eq([1, 3]));
    let page = MessagesPage::default();
    let messages = test
        .chat
        .list_messages(&Person::Anonymous, &room, page)
        .await
        .unwrap();
    assert!(messages.iter().map(|message| message.id).eq([1, 3]));
    let text = std::str::from_utf8(frames.bytes()).unwrap();
    let event = "\nevent: change\ndata: {\"kind\":\"unknown\",\"id\":2,";
    assert!(text.contains(event), "{text}");
}

#[tokio::test]
async fn page_of_long_texts_after_short_ones_is_small() {
    let test = TestChat::new(|_| {}).await;
    let room = test.create_room().await;
    for _ in 0..400 {
        test.post(room, "x").await;
    }
    let long = "x".repeat(4_000);
    for _ in 0..200 {
        test.post(room, &long).await;
    }
    // The ring of the hub has what was posted last, so another chat reads it from the store.
    let mut test = test;
    test.reopen().await;
    let start = Start::Seq(0);
    let mut follower = test
        .chat
        .follow_room(&Person::Anonymous, &room, start)
        .await
        .unwrap();
    let mut delivered = 0;
    while delivered < 600 {
        let FollowEvent::Messages(frames) = follower.next().await.unwrap() else {
            panic!("no messages");
        };
        delivered += frames.len();
        let bytes = frames.bytes().len();
        assert!(
            bytes < 64 * 1024,
            "{bytes} bytes after {delivered} messages"
        );
    }
}

/// After a history of short messages, a page would have the most messages.
#[tokio::test]
async fn size_of_a_page_counts_the_marks_of_its_messages() {
    let test = TestChat::new(|_| {}).await;
    let room = test.create_room().await;
    for _ in 0..FIRST_PAGE {
        test.post(room, "short").await;
    }
    let text = "*a* ".repeat(100);
    for _ in 0..40 {
        test.post(room, text.trim()).await;
    }
    let mut follower = test
        .chat
        .follow_room(&Person::Anonymous, &room, Start::Seq(0))
        .await
        .unwrap();
    let mut left = FIRST_PAGE + 40;
    while left > 0 {
        let FollowEvent::Messages(frames) = follower.next().await.unwrap() else {
            panic!("no messages")
        };
        let bytes = frames.bytes().len();
        assert!(bytes < 64 * 1024, "{bytes}");
        left -= frames.len();
    }
}
