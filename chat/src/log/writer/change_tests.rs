//! Tests of edits and deletions, and of the erasure of deleted text.

use std::time::Duration;

use protocol::{ChangeKind, NewMessage, RoomId};
use texts::refusal;

use super::*;
use crate::identity::person::Person;
use crate::store::MessagesPage;
use crate::testing::{TestChat, new_guest};
use crate::{Chat, FollowEvent};

/// The people of a test, one in each role.
struct People {
    owner: Person,
    author: Person,
    other: Person,
}

fn ada_says(body: &str) -> NewMessage {
    NewMessage {
        username: "ada".to_owned(),
        body: body.to_owned(),
    }
}

#[tokio::test]
async fn author_edits_a_message_and_a_moderator_deletes_it() {
    let test = TestChat::new(|_| {}).await;
    let chat = &test.chat;
    let [owner, author, other] = [(); 3].map(|()| new_guest());
    let people = People {
        owner,
        author,
        other,
    };
    let room = chat
        .create_room(&people.owner, &protocol::NewRoom::default())
        .await
        .unwrap()
        .id;
    let mut follower = chat
        .follow_room(&people.other, &room, protocol::Start::Latest)
        .await
        .unwrap();
    check_edit(chat, room, &people).await;
    check_deletion(chat, room, &people).await;
    let mut delivered = Vec::new();
    while delivered.len() < 4 {
        let FollowEvent::Messages(frames) = follower.next().await.unwrap() else {
            continue;
        };
        delivered.extend(
            frames
                .frames()
                .map(|frame| (frame.cursor.seq, frame.change)),
        );
    }
    let edit = Some(ChangeKind::Edit);
    let deletion = Some(ChangeKind::Deletion);
    assert_eq!(delivered, [(1, None), (2, edit), (3, deletion), (4, None)]);
}

/// Posts message 1 and edits it as entry 2.
async fn check_edit(chat: &Chat, room: RoomId, people: &People) {
    let author = &people.author;
    let first = chat
        .post_message(author, &room, &ada_says("hello"), Some("k".into()))
        .await
        .unwrap();
    for by in [&people.owner, &people.other, &Person::Anonymous] {
        assert!(matches!(
            chat.edit_message(by, &room, 1, "no").await,
            Err(Error::Refusal(Refusal::Forbidden(_)))
        ));
    }
    let edited = chat
        .edit_message(author, &room, 1, "hello, all ")
        .await
        .unwrap();
    assert_eq!(
        (edited.id, edited.body(), edited.sent_at),
        (1, "hello, all", first.sent_at)
    );
    assert!(edited.edited_at.is_some());
    assert!(chat.edit_message(author, &room, 1, "").await.is_err());
    // The idempotency key still leads to the same message.
    let repeated = chat
        .post_message(author, &room, &ada_says("hello"), Some("k".into()))
        .await
        .unwrap();
    assert_eq!(repeated, edited);
}

/// Deletes message 1 as entry 3 and posts message 4.
async fn check_deletion(chat: &Chat, room: RoomId, people: &People) {
    let author = &people.author;
    for missing in [2, 9] {
        let refused = chat.delete_message(author, &room, missing).await;
        assert!(
            matches!(
                refused,
                Err(Error::Refusal(Refusal::NotFound(refusal::NO_MESSAGE)))
            ),
            "{missing}"
        );
    }
    assert!(matches!(
        chat.delete_message(&people.other, &room, 1).await,
        Err(Error::Refusal(Refusal::Forbidden(_)))
    ));
    let deleted = chat.delete_message(&people.owner, &room, 1).await.unwrap();
    assert_eq!((deleted.body(), deleted.is_deleted()), ("", true));
    assert!(matches!(
        chat.edit_message(author, &room, 1, "back").await,
        Err(Error::Refusal(Refusal::NotFound(_)))
    ));
    let audit_log = chat
        .list_audit_log(&people.owner, &room, u64::MAX, 9)
        .await
        .unwrap();
    assert_eq!(audit_log[0].action, "deleted message");
    let next = chat
        .post_message(author, &room, &ada_says("next"), None)
        .await
        .unwrap();
    assert_eq!(next.id, 4);
    assert_eq!(
        chat.find_room(author, &room).await.unwrap().message_count,
        2
    );
    let page = chat
        .list_messages(author, &room, MessagesPage::default())
        .await
        .unwrap();
    assert_eq!(
        page.iter().map(|message| message.id).collect::<Vec<_>>(),
        [1, 4]
    );
}

#[tokio::test]
async fn change_does_not_extend_the_room_and_deleted_text_is_in_no_file() {
    let test = TestChat::new(|_| {}).await;
    let ada = new_guest();
    let room = test.create_room().await;
    let secret = "a very secret text that no file may keep";
    let message = ada_says(secret);
    test.chat
        .post_message(&ada, &room, &message, None)
        .await
        .unwrap();
    let end = test.chat.find_room(&ada, &room).await.unwrap().expires_at;
    test.config.clock.advance(Duration::from_secs(60));
    test.chat
        .edit_message(&ada, &room, 1, &format!("{secret}, edited"))
        .await
        .unwrap();
    test.chat.delete_message(&ada, &room, 1).await.unwrap();
    assert_eq!(
        test.chat.find_room(&ada, &room).await.unwrap().expires_at,
        end
    );
    wait_until_no_file_contains(&test, secret).await;
    let mut follower = test
        .chat
        .follow_room(&ada, &room, protocol::Start::Latest)
        .await
        .unwrap();
    test.config.clock.advance(test.config.timeout);
    while !matches!(follower.next().await.unwrap(), FollowEvent::Closed(_)) {}
    let archive = test.config.data_dir.join(format!("archive/{room}.jsonl"));
    let archive = std::fs::read_to_string(&archive).unwrap();
    assert!(archive.contains(r#""deleted":true"#) && !archive.contains(secret));
}

#[tokio::test]
async fn text_deleted_just_before_a_restart_is_in_no_file() {
    let mut test = TestChat::new(|_| {}).await;
    let ada = new_guest();
    let room = test.create_room().await;
    let secret = "a very secret text that no file may keep";
    let message = ada_says(secret);
    test.chat
        .post_message(&ada, &room, &message, None)
        .await
        .unwrap();
    test.chat.delete_message(&ada, &room, 1).await.unwrap();
    test.reopen().await;
    wait_until_no_file_contains(&test, secret).await;
}

#[tokio::test]
async fn text_of_an_ended_room_is_in_no_file() {
    let test = TestChat::new(|config| config.archive = false).await;
    let room = test.create_room().await;
    let secret = "a very secret text that no file may keep";
    test.post(room, secret).await;
    test.config.clock.advance(test.config.timeout);
    wait_until_no_file_contains(&test, secret).await;
}

/// Returns when no file of an open chat contains the text.
async fn wait_until_no_file_contains(test: &TestChat, text: &str) {
    let contains_text = |file: &std::fs::DirEntry| {
        let bytes = std::fs::read(file.path()).unwrap_or_default();
        bytes
            .windows(text.len())
            .any(|part| part == text.as_bytes())
    };
    let clean_twice = async {
        // Twice, because a text may move from an unread file to a file that was already read.
        let mut clean = 0;
        while clean < 2 {
            let is_found = std::fs::read_dir(&test.config.data_dir)
                .unwrap()
                .any(|file| contains_text(&file.unwrap()));
            clean = if is_found { 0 } else { clean + 1 };
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), clean_twice)
        .await
        .expect("a file still contains the text");
}
