//! What ends an upload, and how many there may be.

use super::*;

#[tokio::test]
async fn upload_without_a_byte_for_a_day_is_deleted() {
    let test = new_test_chat(|config| config.room_files = 150_000).await;
    let (ada, room) = new_room(&test).await;
    let id = create(&test.chat, &ada, room, 100_000).await.unwrap();
    let sent = bytes_of(1, 100_000);
    for n in 0..2 {
        test.config.clock.advance(DAY - Duration::from_secs(60));
        sweep(&test).await;
        let bytes = sent.slice(n * 1_000..(n + 1) * 1_000);
        let part = part_at(n as u64 * 1_000);
        send(&test.chat, &ada, room, id, part, body(&bytes))
            .await
            .unwrap();
    }
    let full = create(&test.chat, &ada, room, 100_000).await;
    assert!(matches!(
        full,
        Err(Error::Refusal(Refusal::FilesTooLarge(FileSpace::Room, _)))
    ));
    test.config.clock.advance(DAY + Duration::from_secs(60));
    sweep(&test).await;
    assert!(is_not_found(&offset(&test.chat, &ada, room, id).await));
    assert_eq!(count_left(&test).await, (0, 0));
    assert_eq!(count_reserved(&test).await, (0, 0));
    create(&test.chat, &ada, room, 100_000).await.unwrap();
}

#[tokio::test]
async fn of_ten_uploads_at_once_for_the_space_of_one_exactly_one_begins() {
    let test = new_test_chat(|config| config.room_files = 150_000).await;
    let (ada, room) = new_room(&test).await;
    let begin = |_| create(&test.chat, &ada, room, 100_000);
    let begun = futures_util::future::join_all((0..10).map(begin)).await;
    assert_eq!(begun.iter().filter(|begun| begun.is_ok()).count(), 1);
    let id = begun.into_iter().find_map(Result::ok).unwrap();
    let turn = test.chat.take_upload(&ada, &room, id, None).await.unwrap();
    turn.terminate().await.unwrap();
    assert!(is_not_found(&offset(&test.chat, &ada, room, id).await));
    sweep(&test).await;
    create(&test.chat, &ada, room, 100_000).await.unwrap();
}

#[tokio::test]
async fn upload_ends_with_the_access_of_its_sender_and_with_the_room() {
    let test = new_test_chat(|_| {}).await;
    let (ada, room) = new_room(&test).await;
    let [eve, mia] = [new_guest(), new_guest()];
    let sent = bytes_of(1, 10);
    let marker = Bytes::from_static(b"marker-of-an-upload");
    let id = create(&test.chat, &eve, room, 100).await.unwrap();
    send(&test.chat, &eve, room, id, part_at(0), body(&marker))
        .await
        .unwrap();
    for other in [&ada, &mia] {
        assert!(is_not_found(&offset(&test.chat, other, room, id).await));
    }
    let change = protocol::RoomChange {
        private: Some(true),
        ..protocol::RoomChange::default()
    };
    test.chat
        .change_room_settings(&ada, &room, &change)
        .await
        .unwrap();
    let part = part_at(marker.len() as u64);
    let refused = send(&test.chat, &eve, room, id, part.clone(), body(&sent)).await;
    assert!(is_not_found(&refused));
    test.chat.close_room(&ada, &room).await.unwrap();
    let gone = send(&test.chat, &eve, room, id, part, body(&sent)).await;
    assert!(matches!(
        gone,
        Err(Error::Refusal(Refusal::Gone(_) | Refusal::NotFound(_)))
    ));
    let files = test.config.data_dir.join("files").join(room.to_string());
    crate::testing::soon_true("the end of the room's files", async || !files.exists()).await;
}

#[tokio::test]
async fn person_has_ten_uploads_at_most_that_are_not_complete() {
    let test = new_test_chat(|_| {}).await;
    let (ada, room) = new_room(&test).await;
    let mut last = None;
    for _ in 0..10 {
        last = Some(create(&test.chat, &ada, room, 1).await.unwrap());
    }
    let refused = create(&test.chat, &ada, room, 1).await;
    assert!(matches!(
        refused,
        Err(Error::Refusal(Refusal::TooManyUploads))
    ));
    create(&test.chat, &new_guest(), room, 1).await.unwrap();
    let one = Bytes::from_static(b"x");
    send(
        &test.chat,
        &ada,
        room,
        last.unwrap(),
        part_at(0),
        body(&one),
    )
    .await
    .unwrap();
    create(&test.chat, &ada, room, 1).await.unwrap();
}

#[tokio::test]
async fn person_who_is_banned_meanwhile_keeps_no_further_byte() {
    let test = new_test_chat(|_| {}).await;
    let (ada, room) = new_room(&test).await;
    let eve = test.register("eve").await;
    let hello = NewMessage {
        username: "eve".to_owned(),
        body: "hello".to_owned(),
    };
    let hello = test.chat.post_message(&eve, &room, &hello, None).await;
    hello.unwrap();
    let sent = bytes_of(1, LONG);
    let id = create(&test.chat, &eve, room, LONG).await.unwrap();
    let chat = test.chat.clone();
    let ban = stream::once(async move {
        let target = crate::SanctionTarget::Person("eve".to_owned());
        let ban = protocol::SanctionKind::Ban;
        let banned = chat.impose_sanction(&ada, &room, &target, ban, None).await;
        banned.unwrap();
        Ok(Bytes::new())
    });
    let before = body(&sent.slice(..10_000_000));
    let after = body(&sent.slice(10_000_000..));
    let bytes = before.chain(ban).chain(after);
    let refused = send(&test.chat, &eve, room, id, part_at(0), bytes).await;
    assert!(matches!(
        refused,
        Err(Error::Refusal(Refusal::Sanctioned { .. }))
    ));
    assert_eq!(count_left(&test).await, (1, 0), "what came before the ban");
}
