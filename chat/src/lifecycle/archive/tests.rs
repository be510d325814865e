//! Archives after a restore, and exports while a room ends.

use protocol::{NewRoom, RoomId, Start};

use super::*;
use crate::store::sql::query;
use crate::testing::{TestChat, new_guest, new_message};
use crate::{FollowEvent, Person, back_up_database, restore_database};

async fn close(test: &TestChat, by: &Person, room: RoomId) {
    let mut follower = test
        .chat
        .follow_room(by, &room, Start::Latest)
        .await
        .unwrap();
    test.chat.close_room(by, &room).await.unwrap();
    while !matches!(follower.next().await.unwrap(), FollowEvent::Closed(_)) {}
}

#[tokio::test]
async fn room_that_ends_again_after_a_restore_keeps_all_its_archives() {
    let mut test = TestChat::in_file(|_| {}).await;
    let owner = new_guest();
    let room = test
        .chat
        .create_room(&owner, &NewRoom::default())
        .await
        .unwrap()
        .id;
    test.post(room, "kept").await;
    let copy = test.config.data_dir.join("copy");
    back_up_database(&test.config, &copy).await.unwrap();
    for (history, messages) in [("first", 5), ("second", 2), ("third", 9), ("", 0)] {
        for number in 0..messages {
            test.post(room, &format!("{history} {number}")).await;
        }
        close(&test, &owner, room).await;
        test.chat.close().await;
        restore_database(&test.config, &copy).await.unwrap();
        test.reopen().await;
    }
    let archives = test.config.data_dir.join("archive");
    let texts: Vec<String> = ["1.jsonl", "2.jsonl", "3.jsonl", "jsonl"]
        .map(|end| std::fs::read_to_string(archives.join(format!("{room}.{end}"))).unwrap())
        .to_vec();
    for (text, (history, messages)) in texts
        .iter()
        .zip([("first", 5), ("second", 2), ("third", 9)])
    {
        assert_eq!(text.matches(history).count(), messages, "{history}");
    }
    assert_eq!(texts[3].lines().count(), 3);
    assert_eq!(std::fs::read_dir(archives).unwrap().count(), texts.len());
}

#[tokio::test]
async fn export_of_a_room_that_ends_meanwhile_fails() {
    let test = TestChat::new(|_| {}).await;
    let owner = new_guest();
    let room = test
        .chat
        .create_room(&owner, &NewRoom::default())
        .await
        .unwrap()
        .id;
    let posts = (0..2 * PAGE).map(|number| {
        let chat = test.chat.clone();
        async move {
            chat.post_message(
                &Person::Anonymous,
                &room,
                &new_message(&number.to_string()),
                None,
            )
            .await
            .unwrap()
        }
    });
    futures_util::future::join_all(posts).await;
    let mut export = test
        .chat
        .export_room(&owner, &room, ExportFormat::Archive)
        .await
        .unwrap();
    for _ in 0..2 {
        export.next().await.unwrap().unwrap();
    }
    let mut gap = test
        .chat
        .export_room(&owner, &room, ExportFormat::Archive)
        .await
        .unwrap();
    for _ in 0..2 {
        gap.next().await.unwrap().unwrap();
    }
    // The first part of the erasure of a large room.
    let mut tx = test.chat.0.store.begin().await.unwrap();
    query("delete from message where (key & 4294967295) between 600 and 700")
        .execute(tx.connection())
        .await
        .unwrap();
    tx.commit().await.unwrap();
    gap.next().await.unwrap().unwrap();
    assert!(gap.next().await.is_err());
    test.chat
        .0
        .store
        .begin()
        .await
        .unwrap()
        .commit()
        .await
        .unwrap();
    assert!(export.next().await.is_ok());
    assert!(export.next().await.is_err());
}
