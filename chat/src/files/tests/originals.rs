//! Pictures that stay as their senders have sent them.

use super::pictures::gif;
use super::*;
use crate::testing::new_guest;

async fn begin_original(test: &TestChat, by: &Person, room: RoomId) -> Upload {
    let upload = test.chat.begin_upload(by, &room, "a", None).await;
    let mut upload = upload.unwrap();
    upload.keep_original().await.unwrap();
    upload
}

#[tokio::test]
async fn original_stays_as_it_is_and_says_that_it_may_contain_a_place() {
    let test = new_test_chat(|_| {}).await;
    let ada = new_guest();
    let room = create_room(&test, &ada).await;
    for (sent, may_contain_place) in [
        (gif(b"a place"), true),
        (b"\0\0\0\x18ftypheic".to_vec(), true),
        (b"text".to_vec(), false),
    ] {
        let mut upload = begin_original(&test, &ada, room).await;
        upload.write(&sent).await.unwrap();
        let file = upload.finish().await.unwrap();
        assert_eq!(file.metadata, may_contain_place);
        assert_eq!(read(&test, &ada, room, file.id).await.unwrap(), sent);
        let message = try_attach(&test, &ada, room, &[file.id]).await.unwrap();
        assert_eq!(message.files()[0].metadata, may_contain_place);
    }
    check_consistency(&test).await;
}

#[tokio::test]
async fn only_what_keeps_its_metadata_says_so() {
    let test = new_test_chat(|_| {}).await;
    let ada = new_guest();
    let room = create_room(&test, &ada).await;
    for (bytes, may_contain_place) in [
        (&gif(b"a place")[..], false),
        (&gif(b"a place")[..25], true),
        (b"\0\0\0\x18ftypmp42", true),
        (b"\0\0\0\x18ftypheic", true),
        (b"II*\0\x08\0\0\0", true),
        (b"text", false),
    ] {
        let file = upload(&test, &ada, room, bytes).await;
        assert_eq!(file.metadata, may_contain_place, "{bytes:?}");
    }
}

#[tokio::test]
async fn killed_upload_of_an_original_is_an_original_after_the_next_start() {
    let mut test = new_test_chat(|_| {}).await;
    let ada = new_guest();
    let room = create_room(&test, &ada).await;
    test.config.faults.stop_at("file received");
    let mut upload = begin_original(&test, &ada, room).await;
    tokio::spawn(async move {
        upload.write(&gif(b"a place")).await.unwrap();
        upload.finish().await
    });
    test.config.faults.stopped_at("file received").await;
    test.reopen().await;
    sweep(&test).await;
    let id = *check_consistency(&test).await.first().unwrap();
    assert_eq!(read(&test, &ada, room, id).await.unwrap(), gif(b"a place"));
    let message = try_attach(&test, &ada, room, &[id]).await.unwrap();
    assert!(message.files()[0].metadata);
}
