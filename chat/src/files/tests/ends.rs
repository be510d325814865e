//! What ends with a room or an account.

use std::path::Path;

use protocol::Start;
use sha2::{Digest, Sha256};

use super::*;
use crate::FollowEvent;
use crate::testing::{new_guest, soon_true};

pub(super) async fn close(test: &TestChat, by: &Person, room: RoomId) {
    let follow = test.chat.follow_room(by, &room, Start::Latest).await;
    let mut follower = follow.unwrap();
    test.chat.close_room(by, &room).await.unwrap();
    while !matches!(follower.next().await.unwrap(), FollowEvent::Closed(_)) {}
}

fn sha256(path: &Path) -> String {
    let digest = Sha256::digest(std::fs::read(path).unwrap());
    protocol::hexadecimal(&digest)
}

/// Checks that the archive of a room has these files.
fn check_archive(test: &TestChat, room: RoomId, files: &[File]) {
    let archives = test.config.data_dir.join("archive");
    let text = std::fs::read_to_string(archives.join(format!("{room}.jsonl"))).unwrap();
    let lines: Vec<serde_json::Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let last = lines.last().unwrap();
    let size: u64 = files.iter().map(|file| file.size).sum();
    assert_eq!(
        (&last["files"], &last["file_bytes"]),
        (&files.len().into(), &size.into())
    );
    for file in files {
        assert!(text.contains(&file.sha256), "{text}");
        let path = archives.join(room.to_string()).join(file.id.to_string());
        assert_eq!(sha256(&path), file.sha256);
    }
}

#[tokio::test]
async fn ended_room_leaves_its_files_in_the_archive_alone() {
    let test = new_test_chat(|_| {}).await;
    let owner = new_guest();
    let [room, other] = [
        create_room(&test, &owner).await,
        create_room(&test, &owner).await,
    ];
    let (_, one) = send(&test, &owner, room, b"one").await;
    let (_, two) = send(&test, &owner, room, b"two").await;
    let (deleted, _) = send(&test, &owner, room, b"deleted-marker").await;
    upload(&test, &owner, room, b"unattached").await;
    let (_, kept) = send(&test, &owner, other, b"kept").await;
    test.chat
        .delete_message(&owner, &room, deleted.id)
        .await
        .unwrap();
    close(&test, &owner, room).await;
    check_archive(&test, room, &[one.clone(), two]);
    let gone = read(&test, &owner, room, one.id).await;
    assert!(matches!(gone, Err(Error::Refusal(Refusal::Gone(_)))));
    sweep(&test).await;
    assert_eq!(check_consistency(&test).await, BTreeSet::from([kept.id]));
    assert!(!contains(
        &test.config.data_dir.join("archive"),
        b"deleted-marker"
    ));
}

#[tokio::test]
async fn killed_end_of_a_room_goes_on_after_the_next_start() {
    for place in ["room archived", "bytes of a room deleted"] {
        let mut test = new_test_chat(|_| {}).await;
        let owner = new_guest();
        let room = create_room(&test, &owner).await;
        let (_, file) = send(&test, &owner, room, b"bytes").await;
        test.config.faults.stop_at(place);
        test.chat.close_room(&owner, &room).await.unwrap();
        test.config.faults.stopped_at(place).await;
        test.reopen().await;
        let is_erased = async || {
            let rooms = crate::store::rooms::count_by_state(&test.chat.0.store).await;
            rooms.unwrap().ending == 0
        };
        soon_true("the room is erased", is_erased).await;
        sweep(&test).await;
        assert!(check_consistency(&test).await.is_empty(), "{place}");
        check_archive(&test, room, &[file]);
    }
}

#[tokio::test]
async fn bytes_of_an_archive_that_was_never_complete_are_removed() {
    let test = new_test_chat(|_| {}).await;
    let owner = new_guest();
    let room = create_room(&test, &owner).await;
    let (_, file) = send(&test, &owner, room, b"bytes").await;
    let left = test.config.data_dir.join("archive").join(room.to_string());
    std::fs::create_dir_all(&left).unwrap();
    std::fs::write(left.join("0000000000000001"), b"deleted meanwhile").unwrap();
    close(&test, &owner, room).await;
    check_archive(&test, room, &[file]);
    assert_eq!(std::fs::read_dir(left).unwrap().count(), 1);
}

#[tokio::test]
async fn file_of_a_guest_is_of_the_account_after_sign_in_and_ends_with_the_account() {
    let test = new_test_chat(|_| {}).await;
    let guest = new_guest();
    let ada = test.register("ada").await;
    let room = create_room(&test, &guest).await;
    let [one, two] = [
        upload(&test, &guest, room, b"1").await.id,
        upload(&test, &guest, room, b"2").await.id,
    ];
    test.chat.merge_guest(&ada, &guest).await.unwrap();
    assert!(is_invalid(try_attach(&test, &guest, room, &[one]).await));
    try_attach(&test, &ada, room, &[one]).await.unwrap();
    test.chat
        .delete_account(&ada, "secret", None)
        .await
        .unwrap();
    sweep(&test).await;
    assert!(!check_consistency(&test).await.contains(&two));
    assert!(read(&test, &Person::Anonymous, room, one).await.is_ok());
}
