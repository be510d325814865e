//! Rooms as each person sees them, and their logs.

use std::collections::BTreeSet;

use chat::{Error, FollowEvent, Follower, Frame, MessagesPage, RoomsPage};
use protocol::Start;
use serde_json::{Value, json, to_value};

use crate::record::{EventRecord, RoomRecord, Upgraded, assert_kept, fixture};

/// What stands in the record, so that no test compares nothing with nothing.
fn facts() -> Vec<(&'static str, Value)> {
    vec![
        ("/rooms/plain/as//message_count", json!(4)),
        ("/rooms/plain/messages/1/body", json!("once only")),
        ("/rooms/plain/messages/2/username", json!("Zoë 🦆")),
        ("/rooms/empty/messages", json!([])),
        ("/rooms/inherited/as/bob/role", json!("owner")),
        ("/rooms/tea/as/rosa/role", json!("owner")),
        ("/rooms/tea/as/grace/role", json!("owner")),
        ("/rooms/tea/messages/0/body", json!("who pours the tea?")),
        ("/rooms/tea/messages/0/author", json!("guest")),
        ("/rooms/tea/messages/2/deleted", json!(true)),
        ("/rooms/tea/events/5/event", json!("deletion")),
        ("/rooms/tea/sanctions/0/kind", json!("mute")),
        ("/rooms/tea/sanctions/0/until", Value::Null),
        ("/rooms/den/as//status", json!(404)),
        ("/rooms/den/as/grace/status", json!(404)),
        ("/rooms/den/as/eve/status", json!(403)),
        ("/rooms/den/as/ada/role", json!("owner")),
        ("/rooms/den/as/bob/role", json!("moderator")),
        ("/rooms/den/as/lin/role", json!("member")),
        ("/rooms/den/as/rosa/role", json!("reader")),
        ("/rooms/den/as/ada/description", json!("Only us")),
        ("/rooms/den/as/ada/private", json!(true)),
        ("/rooms/den/events/7/event", json!("edit")),
        (
            "/rooms/den/events/7/data/message/body",
            json!("message two"),
        ),
        ("/rooms/den/invitations/2/expires_at", Value::Null),
        ("/rooms/hall/as//read_only", json!(true)),
        ("/rooms/hall/as//name", json!("Great Hall")),
        ("/rooms/hall/as/troll/status", json!(403)),
        ("/rooms/hall/audit/0/deed", json!("changed the room")),
        ("/rooms/slow/as//slow_mode", json!(3_600)),
        ("/rooms/named/as//name", json!("standup")),
        ("/rooms/ada and bob/as/bob/with/username", json!("ada")),
        ("/rooms/ada alone/as/ada/with/username", json!("ada")),
        ("/rooms/lobby/messages/2/body", json!("Hi")),
        ("/overviews/bob/chats/0/unread", json!(2)),
        ("/invitations/used up/answer/status", json!(404)),
    ]
}

#[test]
fn record_tells_of_everything_that_was_done() {
    let text = std::fs::read_to_string(fixture("v0_1.json")).unwrap();
    let record: Value = serde_json::from_str(&text).unwrap();
    for (place, expected) in facts() {
        assert_eq!(record.pointer(place), Some(&expected), "{place}");
    }
}

#[tokio::test]
async fn every_person_sees_every_room_as_before_or_is_refused_as_before() {
    let upgraded = Upgraded::open().await;
    assert_eq!(upgraded.record.rooms.len(), 13);
    for (called, RoomRecord { id, seen_as, .. }) in &upgraded.record.rooms {
        assert_eq!(seen_as.len(), 9, "{called}");
        for (who, then) in seen_as {
            let now = match upgraded.chat.find_room(upgraded.person(who), id).await {
                Ok(room) => to_value(room).unwrap(),
                Err(Error::Refusal(refusal)) => json!({ "status": refusal.status() }),
                Err(fault) => panic!("{fault}"),
            };
            assert_kept(&format!("{called} as {who:?}"), then, &now);
        }
    }
}

#[tokio::test]
async fn every_log_is_complete_by_pages_and_by_following_it() {
    let upgraded = Upgraded::open().await;
    for (called, room) in &upgraded.record.rooms {
        let by = upgraded.person(&room.reader);
        let messages = upgraded
            .chat
            .list_messages(by, &room.id, MessagesPage::default())
            .await;
        let messages = to_value(messages.unwrap()).unwrap();
        assert_kept(called, &room.messages, &messages);
        let follow = upgraded.chat.follow_room(by, &room.id, Start::Seq(0)).await;
        let frames = read_frames(follow.unwrap(), room.events.len()).await;
        for (then, now) in room.events.iter().zip(&frames) {
            assert_frame(called, then, now);
        }
    }
}

#[tokio::test]
async fn cursor_of_then_resumes_right_after_its_event() {
    let upgraded = Upgraded::open().await;
    for (called, room) in &upgraded.record.rooms {
        let by = upgraded.person(&room.reader);
        for (then, next) in room.events.iter().zip(room.events.iter().skip(1)) {
            let start = Start::parse_event_id(&then.id);
            assert!(matches!(start, Start::Cursor(_)), "{}", then.id);
            let follow = upgraded
                .chat
                .follow_room(by, &room.id, start)
                .await
                .unwrap();
            let frames = read_frames(follow, 1).await;
            assert_frame(called, next, &frames[0]);
        }
    }
}

#[tokio::test]
async fn members_sanctions_invitations_and_audit_trails_are_kept() {
    let upgraded = Upgraded::open().await;
    let chat = &upgraded.chat;
    for (called, room) in &upgraded.record.rooms {
        let (by, id) = (upgraded.person(&room.reader), &room.id);
        let parts = [
            (
                "members",
                &room.members,
                answer(chat.list_members(by, id).await),
            ),
            (
                "sanctions",
                &room.sanctions,
                answer(chat.list_sanctions(by, id).await),
            ),
            (
                "invitations",
                &room.invitations,
                answer(chat.list_invitations(by, id).await),
            ),
            (
                "audit trail",
                &room.audit,
                answer(chat.list_audit_log(by, id, u64::MAX, 100).await),
            ),
        ];
        for (part, then, now) in parts {
            assert_kept(&format!("{part} of {called}"), then, &now);
        }
    }
}

#[tokio::test]
async fn public_rooms_are_listed_as_before() {
    let upgraded = Upgraded::open().await;
    let rooms = upgraded
        .chat
        .list_public_rooms(RoomsPage::default())
        .await
        .unwrap();
    let then = &upgraded.record.public_rooms;
    assert_kept("public rooms", then, &to_value(rooms).unwrap());
}

#[tokio::test]
async fn named_room_is_found_by_its_name() {
    let upgraded = Upgraded::open().await;
    let found = upgraded.chat.find_room_by_name("standup").await.unwrap();
    assert_eq!(found.unwrap().id, upgraded.room("named"));
}

/// An answer as the API gives it.
fn answer<T: serde::Serialize>(answer: Result<T, Error>) -> Value {
    match answer {
        Ok(answer) => to_value(answer).unwrap(),
        Err(Error::Refusal(refusal)) => json!({ "status": refusal.status() }),
        Err(fault) => panic!("{fault}"),
    }
}

/// The next entries of a log, with their own sequences.
async fn read_frames(mut follow: Follower, count: usize) -> Vec<Frame> {
    let mut frames = Vec::new();
    while frames.len() < count {
        match follow.next().await.unwrap() {
            FollowEvent::Messages(more) => frames.extend(more.frames()),
            other => panic!("{other:?}"),
        }
    }
    let sequences: BTreeSet<u64> = frames.iter().map(|frame| frame.cursor.seq).collect();
    assert_eq!(sequences.len(), frames.len());
    frames
}

#[track_caller]
fn assert_frame(called: &str, then: &EventRecord, now: &Frame) {
    assert_eq!(now.cursor.to_string(), then.id, "{called}");
    let kind = now.change.map(protocol::ChangeKind::text);
    assert_eq!(kind, then.event.as_deref(), "{called}");
    let mut data: Value = serde_json::from_slice(&now.json).unwrap();
    if let Some(kind) = kind {
        // Version 0.1 named the kind in `event`.
        assert_eq!(data["kind"], kind);
        data["event"] = data["kind"].take();
    }
    assert_kept(&format!("{called}, {}", then.id), &then.data, &data);
}
