//! Tests of two nodes. Without a database that nodes can share there is nothing to test.

use std::time::{Duration, Instant};

use protocol::{SanctionKind, Start};

use crate::faults::Faults;
use crate::room::sanctions::SanctionTarget;
use crate::sync::lock;
use crate::testing::{TestChat, new_guest, new_message, soon, soon_true};
use crate::{Chat, FollowEvent, Follower, Person};

/// Two nodes of one database; `None` if the tests are given none.
pub(super) async fn open_nodes() -> Option<(TestChat, TestChat)> {
    let one = TestChat::new(|config| config.archive = false).await;
    let other = open_another(&one).await?;
    Some((one, other))
}

/// Another node of the same database; `None` if it can have one node only.
pub(crate) async fn open_another(one: &TestChat) -> Option<TestChat> {
    open_with_faults(one, |_| {}).await
}

/// Another node of the same database, with faults in its own connections.
async fn open_with_faults(one: &TestChat, arm: impl FnOnce(&Faults)) -> Option<TestChat> {
    let (_, schema) = one.config.database.as_ref()?.split_once('?')?;
    let open = TestChat::new(|config| {
        let own = config.database.take().unwrap_or_default();
        let address = own.split('?').next().unwrap_or_default();
        config.database = Some(format!("{address}?{schema}"));
        config.archive = false;
        config.shared_files.clone_from(&one.config.shared_files);
        arm(&config.faults);
    });
    Some(open.await)
}

pub(super) async fn follow(chat: &Chat, by: &Person, room: protocol::RoomId) -> Follower {
    chat.follow_room(by, &room, Start::Seq(0)).await.unwrap()
}

/// The texts of the next messages, until there are so many.
pub(super) async fn take_texts(follower: &mut Follower, count: usize) -> Vec<String> {
    let mut texts = Vec::new();
    while texts.len() < count {
        let event = soon("a message", follower.next()).await;
        if let FollowEvent::Messages(frames) = event.unwrap() {
            texts.extend(frames.messages().map(|message| message.body().to_owned()));
        }
    }
    texts
}

/// Waits for an event of a stream.
pub(super) async fn wait_for(
    follower: &mut Follower,
    what: &str,
    is_it: impl Fn(&FollowEvent) -> bool,
) {
    let events = async { while !is_it(&follower.next().await.unwrap()) {} };
    soon(what, events).await;
}

async fn wait_for_closing(follower: &mut Follower) {
    let is_closed = |event: &FollowEvent| matches!(event, FollowEvent::Closed(_));
    wait_for(follower, "the end of the room", is_closed).await;
}

#[tokio::test]
async fn message_is_heard_on_another_node_and_posts_of_both_have_one_order() {
    let Some((one, other)) = open_nodes().await else {
        return;
    };
    let room = one.create_room().await;
    let mut here = follow(&one.chat, &Person::Anonymous, room).await;
    let mut there = follow(&other.chat, &Person::Anonymous, room).await;
    let posts = (0..100).map(|number| {
        let node = if number % 2 == 0 { &one } else { &other };
        async move { node.post(room, &number.to_string()).await.id }
    });
    let mut ids = futures_util::future::join_all(posts).await;
    ids.sort_unstable();
    assert!(ids.into_iter().eq(1..=100));
    let texts = take_texts(&mut here, 100).await;
    assert_eq!(texts, take_texts(&mut there, 100).await);
}

#[tokio::test]
async fn key_of_a_message_is_known_on_another_node() {
    let Some((one, other)) = open_nodes().await else {
        return;
    };
    let room = one.create_room().await;
    let message = new_message("once");
    let post = async |node: &TestChat| {
        let key = Some("key".into());
        let posted = node
            .chat
            .post_message(&Person::Anonymous, &room, &message, key);
        posted.await.unwrap().id
    };
    let ids = tokio::join!(post(&one), post(&other), post(&one), post(&other));
    assert_eq!(ids, (1, 1, 1, 1));
}

#[tokio::test]
async fn ban_and_closing_on_one_node_end_streams_of_another() {
    let Some((one, other)) = open_nodes().await else {
        return;
    };
    let (owner, guest) = (new_guest(), new_guest());
    let room = one
        .chat
        .create_room(&owner, &protocol::NewRoom::default())
        .await
        .unwrap()
        .id;
    let mut banned = follow(&other.chat, &guest, room).await;
    let mut witness = follow(&other.chat, &owner, room).await;
    let hello = new_message("hello");
    let said = other.chat.post_message(&guest, &room, &hello, None);
    let target = SanctionTarget::AuthorOf(said.await.unwrap().id);
    one.chat
        .impose_sanction(&owner, &room, &target, SanctionKind::Ban, None)
        .await
        .unwrap();
    let is_removed = |event: &FollowEvent| matches!(event, FollowEvent::Removed(_));
    wait_for(&mut banned, "the ban", is_removed).await;
    one.chat.close_room(&owner, &room).await.unwrap();
    wait_for_closing(&mut witness).await;
}

#[tokio::test]
async fn node_with_archives_of_its_own_is_alone() {
    let one = TestChat::new(|_| {}).await;
    let Some(database) = one.config.database.clone() else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let mut config = crate::Config::new(dir.path());
    config.database = Some(database);
    let refused = Chat::open(config.clone()).await.unwrap_err().to_string();
    assert!(refused.contains("--archive-url file:///PATH"), "{refused}");
    one.chat.close().await;
    Chat::open(config).await.unwrap();
}

#[tokio::test]
async fn node_that_heard_nothing_for_a_while_catches_up() {
    let Some((one, other)) = open_nodes().await else {
        return;
    };
    let room = one.create_room().await;
    let owner = new_guest();
    let closed = one
        .chat
        .create_room(&owner, &protocol::NewRoom::default())
        .await
        .unwrap()
        .id;
    let mut follower = follow(&other.chat, &Person::Anonymous, room).await;
    let mut witness = follow(&other.chat, &Person::Anonymous, closed).await;
    one.post(room, "heard").await;
    assert_eq!(take_texts(&mut follower, 1).await, ["heard"]);
    other.config.faults.arm(1, 0);
    other.config.faults.end_connections();
    one.post(room, "missed").await;
    one.chat.close_room(&owner, &closed).await.unwrap();
    let is_gone = async || one.chat.find_room(&owner, &closed).await.is_err();
    soon_true("the end of the room", is_gone).await;
    other.config.faults.arm(0, 0);
    assert_eq!(take_texts(&mut follower, 1).await, ["missed"]);
    wait_for_closing(&mut witness).await;
}

#[tokio::test]
async fn node_that_hears_no_notification_asks_five_times_a_second() {
    let one = TestChat::new(|config| config.archive = false).await;
    let Some(deaf) = open_with_faults(&one, Faults::swallow_notifications).await else {
        return;
    };
    let room = one.create_room().await;
    let mut follower = follow(&deaf.chat, &Person::Anonymous, room).await;
    // It takes the node two seconds to notice, in which it looks once a second.
    let mut started = Instant::now();
    for number in 0..14 {
        if number == 4 {
            started = Instant::now();
        }
        let body = number.to_string();
        one.post(room, &body).await;
        assert_eq!(take_texts(&mut follower, 1).await, [body]);
    }
    let elapsed = started.elapsed();
    assert!(elapsed < Duration::from_secs(6), "{elapsed:?}");
    let numbers = deaf.chat.metrics().node().unwrap();
    assert_eq!(
        (numbers.hears_rings.get(), numbers.rings_heard.get()),
        (0, 0)
    );
    assert!(numbers.rings_read_again.get() >= 14);
    assert_eq!(numbers.rings_read_again.get(), numbers.rings_missed.get());
}

#[tokio::test]
async fn last_message_of_a_node_that_ends_is_heard_on_the_others() {
    for is_killed in [false, true] {
        let Some((one, other)) = open_nodes().await else {
            return;
        };
        let room = one.create_room().await;
        let mut there = follow(&other.chat, &Person::Anonymous, room).await;
        one.post(room, "first").await;
        assert_eq!(take_texts(&mut there, 1).await, ["first"]);
        one.post(room, "last").await;
        if is_killed {
            // Before it could ring.
            let killed = lock(&one.chat.0.tasks).take().unwrap();
            killed.background.iter().for_each(|task| task.abort());
        } else {
            one.chat.close().await;
        }
        assert_eq!(take_texts(&mut there, 1).await, ["last"]);
    }
}
