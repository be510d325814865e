//! Tests of sanctions.

use std::task::{Context, Poll, Waker};
use std::time::Duration;

use protocol::{NewMessage, Role, RoomChange, SanctionKind, Start};

use crate::testing::{TestChat, new_guest};
use crate::{FollowEvent, SanctionTarget};

#[tokio::test]
async fn banned_follower_is_removed_even_if_it_stops_waiting_in_between() {
    let test = TestChat::new(|_| {}).await;
    let chat = &test.chat;
    let [owner, eve] = [(); 2].map(|()| new_guest());
    let room = chat
        .create_room(&owner, &protocol::NewRoom::default())
        .await
        .unwrap()
        .id;
    let says = NewMessage {
        username: "eve".to_owned(),
        body: "hello".to_owned(),
    };
    chat.post_message(&eve, &room, &says, None).await.unwrap();
    let mut follow = chat.follow_room(&eve, &room, Start::Latest).await.unwrap();
    chat.impose_sanction(
        &owner,
        &room,
        &SanctionTarget::AuthorOf(1),
        SanctionKind::Ban,
        None,
    )
    .await
    .unwrap();
    {
        // Drops the future while the database is busy, as a socket does when it receives
        // something else.
        let mut busy = Vec::new();
        for _ in 0..crate::store::READERS {
            busy.push(chat.0.store.reader().await.unwrap());
        }
        let next = std::pin::pin!(follow.next());
        assert!(
            next.poll(&mut Context::from_waker(Waker::noop()))
                .is_pending()
        );
    }
    let news = tokio::time::timeout(Duration::from_secs(20), follow.next()).await;
    assert!(matches!(
        news.expect("nothing more comes").unwrap(),
        FollowEvent::Removed(_)
    ));
}

/// The check costs a lookup for each follower of the room.
#[tokio::test]
async fn followers_check_their_access_only_after_a_change_that_can_end_it() {
    let test = TestChat::new(|_| {}).await;
    let chat = &test.chat;
    let [owner, eve] = [(); 2].map(|()| new_guest());
    let wish = protocol::NewRoom::default();
    let room = chat.create_room(&owner, &wish).await.unwrap().id;
    let says = NewMessage {
        username: "eve".to_owned(),
        body: "hello".to_owned(),
    };
    chat.post_message(&eve, &room, &says, None).await.unwrap();
    let target = SanctionTarget::AuthorOf(1);
    let impose = |kind| chat.impose_sanction(&owner, &room, &target, kind, None);
    let change = async |change: RoomChange| {
        let changed = chat.change_room_settings(&owner, &room, &change);
        changed.await.unwrap();
    };
    let read_only = || RoomChange {
        read_only: Some(true),
        ..RoomChange::default()
    };
    let private = || RoomChange {
        private: Some(true),
        ..RoomChange::default()
    };
    let subscribe = || chat.0.listeners.hub.subscribe(room);

    let subscriber = subscribe();
    let muted = impose(SanctionKind::Mute).await.unwrap();
    chat.lift_sanction(&owner, &room, &muted.id).await.unwrap();
    change(read_only()).await;
    assert!(subscriber.next_urgent().is_none());
    impose(SanctionKind::Ban).await.unwrap();
    assert!(subscriber.next_urgent().is_some());

    let subscriber = subscribe();
    chat.lift_sanction(&owner, &room, &muted.id).await.unwrap();
    assert!(subscriber.next_urgent().is_none());
    change(private()).await;
    assert!(subscriber.next_urgent().is_some());

    let subscriber = subscribe();
    change(read_only()).await;
    assert!(subscriber.next_urgent().is_none());
}

#[tokio::test]
async fn banned_account_cannot_escape_by_merging_a_guest() {
    let test = TestChat::new(|_| {}).await;
    let chat = &test.chat;
    let owner = new_guest();
    let (ban, mute) = (SanctionKind::Ban, SanctionKind::Mute);
    // The sanction of the account, the sanction of its guest, and the sanction after the merge.
    for (number, (own, others, both)) in [
        ((ban, None), (mute, Some("1m")), (ban, None)),
        ((mute, Some("1m")), (ban, None), (ban, None)),
        ((mute, Some("1m")), (ban, Some("2h")), (ban, Some(2))),
        ((mute, Some("3h")), (ban, Some("1m")), (ban, Some(3))),
        ((ban, Some("1ms")), (mute, Some("1h")), (mute, Some(1))),
    ]
    .into_iter()
    .enumerate()
    {
        let room = chat
            .create_room(&owner, &protocol::NewRoom::default())
            .await
            .unwrap()
            .id;
        let username = format!("eve{number}");
        let (eve, troll) = (test.register(&username).await, new_guest());
        for (seq, person, name, (kind, lasts)) in [
            (1, &eve, &username, own),
            (2, &troll, &"troll".to_owned(), others),
        ] {
            let says = NewMessage {
                username: name.clone(),
                body: "hello".to_owned(),
            };
            chat.post_message(person, &room, &says, None).await.unwrap();
            chat.impose_sanction(&owner, &room, &SanctionTarget::AuthorOf(seq), kind, lasts)
                .await
                .unwrap();
        }
        test.config.clock.advance(Duration::from_millis(2));
        chat.merge_guest(&eve, &troll).await.unwrap();
        let found = chat.list_sanctions(&owner, &room).await.unwrap();
        let found = found
            .iter()
            .find(|sanctioned| sanctioned.id == username)
            .expect("it is still there");
        let hours = found.until.map(|until| {
            until
                .since(test.config.clock.now())
                .as_secs()
                .div_ceil(3_600)
        });
        assert_eq!((found.kind, hours), both, "{own:?} and {others:?}");
    }
}

#[tokio::test]
async fn ban_of_a_merged_guest_removes_the_follower_of_the_account() {
    let test = TestChat::new(|_| {}).await;
    let chat = &test.chat;
    let [owner, troll] = [(); 2].map(|()| new_guest());
    let room = chat
        .create_room(&owner, &protocol::NewRoom::default())
        .await
        .unwrap()
        .id;
    let eve = test.register("eve").await;
    let mut follow = chat.follow_room(&eve, &room, Start::Latest).await.unwrap();
    let says = NewMessage {
        username: "troll".to_owned(),
        body: "hello".to_owned(),
    };
    chat.post_message(&troll, &room, &says, None).await.unwrap();
    chat.impose_sanction(
        &owner,
        &room,
        &SanctionTarget::AuthorOf(1),
        SanctionKind::Ban,
        None,
    )
    .await
    .unwrap();
    assert!(matches!(
        follow.next().await.unwrap(),
        FollowEvent::Messages(_)
    ));
    chat.merge_guest(&eve, &troll).await.unwrap();
    let news = tokio::time::timeout(Duration::from_secs(20), follow.next()).await;
    assert!(matches!(
        news.expect("nothing more comes").unwrap(),
        FollowEvent::Removed(_)
    ));
}

#[tokio::test]
async fn only_guests_whom_the_room_knows_can_be_sanctioned() {
    let test = TestChat::new(|_| {}).await;
    let chat = &test.chat;
    let [owner, writer, invented] = [(); 3].map(|()| new_guest());
    let wish = protocol::NewRoom::default();
    let room = chat.create_room(&owner, &wish).await.unwrap().id;
    let says = NewMessage {
        username: "troll".to_owned(),
        body: "hello".to_owned(),
    };
    chat.post_message(&writer, &room, &says, None)
        .await
        .unwrap();
    for (guest, is_known) in [(writer, true), (invented, false)] {
        let target = SanctionTarget::Person(guest.public_id().unwrap());
        let imposed = chat.impose_sanction(&owner, &room, &target, SanctionKind::Ban, None);
        assert_eq!(imposed.await.is_ok(), is_known);
    }
}

#[tokio::test]
async fn audit_log_has_the_id_of_a_person_however_it_was_written() {
    let test = TestChat::new(|_| {}).await;
    let chat = &test.chat;
    let owner = new_guest();
    let eve = test.register("eve").await;
    let wish = protocol::NewRoom::default();
    let room = chat.create_room(&owner, &wish).await.unwrap().id;
    let invitation = protocol::NewInvitation::default();
    let invitation = chat
        .create_invitation(&owner, &room, &invitation)
        .await
        .unwrap();
    chat.accept_invitation(&eve, &invitation.code)
        .await
        .unwrap();
    let written = format!("{}\nEVE ", " ".repeat(10_000));
    let target = SanctionTarget::Person(written.clone());
    chat.impose_sanction(&owner, &room, &target, SanctionKind::Mute, None)
        .await
        .unwrap();
    chat.lift_sanction(&owner, &room, &written).await.unwrap();
    chat.set_member_role(&owner, &room, &written, Role::Reader)
        .await
        .unwrap();
    chat.remove_member(&owner, &room, &written).await.unwrap();
    let entries = chat
        .list_audit_log(&owner, &room, u64::MAX, 4)
        .await
        .unwrap();
    let targets: Vec<&str> = entries.iter().map(|entry| entry.target.as_str()).collect();
    assert_eq!(targets, ["eve"; 4]);
}

#[tokio::test]
async fn cancelled_close_leaves_the_room_open_or_ends_it() {
    let test = TestChat::new(|_| {}).await;
    let (chat, owner) = (&test.chat, new_guest());
    let mut ended = 0;
    for patience in 1.. {
        let room = chat
            .create_room(&owner, &protocol::NewRoom::default())
            .await
            .unwrap()
            .id;
        let mut follow = chat
            .follow_room(&owner, &room, Start::Latest)
            .await
            .unwrap();
        let answer = {
            let (mut polls, mut close) = (0, std::pin::pin!(chat.close_room(&owner, &room)));
            let until_patience_ends = std::future::poll_fn(|context| {
                polls += 1;
                if polls > patience {
                    Poll::Ready(None)
                } else {
                    close.as_mut().poll(context).map(Some)
                }
            });
            until_patience_ends.await
        };
        // The next transaction begins only after the one under way has ended.
        drop(chat.0.store.begin().await.unwrap());
        if chat.find_room(&owner, &room).await.is_err() {
            let end =
                async { while !matches!(follow.next().await.unwrap(), FollowEvent::Closed(_)) {} };
            tokio::time::timeout(Duration::from_secs(20), end)
                .await
                .expect("the room does not end");
            ended += 1;
        }
        if answer.is_some() {
            break;
        }
    }
    assert!(ended > 0);
}

#[tokio::test]
async fn muted_moderator_cannot_lift_the_mute() {
    let test = TestChat::new(|_| {}).await;
    let chat = &test.chat;
    let owner = new_guest();
    let eve = test.register("eve").await;
    let wish = protocol::NewRoom::default();
    let room = chat.create_room(&owner, &wish).await.unwrap().id;
    let invitation = protocol::NewInvitation::default();
    let invitation = chat
        .create_invitation(&owner, &room, &invitation)
        .await
        .unwrap();
    chat.accept_invitation(&eve, &invitation.code)
        .await
        .unwrap();
    chat.set_member_role(&owner, &room, "eve", Role::Moderator)
        .await
        .unwrap();
    let target = SanctionTarget::Person("eve".to_owned());
    chat.impose_sanction(&owner, &room, &target, SanctionKind::Mute, None)
        .await
        .unwrap();
    assert!(chat.lift_sanction(&eve, &room, "eve").await.is_err());
    chat.lift_sanction(&owner, &room, "eve").await.unwrap();
}
