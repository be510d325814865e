//! Tests of the overview and its watch.

use std::time::Duration;

use protocol::{Credentials, NewAccount, NewInvitation, NewMessage, NewRoom};

use futures_util::future::join_all;
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

use super::*;
use crate::realtime::topics::MIN_INTERVAL;
use crate::sync::lock;
use crate::testing::{TestChat, new_message};

async fn register(test: &TestChat, username: &str) -> Person {
    let credentials = Credentials {
        username: username.to_owned(),
        password: "secret".to_owned(),
    };
    let account = NewAccount {
        name: username.to_owned(),
        username: credentials.username.clone(),
        password: credentials.password.clone(),
    };
    test.chat.register_account(&account, None).await.unwrap();
    test.chat
        .sign_in(&credentials, None)
        .await
        .unwrap()
        .account
        .into()
}

async fn create_private_room(test: &TestChat, by: &Person, name: &str) -> RoomId {
    let wish = NewRoom {
        name: Some(name.to_owned()),
        private: Some(true),
        ..NewRoom::default()
    };
    test.chat.create_room(by, &wish).await.unwrap().id
}

/// The names of the rooms of an overview, with their unread counts.
fn rooms(overview: &Overview) -> Vec<(&str, u64)> {
    overview
        .rooms
        .iter()
        .map(|room| (room.name.as_deref().unwrap_or_default(), room.unread))
        .collect()
}

async fn next_overview(watch: &mut OverviewWatch) -> Overview {
    serde_json::from_slice(&watch.next().await.unwrap().unwrap()).unwrap()
}

#[tokio::test]
async fn unread_messages_that_mention_the_person_are_counted() {
    let test = TestChat::new(|_| {}).await;
    let [eva, bob] = [register(&test, "eva").await, register(&test, "bob").await];
    let den = create_private_room(&test, &eva, "den").await;
    let invitation = NewInvitation::default();
    let created = test.chat.create_invitation(&eva, &den, &invitation).await;
    let code = created.unwrap().code;
    test.chat.accept_invitation(&bob, &code).await.unwrap();
    for body in [
        "@bob",
        "hi @Bob, @bob",
        "`@bob`",
        "bob",
        "a@bob.example",
        "@bobby",
        "@eva",
    ] {
        let message = NewMessage {
            username: "eva".to_owned(),
            body: body.to_owned(),
        };
        test.chat
            .post_message(&eva, &den, &message, None)
            .await
            .unwrap();
    }
    let mentions = async |by| {
        let overview = test.chat.load_overview(by, &[]).await.unwrap();
        (overview.rooms[0].unread, overview.rooms[0].mentions)
    };
    assert_eq!(mentions(&bob).await, (7, 2));
    assert_eq!(mentions(&eva).await, (0, 0), "one's own messages");
    test.chat.move_read_marker(&bob, &den, 1).await.unwrap();
    assert_eq!(mentions(&bob).await, (6, 1));
    test.chat.move_read_marker(&bob, &den, 7).await.unwrap();
    assert_eq!(mentions(&bob).await, (0, 0));
}

#[tokio::test]
async fn mentions_are_counted_in_a_limited_number_of_texts_of_the_newest_rooms() {
    const MESSAGES: usize = 100;
    let test = TestChat::new(|_| {}).await;
    let [eva, bob] = [register(&test, "eva").await, register(&test, "bob").await];
    let text = format!("{}@BOB", "word ".repeat(798));
    let rooms = MENTIONS_BYTES / (MESSAGES * text.len()) + 2;
    for number in 0..rooms {
        let room = create_private_room(&test, &eva, &number.to_string()).await;
        let invitation = NewInvitation::default();
        let created = test.chat.create_invitation(&eva, &room, &invitation).await;
        let code = created.unwrap().code;
        test.chat.accept_invitation(&bob, &code).await.unwrap();
        test.config.clock.advance(Duration::from_secs(60));
        let message = NewMessage {
            username: "eva".to_owned(),
            body: text.clone(),
        };
        let posts = (0..MESSAGES).map(|_| test.chat.post_message(&eva, &room, &message, None));
        for posted in join_all(posts).await {
            posted.unwrap();
        }
    }
    let overview = test.chat.load_overview(&bob, &[]).await.unwrap();
    let mentions: Vec<u64> = overview.rooms.iter().map(|room| room.mentions).collect();
    let counted = mentions.iter().sum::<u64>() as usize;
    assert_eq!(counted, MENTIONS_BYTES.div_ceil(text.len()), "{mentions:?}");
    assert_eq!(mentions[0], MESSAGES as u64, "{mentions:?}");
    assert!(
        mentions.is_sorted_by(|newer, older| newer >= older),
        "{mentions:?}"
    );
}

#[tokio::test]
async fn overview_has_only_rooms_that_the_person_may_find() {
    let test = TestChat::new(|_| {}).await;
    let [eva, bob] = [register(&test, "eva").await, register(&test, "bob").await];
    let [den, _] = [
        create_private_room(&test, &eva, "den").await,
        create_private_room(&test, &eva, "attic").await,
    ];
    let open = test.create_room().await;
    for body in ["one", "two"] {
        test.chat
            .post_message(
                &eva,
                &den,
                &NewMessage {
                    username: "eva".into(),
                    body: body.into(),
                },
                None,
            )
            .await
            .unwrap();
    }
    test.post(open, "hello").await;
    let own = test
        .chat
        .load_overview(&eva, &[open, open, den])
        .await
        .unwrap();
    assert_eq!(
        own.rooms
            .iter()
            .map(|room| room.id)
            .filter(|id| *id == open)
            .count(),
        1
    );
    assert_eq!(
        rooms(&own)
            .into_iter()
            .filter(|(name, _)| !name.is_empty())
            .count(),
        2,
        "{own:?}"
    );
    // The author's own messages count as read.
    assert!(rooms(&own).contains(&("den", 0)));
    for other in [&bob, &Person::Anonymous] {
        let theirs = test.chat.load_overview(other, &[den, open]).await.unwrap();
        assert_eq!(
            theirs.rooms.iter().map(|room| room.id).collect::<Vec<_>>(),
            [open]
        );
    }
    let code = test
        .chat
        .create_invitation(&eva, &den, &NewInvitation::default())
        .await
        .unwrap()
        .code;
    test.chat.accept_invitation(&bob, &code).await.unwrap();
    assert_eq!(
        rooms(&test.chat.load_overview(&bob, &[]).await.unwrap()),
        [("den", 2)]
    );
    test.chat.move_read_marker(&bob, &den, 1).await.unwrap();
    assert_eq!(
        rooms(&test.chat.load_overview(&bob, &[]).await.unwrap()),
        [("den", 1)]
    );
    let sanction = crate::SanctionTarget::Person("bob".into());
    test.chat
        .impose_sanction(
            &eva,
            &den,
            &sanction,
            protocol::SanctionKind::Ban,
            Some("1h"),
        )
        .await
        .unwrap();
    assert!(
        test.chat
            .load_overview(&bob, &[den])
            .await
            .unwrap()
            .rooms
            .is_empty()
    );
}

#[tokio::test]
async fn followed_room_is_open_while_it_is_not_among_the_own_rooms() {
    let test = TestChat::new(|_| {}).await;
    let chat = &test.chat;
    let eva = register(&test, "eva").await;
    let followed = test.create_room().await;
    let mut watch = chat.watch_overview(eva.clone(), vec![], vec![followed]);
    let ids = |rooms: &[Room]| rooms.iter().map(|room| room.id).collect::<Vec<_>>();
    let first = next_overview(&mut watch).await;
    assert_eq!(
        (ids(&first.rooms), ids(&first.open)),
        (vec![], vec![followed])
    );
    // A message of another person in the room that is open.
    test.post(followed, "hello").await;
    assert_eq!(next_overview(&mut watch).await.open[0].message_count, 1);
    for is_kept in [true, false] {
        chat.set_listing(&eva, &followed, is_kept).await.unwrap();
        let next = next_overview(&mut watch).await;
        let lists = [ids(&next.rooms), ids(&next.open)];
        let other = usize::from(is_kept);
        assert_eq!(lists[1 - other], [followed]);
        assert_eq!(lists[other], []);
    }
    // What the person is not allowed to find is in no list.
    let den = create_private_room(&test, &register(&test, "bob").await, "den").await;
    let mut watch = chat.watch_overview(eva, vec![], vec![den]);
    let hidden = next_overview(&mut watch).await;
    assert_eq!((hidden.rooms, hidden.open), (vec![], vec![]));
}

#[tokio::test]
async fn every_change_updates_the_watched_overview() {
    let test = TestChat::new(|_| {}).await;
    let chat = &test.chat;
    let [eva, bob] = [register(&test, "eva").await, register(&test, "bob").await];
    let visited = test.create_room().await;
    let mut watch = chat.watch_overview(bob.clone(), vec![visited], vec![]);
    assert_eq!(next_overview(&mut watch).await.rooms.len(), 1);
    // A message in a room that the person is not a member of.
    test.post(visited, "hello").await;
    assert_eq!(next_overview(&mut watch).await.rooms[0].message_count, 1);
    // A direct chat that the other account opens.
    let direct = chat.open_direct_room(&eva, "bob").await.unwrap().id;
    chat.post_message(
        &eva,
        &direct,
        &NewMessage {
            username: "eva".into(),
            body: "hi".into(),
        },
        None,
    )
    .await
    .unwrap();
    assert_eq!(next_overview(&mut watch).await.chats[0].unread, 1);
    // A read marker that another device moves.
    chat.move_read_marker(&bob, &direct, 1).await.unwrap();
    assert_eq!(next_overview(&mut watch).await.chats[0].unread, 0);
    // A room that the person joins on another device, its new name, and the removal from it.
    let den = create_private_room(&test, &eva, "den").await;
    let code = chat
        .create_invitation(&eva, &den, &NewInvitation::default())
        .await
        .unwrap()
        .code;
    chat.accept_invitation(&bob, &code).await.unwrap();
    assert!(rooms(&next_overview(&mut watch).await).contains(&("den", 0)));
    let change = protocol::RoomChange {
        name: Some("attic".into()),
        ..Default::default()
    };
    chat.change_room_settings(&eva, &den, &change)
        .await
        .unwrap();
    assert!(rooms(&next_overview(&mut watch).await).contains(&("attic", 0)));
    chat.remove_member(&eva, &den, "bob").await.unwrap();
    assert!(!rooms(&next_overview(&mut watch).await).contains(&("attic", 0)));
    // The server stops.
    chat.drain();
    assert_eq!(watch.next().await.unwrap(), None);
}

#[tokio::test]
async fn watcher_receives_one_update_per_interval_and_none_without_a_change() {
    let test = TestChat::new(|_| {}).await;
    let room = test.create_room().await;
    let other = test.create_room().await;
    let mut watch = test
        .chat
        .watch_overview(Person::Anonymous, vec![room], vec![]);
    next_overview(&mut watch).await;
    let start = tokio::time::Instant::now();
    for n in 1..=3_u64 {
        for _ in 0..10 {
            test.post(room, "hello").await;
        }
        test.chat
            .post_message(&Person::Anonymous, &other, &new_message("not shown"), None)
            .await
            .unwrap();
        assert_eq!(
            next_overview(&mut watch).await.rooms[0].message_count,
            n * 10
        );
    }
    assert!(start.elapsed() >= MIN_INTERVAL * 3);
    let again = timeout(MIN_INTERVAL * 3, watch.next()).await;
    assert!(again.is_err(), "there is no change");
}

#[tokio::test]
async fn dropped_watch_leaves_no_subscription() {
    let test = TestChat::new(|_| {}).await;
    let room = test.create_room().await;
    let mut watch = test
        .chat
        .watch_overview(Person::Anonymous, vec![room], vec![]);
    next_overview(&mut watch).await;
    let topics = test.chat.0.listeners.hub.topics().clone();
    assert_eq!(lock(&topics.subscriptions).by_topic.len(), 1);
    drop(watch);
    assert!(lock(&topics.subscriptions).by_topic.is_empty());
    assert_eq!(lock(&topics.subscriptions).watchers, 0);
}

/// Posts into random rooms, with random pauses, and compares the lists after each post with the
/// order of the posts.
#[tokio::test]
async fn newest_rooms_and_chats_are_listed_whatever_the_others_did() {
    const LISTED: usize = 3;
    let seed = rand::random();
    let mut random = SmallRng::seed_from_u64(seed);
    let test = TestChat::new(|config| config.timeout = Duration::MAX).await;
    let ada = register(&test, "ada").await;
    let mut rooms = Vec::new();
    let mut chats = Vec::new();
    for name in ["bob", "eva", "grace", "kim", "nora"] {
        rooms.push(create_private_room(&test, &ada, name).await);
        register(&test, name).await;
        let chat = test.chat.open_direct_room(&ada, name).await.unwrap().id;
        test.chat
            .post_message(&ada, &chat, &ada_says("hello"), None)
            .await
            .unwrap();
        chats.push(chat);
        test.config.clock.advance(Duration::from_secs(90));
    }
    for _ in 0..200 {
        let pause = [1, 20_000, 90_000][random.random_range(0..3)];
        test.config.clock.advance(Duration::from_millis(pause));
        let order = if random.random() {
            &mut rooms
        } else {
            &mut chats
        };
        let room = order.remove(random.random_range(0..order.len()));
        order.push(room);
        test.chat
            .post_message(&ada, &room, &ada_says("again"), None)
            .await
            .unwrap();
        let (store, now) = (&test.chat.0.store, test.config.clock.now());
        let listed = overview::list_member_rooms(store, ada.id(), now, LISTED).await;
        let listed: Vec<RoomId> = listed.unwrap().iter().map(|room| room.id).collect();
        let newest = rooms.iter().rev().take(LISTED).copied();
        assert_eq!(listed, newest.collect::<Vec<_>>(), "seed {seed}");
        let listed = test.chat.list_conversations(&ada, LISTED).await;
        let listed: Vec<RoomId> = listed.unwrap().iter().map(|chat| chat.room).collect();
        let newest = chats.iter().rev().take(LISTED).copied();
        assert_eq!(listed, newest.collect::<Vec<_>>(), "seed {seed}");
    }
}

fn ada_says(body: &str) -> NewMessage {
    NewMessage {
        username: "ada".to_owned(),
        body: body.to_owned(),
    }
}
