//! Tests of changed display names.

use protocol::{EventName, Message, NewMessage, NewRoom, RoomId, Start};

use crate::store::MessagesPage;
use crate::testing::{TestChat, new_message};
use crate::{FollowEvent, Follower, Person};

/// The data of the next changed name; panics after 20 seconds without one.
async fn next_name(follower: &mut Follower) -> serde_json::Value {
    let next = async {
        loop {
            match follower.next().await.unwrap() {
                FollowEvent::Ephemeral(event) if event.name() == EventName::Name => {
                    break event.json();
                }
                FollowEvent::Messages(_) | FollowEvent::Ephemeral(_) => {}
                other => panic!("{other:?}"),
            }
        }
    };
    let json = tokio::time::timeout(std::time::Duration::from_secs(20), next).await;
    serde_json::from_slice(&json.expect("no name comes")).unwrap()
}

async fn follow(test: &TestChat, room: RoomId) -> Follower {
    let follower = test
        .chat
        .follow_room(&Person::Anonymous, &room, Start::Latest);
    follower.await.unwrap()
}

async fn post_as(test: &TestChat, by: &Person, room: RoomId, body: &str) -> Message {
    let message = NewMessage {
        username: "grace".to_owned(),
        ..new_message(body)
    };
    test.chat
        .post_message(by, &room, &message, None)
        .await
        .unwrap()
}

async fn shown_name(test: &TestChat, room: RoomId) -> Option<String> {
    let page = MessagesPage::default();
    let messages = test
        .chat
        .list_messages(&Person::Anonymous, &room, page)
        .await;
    messages.unwrap().pop().unwrap().name
}

#[tokio::test]
async fn display_name_is_shown_as_it_is_now_and_followers_learn_of_its_change() {
    let test = TestChat::new(|_| {}).await;
    let grace = test.register("grace").await;
    let written = test.create_room().await;
    let other = test.create_room().await;
    let own = test
        .chat
        .create_room(&grace, &NewRoom::default())
        .await
        .unwrap()
        .id;
    let first = post_as(&test, &grace, written, "one").await;
    assert_eq!(first.name.as_deref(), Some("GRACE"));
    let mut followers = [follow(&test, written).await, follow(&test, own).await];
    let mut elsewhere = follow(&test, other).await;
    test.chat
        .change_display_name(&grace, "Grace H.")
        .await
        .unwrap();
    let expected = serde_json::json!({ "username": "grace", "name": "Grace H." });
    for follower in &mut followers {
        assert_eq!(next_name(follower).await, expected);
    }
    assert_eq!(
        shown_name(&test, written).await.as_deref(),
        Some("Grace H.")
    );
    // The caller still has the old name in hand; the writer knows the new one.
    let second = post_as(&test, &grace, written, "two").await;
    assert_eq!(second.name.as_deref(), Some("Grace H."));
    test.post(other, "nothing else").await;
    let event = elsewhere.next().await.unwrap();
    assert!(matches!(event, FollowEvent::Messages(_)), "{event:?}");
    assert_eq!(test.post(other, "no account").await.name, None);
}

#[tokio::test]
async fn follower_that_starts_after_a_change_receives_the_last_name_once() {
    let test = TestChat::new(|_| {}).await;
    let grace = test.register("grace").await;
    let room = test.create_room().await;
    post_as(&test, &grace, room, "one").await;
    for name in ["Grace H.", "Admiral"] {
        test.chat.change_display_name(&grace, name).await.unwrap();
    }
    let mut late = follow(&test, room).await;
    assert_eq!(next_name(&mut late).await["name"], "Admiral");
    test.post(room, "two").await;
    let event = late.next().await.unwrap();
    assert!(matches!(event, FollowEvent::Messages(_)), "{event:?}");
    test.config
        .clock
        .advance(std::time::Duration::from_secs(601));
    drop(late);
    let mut later = follow(&test, room).await;
    test.post(room, "three").await;
    let event = later.next().await.unwrap();
    assert!(matches!(event, FollowEvent::Messages(_)), "{event:?}");
}

#[tokio::test]
async fn message_of_a_deleted_account_has_no_display_name() {
    let test = TestChat::new(|_| {}).await;
    let grace = test.register("grace").await;
    let room = test.create_room().await;
    post_as(&test, &grace, room, "one").await;
    test.chat
        .delete_account(&grace, "secret", None)
        .await
        .unwrap();
    assert_eq!(shown_name(&test, room).await, None);
}

#[tokio::test]
async fn name_that_comes_in_parts_reaches_followers_of_all_its_rooms() {
    let test = TestChat::new(|_| {}).await;
    let room = |number: u8| RoomId::from_bytes([number; 8]);
    let hub = &test.chat.0.listeners.hub;
    for number in 1..=2 {
        hub.announce_name("grace", "Grace H.", &[room(number)]);
    }
    hub.announce_name("ada", "Ada L.", &[room(3)]);
    let names = |number| hub.announcements_of(room(number)).len();
    assert_eq!([1, 2, 3].map(names), [1, 1, 1]);
    // Another change replaces the whole one before.
    hub.announce_name("grace", "Admiral", &[room(2)]);
    assert_eq!([1, 2, 3].map(names), [0, 1, 1]);
}

#[tokio::test]
async fn changed_name_of_a_deleted_account_is_forgotten() {
    let test = TestChat::new(|_| {}).await;
    let grace = test.register("grace").await;
    let room = test.create_room().await;
    post_as(&test, &grace, room, "one").await;
    let _keeps_the_channel = follow(&test, room).await;
    test.chat
        .change_display_name(&grace, "Grace H.")
        .await
        .unwrap();
    test.chat
        .delete_account(&grace, "secret", None)
        .await
        .unwrap();
    let mut late = follow(&test, room).await;
    test.post(room, "two").await;
    let event = late.next().await.unwrap();
    assert!(matches!(event, FollowEvent::Messages(_)), "{event:?}");
}
