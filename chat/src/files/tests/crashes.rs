//! Whatever interrupts the way of a file, the next start goes on.

use super::*;
use crate::testing::new_guest;

/// Uploads a file in a task that the test never lets end.
fn upload_in_background(test: &TestChat, by: &Person, room: RoomId) {
    let (chat, by) = (test.chat.clone(), by.clone());
    tokio::spawn(async move {
        let upload = chat.begin_upload(&by, &room, "a.txt", Some(5)).await;
        let mut upload = upload.unwrap();
        upload.write(b"bytes").await.unwrap();
        upload.finish().await
    });
}

#[tokio::test]
async fn killed_upload_is_complete_or_gone_after_the_next_start() {
    for (place, is_complete) in [
        ("upload begun", false),
        ("file received", true),
        ("file published", true),
        ("file ready", true),
    ] {
        let mut test = new_test_chat(|_| {}).await;
        let ada = new_guest();
        let room = create_room(&test, &ada).await;
        let (_, before) = send(&test, &ada, room, b"before").await;
        test.config.faults.stop_at(place);
        upload_in_background(&test, &ada, room);
        test.config.faults.stopped_at(place).await;
        test.reopen().await;
        sweep(&test).await;
        let mut left = check_consistency(&test).await;
        assert!(left.remove(&before.id), "{place}");
        assert_eq!(left.len(), usize::from(is_complete), "{place}");
        for id in left {
            assert_eq!(read(&test, &ada, room, id).await.unwrap(), b"bytes");
            try_attach(&test, &ada, room, &[id]).await.unwrap();
        }
    }
}

#[tokio::test]
async fn killed_deletion_goes_on_after_the_next_start() {
    let mut test = new_test_chat(|_| {}).await;
    let ada = new_guest();
    let room = create_room(&test, &ada).await;
    let (message, _) = send(&test, &ada, room, b"bytes").await;
    test.config.faults.stop_at("bytes deleted");
    test.chat
        .delete_message(&ada, &room, message.id)
        .await
        .unwrap();
    test.config.faults.stopped_at("bytes deleted").await;
    test.reopen().await;
    sweep(&test).await;
    assert!(check_consistency(&test).await.is_empty());
}

#[tokio::test]
async fn killed_upload_and_lost_bytes_are_found_by_the_comparison() {
    let test = new_test_chat(|_| {}).await;
    let ada = new_guest();
    let room = create_room(&test, &ada).await;
    let (_, kept) = send(&test, &ada, room, b"kept").await;
    let unattached = upload(&test, &ada, room, b"unattached").await;
    let orphan = super::super::ObjectKey {
        room,
        file: FileId::from_bytes([9; 8]),
    };
    let staged = test.config.data_dir.join("staged");
    std::fs::write(&staged, b"orphan").unwrap();
    let store = test.chat.0.files.store().clone();
    store.put(orphan, &staged).await.unwrap();
    let compare = async || {
        let sweeper = sweeper(&test);
        sweeper.compare(test.config.clock.now()).await.unwrap();
        sweeper.sweep().await.unwrap();
    };
    compare().await;
    assert!(store.read(orphan, 0..1).await.is_ok(), "it is young");
    assert!(read(&test, &ada, room, unattached.id).await.is_ok());
    test.config.clock.advance(25 * HOUR);
    compare().await;
    assert_eq!(check_consistency(&test).await, BTreeSet::from([kept.id]));
    assert_eq!(read(&test, &ada, room, kept.id).await.unwrap(), b"kept");
}

#[tokio::test]
async fn files_whose_message_an_earlier_version_has_deleted_are_given_up() {
    let mut test = new_test_chat(|_| {}).await;
    let ada = new_guest();
    let room = create_room(&test, &ada).await;
    send(&test, &ada, room, b"1").await;
    let (_, kept) = send(&test, &ada, room, b"2").await;
    test.reopen_after(&["update message set deleted_at = 1 where (key & 4294967295) = 1"])
        .await;
    let sweeper = sweeper(&test);
    sweeper.compare(test.config.clock.now()).await.unwrap();
    sweeper.sweep().await.unwrap();
    assert_eq!(check_consistency(&test).await, BTreeSet::from([kept.id]));
}
