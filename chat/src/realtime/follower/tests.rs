//! Tests of a single follower.

use std::pin::Pin;
use std::sync::Mutex;
use std::task::{Context, Waker};

use protocol::{Message, NewMessage, SanctionKind};
use tokio::task::yield_now;

use super::*;
use crate::room::sanctions::SanctionTarget;
use crate::store::key;
use crate::store::sql::query;
use crate::sync::lock;
use crate::testing::{TestChat, new_guest};

fn messages(frames: &Frames) -> Vec<Message> {
    let text = std::str::from_utf8(frames.bytes()).unwrap();
    let data = text.lines().filter_map(|line| line.strip_prefix("data: "));
    data.map(|json| serde_json::from_str(json).unwrap())
        .collect()
}

pub(super) async fn take(follower: &mut Follower, count: usize) -> Vec<u64> {
    let mut ids = Vec::new();
    while ids.len() < count {
        let event = tokio::time::timeout(std::time::Duration::from_secs(20), follower.next()).await;
        match event.expect("no further event").unwrap() {
            FollowEvent::Messages(frames) => ids.extend(messages(&frames).iter().map(|m| m.id)),
            other => panic!("{other:?}"),
        }
    }
    ids
}

#[tokio::test]
async fn follower_starts_at_the_requested_position() {
    let test = TestChat::new(|_| {}).await;
    let room = test.create_room().await;
    for n in 1..=3 {
        test.post(room, &n.to_string()).await;
    }
    let epoch = test.chat.0.epoch.get();
    let cursor = Cursor { epoch, seq: 1 };
    let cases = [
        (Start::Seq(0), 1),
        (Start::Seq(2), 3),
        (Start::Cursor(cursor), 2),
        (Start::Seq(3), 4),
        (Start::Latest, 4),
    ];
    let mut followers = Vec::new();
    for (start, first) in cases {
        followers.push((
            test.chat
                .follow_room(&Person::Anonymous, &room, start)
                .await
                .unwrap(),
            first,
        ));
    }
    test.post(room, "new").await;
    for (mut follower, first) in followers {
        let expected: Vec<u64> = (first..=4).collect();
        assert_eq!(take(&mut follower, expected.len()).await, expected);
    }
}

#[tokio::test]
async fn unusable_cursor_gets_a_reset_and_the_whole_room() {
    let test = TestChat::new(|_| {}).await;
    let room = test.create_room().await;
    test.post(room, "1").await;
    let epoch = test.chat.0.epoch.get();
    let foreign = "deadbeef.1".parse::<Cursor>().unwrap();
    assert_ne!(foreign.epoch, epoch, "equal with a probability of 1 in 2³²");
    for start in [
        Start::Seq(2),
        Start::Cursor(Cursor { epoch, seq: 2 }),
        Start::Cursor(foreign),
        Start::Unknown,
    ] {
        let mut follower = test
            .chat
            .follow_room(&Person::Anonymous, &room, start)
            .await
            .unwrap();
        assert!(
            matches!(follower.next().await.unwrap(), FollowEvent::Reset),
            "{start:?}"
        );
        assert_eq!(take(&mut follower, 1).await, [1]);
    }
}

#[tokio::test]
async fn live_messages_follow_a_history_of_any_length() {
    let test = TestChat::new(|_| {}).await;
    let room = test.create_room().await;
    let mut followers = Vec::new();
    for length in 1..=4 * FIRST_PAGE {
        test.post(room, "history").await;
        let mut follower = test
            .chat
            .follow_room(&Person::Anonymous, &room, Start::Seq(0))
            .await
            .unwrap();
        assert_eq!(take(&mut follower, length).await.len(), length);
        followers.push((follower, length));
    }
    test.post(room, "live").await;
    let last = 4 * FIRST_PAGE as u64 + 1;
    for (mut follower, length) in followers {
        let rest: Vec<u64> = (length as u64 + 1..=last).collect();
        assert_eq!(take(&mut follower, rest.len()).await, rest);
    }
}

#[tokio::test]
async fn drained_stream_ends_after_the_last_message() {
    let test = TestChat::new(|_| {}).await;
    let room = test.create_room().await;
    let mut follower = test
        .chat
        .follow_room(&Person::Anonymous, &room, Start::Seq(0))
        .await
        .unwrap();
    test.post(room, "last").await;
    test.chat.drain();
    assert_eq!(take(&mut follower, 1).await, [1]);
    assert!(matches!(
        follower.next().await.unwrap(),
        FollowEvent::Draining
    ));
    let mut late = test
        .chat
        .follow_room(&Person::Anonymous, &room, Start::Latest)
        .await
        .unwrap();
    assert!(matches!(late.next().await.unwrap(), FollowEvent::Draining));
}

/// A room with a long history, and a follower that has delivered only its first page.
async fn follow_long_history(
    test: &TestChat,
    owner: &Person,
    reader: &Person,
) -> (RoomId, Follower) {
    let room = test
        .chat
        .create_room(owner, &protocol::NewRoom::default())
        .await
        .unwrap()
        .id;
    let message = NewMessage {
        username: "reader".to_owned(),
        body: "hello".to_owned(),
    };
    test.chat
        .post_message(reader, &room, &message, None)
        .await
        .unwrap();
    for n in 2..=4 * FIRST_PAGE {
        test.post(room, &n.to_string()).await;
    }
    let mut follower = test
        .chat
        .follow_room(reader, &room, Start::Seq(0))
        .await
        .unwrap();
    assert_eq!(take(&mut follower, 1).await.len(), FIRST_PAGE);
    (room, follower)
}

#[tokio::test]
async fn ban_or_shutdown_ends_a_stream_in_its_history() {
    let test = TestChat::new(|_| {}).await;
    let [owner, eve] = [(); 2].map(|()| new_guest());
    let (room, mut follower) = follow_long_history(&test, &owner, &eve).await;
    let (_, mut other) = follow_long_history(&test, &owner, &eve).await;
    test.chat
        .impose_sanction(
            &owner,
            &room,
            &SanctionTarget::AuthorOf(1),
            SanctionKind::Ban,
            None,
        )
        .await
        .unwrap();
    assert!(matches!(
        follower.next().await.unwrap(),
        FollowEvent::Removed(_)
    ));
    assert_eq!(
        take(&mut other, 1).await[0],
        FIRST_PAGE as u64 + 1,
        "a ban applies to one room"
    );
    test.chat.drain();
    let cursor = other.cursor();
    assert!(matches!(other.next().await.unwrap(), FollowEvent::Draining));
    assert_eq!(other.cursor(), cursor);
}

#[tokio::test]
async fn follower_skips_no_message_while_the_room_is_erased() {
    let mut test = TestChat::new(|_| {}).await;
    // The ring of the hub has frames of the first room, and none of the second.
    for has_ring in [true, false] {
        let (room, mut follower) =
            follow_long_history(&test, &Person::Anonymous, &Person::Anonymous).await;
        if !has_ring {
            drop(follower);
            test.reopen().await;
            follower = test
                .chat
                .follow_room(&Person::Anonymous, &room, Start::Seq(0))
                .await
                .unwrap();
            take(&mut follower, 1).await;
        }
        let mut tx = test.chat.0.store.begin().await.unwrap();
        let sql =
            "delete from message where key < ((select number from room where id = $1) << 32 | $2)";
        let first_kept = FIRST_PAGE as i64 * 3;
        query(sql)
            .bind(key(room))
            .bind(first_kept)
            .execute(tx.connection())
            .await
            .unwrap();
        tx.commit().await.unwrap();
        test.chat
            .0
            .listeners
            .hub
            .close(room, RoomEnd::ClosedByOwner);
        assert!(
            matches!(follower.next().await.unwrap(), FollowEvent::Closed(_)),
            "{has_ring}"
        );
    }
}

#[tokio::test]
async fn follower_repeats_a_failed_read() {
    let mut test = TestChat::new(|_| {}).await;
    let room = test.create_room().await;
    for n in 1..=3 {
        test.post(room, &n.to_string()).await;
    }
    // After this the ring of the hub is empty.
    test.reopen().await;
    let mut follower = test
        .chat
        .follow_room(&Person::Anonymous, &room, Start::Seq(1))
        .await
        .unwrap();
    let faults = &test.config.faults;
    faults.arm(1, 0);
    let has_errors = async {
        for _ in 0..3 {
            assert!(follower.next().await.is_err());
        }
    };
    if test.chat.0.store.is_shared() {
        // While its connections fail, a follower waits.
        let has_faults = async {
            while faults.happened() < 3 {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            () = has_errors => panic!("the follower does not wait for the database"),
            () = has_faults => {}
        }
    } else {
        has_errors.await;
    }
    faults.arm(0, 0);
    assert_eq!(take(&mut follower, 2).await, [2, 3]);
}

/// A sink that takes everything.
#[derive(Debug, Default)]
struct CollectingSink(Mutex<Vec<u64>>);

impl Sink for CollectingSink {
    fn try_write(&self, frames: &Frames) -> bool {
        lock(&self.0).extend(frames.first()..=frames.last());
        true
    }
}

/// Polls the next event of a follower once. Returns whether the follower waits.
fn starts_waiting(next: Pin<&mut impl Future>) -> bool {
    next.poll(&mut Context::from_waker(Waker::noop()))
        .is_pending()
}

#[tokio::test]
async fn sink_receives_new_messages_while_its_follower_waits() {
    let test = TestChat::new(|_| {}).await;
    let room = test.create_room().await;
    test.post(room, "before").await;
    let sink = Arc::new(CollectingSink::default());
    let follower = test
        .chat
        .follow_room(&Person::Anonymous, &room, Start::Seq(0))
        .await
        .unwrap();
    let mut follower = follower.with_sink(Some(sink.clone()));
    assert_eq!(take(&mut follower, 1).await, [1]);
    {
        let mut next = std::pin::pin!(follower.next());
        assert!(starts_waiting(next.as_mut()));
        for _ in 2..=200 {
            test.post(room, "live").await;
        }
        while lock(&sink.0).len() < 199 {
            yield_now().await;
        }
        assert!(starts_waiting(next.as_mut()));
    }
    // A follower that does not wait lends no sink.
    test.post(room, "after").await;
    assert_eq!(follower.cursor().unwrap().seq, 200);
    assert_eq!(take(&mut follower, 1).await, [201]);
    assert_eq!(*lock(&sink.0), (2..=200).collect::<Vec<_>>());
}

#[tokio::test]
async fn sink_receives_nothing_after_sign_out_or_ban() {
    let test = TestChat::new(|_| {}).await;
    let chat = &test.chat;
    let wish = protocol::NewAccount {
        name: "Eve".to_owned(),
        username: "eve".to_owned(),
        password: "secret".to_owned(),
    };
    let eve = Person::from(chat.register_account(&wish, None).await.unwrap().account);
    let [owner, guest] = [(); 2].map(|()| new_guest());
    let room = chat
        .create_room(&owner, &protocol::NewRoom::default())
        .await
        .unwrap()
        .id;
    let message = NewMessage {
        username: "guest".to_owned(),
        body: "hello".to_owned(),
    };
    chat.post_message(&guest, &room, &message, None)
        .await
        .unwrap();
    let sinks = [(); 3].map(|()| Arc::new(CollectingSink::default()));
    let follow_with_sink = async |by: &Person, sink: usize| {
        let follower = chat.follow_room(by, &room, Start::Latest).await.unwrap();
        follower.with_sink(Some(sinks[sink].clone()))
    };
    let mut followers = [
        follow_with_sink(&eve, 0).await,
        follow_with_sink(&guest, 1).await,
    ];
    let mut waiting = followers
        .each_mut()
        .map(|follower| Box::pin(follower.next()));
    assert!(waiting.iter_mut().all(|next| starts_waiting(next.as_mut())));
    // The sink of the last subscriber is written last.
    let post = async |last: usize, count: usize| {
        test.post(room, "hello").await;
        while lock(&sinks[last].0).len() < count {
            yield_now().await;
        }
    };
    post(1, 1).await;
    chat.sign_out_everywhere(&eve).await.unwrap();
    post(1, 2).await;
    chat.impose_sanction(
        &owner,
        &room,
        &SanctionTarget::AuthorOf(1),
        SanctionKind::Ban,
        None,
    )
    .await
    .unwrap();
    let mut late = follow_with_sink(&owner, 2).await;
    let mut late = Box::pin(late.next());
    assert!(starts_waiting(late.as_mut()));
    post(2, 1).await;
    assert_eq!(
        sinks.map(|sink| lock(&sink.0).clone()),
        [vec![2], vec![2, 3], vec![4]]
    );
}
