//! Files in messages: who may attach, read and remove them.

use protocol::{FILES_MAX, NewRoom, Start};

use super::*;
use crate::testing::new_guest;
use crate::{FollowEvent, Follower, IdempotencyKey, MessagesPage};

async fn list(test: &TestChat, room: RoomId) -> Vec<Message> {
    let page = MessagesPage::default();
    let listed = test.chat.list_messages(&Person::Anonymous, &room, page);
    listed.await.unwrap()
}

/// The JSON of the next entries that a follower receives.
async fn next_json(follower: &mut Follower) -> String {
    loop {
        if let FollowEvent::Messages(frames) = follower.next().await.unwrap() {
            return String::from_utf8(frames.bytes().to_vec()).unwrap();
        }
    }
}

#[tokio::test]
async fn uploaded_file_is_in_its_message_for_every_reader_and_after_a_restart() {
    let mut test = new_test_chat(|_| {}).await;
    let ada = new_guest();
    let room = create_room(&test, &ada).await;
    let follow = test
        .chat
        .follow_room(&Person::Anonymous, &room, Start::Latest);
    let mut follower = follow.await.unwrap();
    let (message, file) = send(&test, &ada, room, b"hello").await;
    assert_eq!(message.files(), std::slice::from_ref(&file));
    assert_eq!((file.kind.as_str(), file.size), ("text/plain", 5));
    assert_eq!(
        file.sha256,
        "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
    );
    let event = next_json(&mut follower).await;
    assert!(event.contains(&file.url), "{event}");
    test.reopen().await;
    assert_eq!(
        list(&test, room).await[0].files(),
        std::slice::from_ref(&file)
    );
    let read = read(&test, &Person::Anonymous, room, file.id).await;
    assert_eq!(read.unwrap(), b"hello");
    assert_eq!(check_consistency(&test).await, BTreeSet::from([file.id]));
}

#[tokio::test]
async fn only_free_files_of_the_sender_in_the_room_are_attached_and_ten_at_most() {
    let test = new_test_chat(|_| {}).await;
    let [ada, eve] = [new_guest(), new_guest()];
    let [room, other] = [
        create_room(&test, &ada).await,
        create_room(&test, &ada).await,
    ];
    let (_, attached) = send(&test, &ada, room, b"1").await;
    let foreign = upload(&test, &eve, room, b"2").await.id;
    let elsewhere = upload(&test, &ada, other, b"3").await.id;
    let free = upload(&test, &ada, room, b"4").await.id;
    let unknown = FileId::from_bytes([0; 8]);
    let begun = test
        .chat
        .begin_upload(&ada, &room, "a", Some(1))
        .await
        .unwrap();
    let mut many = vec![free];
    for _ in 0..FILES_MAX {
        many.push(upload(&test, &ada, room, b"5").await.id);
    }
    for wrong in [
        &[attached.id][..],
        &[foreign],
        &[elsewhere],
        &[unknown],
        &[begun.id()],
        &[free, free],
        &many,
    ] {
        let refused = try_attach(&test, &ada, room, wrong).await;
        assert!(is_invalid(refused), "{wrong:?}");
    }
    let message = try_attach(&test, &ada, room, &many[..FILES_MAX])
        .await
        .unwrap();
    let order: Vec<FileId> = message.files().iter().map(|file| file.id).collect();
    assert_eq!(order, many[..FILES_MAX]);
    assert_eq!(list(&test, room).await[1].files(), message.files());
    assert!(
        try_attach(&test, &ada, room, &[]).await.is_err(),
        "nothing is said"
    );
}

#[tokio::test]
async fn repeated_post_with_a_key_is_one_message_and_another_file_is_refused() {
    let test = new_test_chat(|_| {}).await;
    let ada = new_guest();
    let room = create_room(&test, &ada).await;
    let [one, other] = [
        upload(&test, &ada, room, b"1").await.id,
        upload(&test, &ada, room, b"2").await.id,
    ];
    let message = named(&ada, "see");
    let post = async |ids: &[FileId]| {
        let files = NewFiles {
            ids,
            ..NewFiles::default()
        };
        let key = Some(IdempotencyKey::from("k"));
        test.chat
            .post_message_with_files(&ada, &room, &message, files, key)
            .await
    };
    let first = post(&[one]).await.unwrap();
    assert_eq!(post(&[one]).await.unwrap(), first);
    for ids in [&[other][..], &[]] {
        assert!(post(ids).await.is_err(), "{ids:?}");
    }
    // A client that sends the bytes again has new IDs.
    let again = upload(&test, &ada, room, b"1").await.id;
    let post = async |ids: &[FileId]| {
        let files = NewFiles {
            ids,
            digest: Some("digest of the bytes"),
            ..NewFiles::default()
        };
        let key = Some(IdempotencyKey::from("l"));
        let posted = test
            .chat
            .post_message_with_files(&ada, &room, &message, files, key);
        posted.await.unwrap()
    };
    let first = post(&[other]).await;
    let second = post(&[again]).await;
    assert_eq!((first.id, second.files()), (second.id, first.files()));
}

#[tokio::test]
async fn file_before_its_message_is_there_for_its_sender_alone() {
    let test = new_test_chat(|_| {}).await;
    let [ada, eve] = [new_guest(), new_guest()];
    let room = create_room(&test, &ada).await;
    let file = upload(&test, &ada, room, b"draft").await;
    assert_eq!(read(&test, &ada, room, file.id).await.unwrap(), b"draft");
    assert!(is_not_found(read(&test, &eve, room, file.id).await));
    assert!(is_not_found(
        test.chat.delete_file(&eve, &room, file.id).await
    ));
    test.chat.delete_file(&ada, &room, file.id).await.unwrap();
    assert!(is_not_found(read(&test, &ada, room, file.id).await));
    sweep(&test).await;
    assert!(check_consistency(&test).await.is_empty());
}

#[tokio::test]
async fn deleted_message_takes_its_files_along_and_no_byte_stays() {
    let test = new_test_chat(|_| {}).await;
    let ada = new_guest();
    let room = create_room(&test, &ada).await;
    let marker = b"marker-of-the-bytes-7d1f";
    let (message, file) = send(&test, &ada, room, marker).await;
    assert!(contains(&test.config.data_dir, marker));
    let edited = test
        .chat
        .edit_message(&ada, &room, message.id, "with words")
        .await;
    assert_eq!(edited.unwrap().files(), message.files());
    test.chat
        .delete_message(&ada, &room, message.id)
        .await
        .unwrap();
    assert!(is_not_found(read(&test, &ada, room, file.id).await));
    sweep(&test).await;
    assert!(check_consistency(&test).await.is_empty());
    assert!(!contains(&test.config.data_dir, marker));
    assert!(list(&test, room).await[0].files().is_empty());
}

#[tokio::test]
async fn sender_and_moderators_remove_a_file_and_the_message_says_so() {
    let test = new_test_chat(|_| {}).await;
    let [ada, eve, owner] = [new_guest(), new_guest(), new_guest()];
    let room = create_room(&test, &owner).await;
    let mut follower = test
        .chat
        .follow_room(&ada, &room, Start::Latest)
        .await
        .unwrap();
    let [one, two] = [
        upload(&test, &ada, room, b"1").await.id,
        upload(&test, &ada, room, b"2").await.id,
    ];
    let message = try_attach(&test, &ada, room, &[one, two]).await.unwrap();
    next_json(&mut follower).await;
    let refused = test.chat.delete_file(&eve, &room, one).await;
    assert!(matches!(
        refused,
        Err(Error::Refusal(Refusal::Forbidden(_)))
    ));
    test.chat.delete_file(&ada, &room, one).await.unwrap();
    let event = next_json(&mut follower).await;
    assert!(
        event.contains("\"kind\":\"edit\"") && !event.contains(&one.to_string()),
        "{event}"
    );
    let left = list(&test, room).await;
    assert_eq!(left[0].files(), &message.files()[1..]);
    assert!(left[0].edited_at.is_some());
    assert!(is_not_found(test.chat.delete_file(&ada, &room, one).await));
    // Nothing is left of the message without its last file.
    test.chat.delete_file(&owner, &room, two).await.unwrap();
    let event = next_json(&mut follower).await;
    assert!(event.contains("\"kind\":\"deletion\""), "{event}");
    assert!(list(&test, room).await[0].is_deleted());
    let log = test
        .chat
        .list_audit_log(&owner, &room, u64::MAX, 1)
        .await
        .unwrap();
    assert_eq!(log[0].action, "deleted file");
    sweep(&test).await;
    assert!(check_consistency(&test).await.is_empty());
}

#[tokio::test]
async fn file_of_a_private_room_is_hidden_from_those_who_may_not_read_the_room() {
    let test = new_test_chat(|_| {}).await;
    let [owner, eve] = [new_guest(), new_guest()];
    let private = NewRoom {
        private: Some(true),
        ..NewRoom::default()
    };
    let room = test.chat.create_room(&owner, &private).await.unwrap().id;
    let open = create_room(&test, &owner).await;
    let (_, file) = send(&test, &owner, room, b"secret").await;
    assert!(is_not_found(read(&test, &eve, room, file.id).await));
    assert!(is_not_found(read(&test, &eve, open, file.id).await));
    assert!(is_not_found(
        test.chat.delete_file(&eve, &room, file.id).await
    ));
    assert!(is_not_found(try_upload(&test, &eve, room, b"x").await));
}

#[tokio::test]
async fn upload_of_a_person_who_is_banned_meanwhile_leaves_nothing() {
    let test = new_test_chat(|_| {}).await;
    let owner = new_guest();
    let ada = test.register("ada").await;
    let room = create_room(&test, &owner).await;
    test.chat
        .post_message(&ada, &room, &named(&ada, "hi"), None)
        .await
        .unwrap();
    let mut upload = test
        .chat
        .begin_upload(&ada, &room, "a", Some(1))
        .await
        .unwrap();
    upload.write(b"x").await.unwrap();
    let target = crate::SanctionTarget::Person("ada".to_owned());
    let ban = protocol::SanctionKind::Ban;
    test.chat
        .impose_sanction(&owner, &room, &target, ban, None)
        .await
        .unwrap();
    let refused = upload.finish().await;
    assert!(matches!(
        refused,
        Err(Error::Refusal(Refusal::Sanctioned { .. }))
    ));
    sweep(&test).await;
    assert!(check_consistency(&test).await.is_empty());
}

#[tokio::test]
async fn download_ends_after_its_reader_is_banned() {
    let test = new_test_chat(|_| {}).await;
    let owner = new_guest();
    let ada = test.register("ada").await;
    let room = create_room(&test, &owner).await;
    let first = named(&ada, "hi");
    test.chat
        .post_message(&ada, &room, &first, None)
        .await
        .unwrap();
    let size = 9 * 1024 * 1024;
    let (_, file) = send(&test, &owner, room, &vec![7; size]).await;
    let download = test.chat.open_file(&ada, &room, file.id).await.unwrap();
    let mut pieces = download.read(0..file.size).await.unwrap();
    let mut read = pieces.try_next().await.unwrap().unwrap().len();
    let target = crate::SanctionTarget::Person("ada".to_owned());
    let ban = test
        .chat
        .impose_sanction(&owner, &room, &target, protocol::SanctionKind::Ban, None);
    ban.await.unwrap();
    let end = loop {
        match pieces.try_next().await {
            Ok(piece) => read += piece.expect("the download is complete").len(),
            Err(error) => break error,
        }
    };
    assert!(matches!(end, Error::Refusal(Refusal::Sanctioned { .. })));
    assert!(read < size, "{read}");
}
