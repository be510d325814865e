//! What files count for the limits.

use futures_util::future::join_all;
use protocol::FileSpace;

use super::*;
use crate::testing::new_guest;

fn too_large<T>(result: Result<T, Error>) -> Option<FileSpace> {
    match result {
        Err(Error::Refusal(Refusal::FilesTooLarge(space, _))) => Some(space),
        _ => None,
    }
}

#[tokio::test]
async fn of_ten_uploads_at_once_for_the_space_of_one_exactly_one_begins() {
    for limit in [FileSpace::Room, FileSpace::Server] {
        let test = new_test_chat(|config| match limit {
            FileSpace::Server => config.all_files = 150,
            _ => config.room_files = 150,
        })
        .await;
        let ada = new_guest();
        let room = create_room(&test, &ada).await;
        let begin = |_| test.chat.begin_upload(&ada, &room, "a", Some(100));
        let begun = join_all((0..10).map(begin)).await;
        let (begun, refused): (Vec<_>, Vec<_>) = begun.into_iter().partition(Result::is_ok);
        assert_eq!(begun.len(), 1);
        assert!(
            refused
                .into_iter()
                .all(|result| too_large(result) == Some(limit))
        );
        // The space is free again, however an upload ends.
        drop(begun);
        sweep(&test).await;
        check_consistency(&test).await;
        let (message, _) = send(&test, &ada, room, &[0; 100]).await;
        assert_eq!(
            too_large(try_upload(&test, &ada, room, &[0; 51]).await),
            Some(limit)
        );
        upload(&test, &ada, room, &[0; 50]).await;
        test.chat
            .delete_message(&ada, &room, message.id)
            .await
            .unwrap();
        sweep(&test).await;
        upload(&test, &ada, room, &[0; 100]).await;
        check_consistency(&test).await;
    }
}

#[tokio::test]
async fn upload_of_unknown_size_grows_up_to_the_limits() {
    let test = new_test_chat(|config| {
        config.file_max = 1_000;
        config.room_files = 1_500;
    })
    .await;
    let ada = new_guest();
    let room = create_room(&test, &ada).await;
    assert_eq!(
        too_large(test.chat.begin_upload(&ada, &room, "a", Some(1_001)).await),
        Some(FileSpace::File)
    );
    let begin = async || {
        test.chat
            .begin_upload(&ada, &room, "a", None)
            .await
            .unwrap()
    };
    let mut first = begin().await;
    for _ in 0..10 {
        first.write(&[1; 100]).await.unwrap();
    }
    assert_eq!(too_large(first.write(&[1]).await), Some(FileSpace::File));
    drop(first);
    sweep(&test).await;
    let mut second = begin().await;
    second.write(&[2; 600]).await.unwrap();
    assert_eq!(second.finish().await.unwrap().size, 600);
    let mut third = begin().await;
    assert_eq!(
        too_large(third.write(&[3; 901]).await),
        Some(FileSpace::Room)
    );
    drop(third);
    let mut empty = begin().await;
    empty.write(&[]).await.unwrap();
    assert_eq!(empty.finish().await.unwrap().size, 0);
    sweep(&test).await;
    assert_eq!(check_consistency(&test).await.len(), 2);
}

#[tokio::test]
async fn full_disk_refuses_files_and_takes_messages() {
    let free = rustix::fs::statvfs(std::env::temp_dir()).unwrap();
    let free = free.f_bavail * free.f_frsize;
    let test = new_test_chat(|config| config.free_space = free * 2).await;
    let ada = new_guest();
    let room = create_room(&test, &ada).await;
    let refused = try_upload(&test, &ada, room, b"x").await;
    assert!(matches!(
        refused,
        Err(Error::Refusal(Refusal::NoSpaceForFiles))
    ));
    test.post(room, "goes on").await;
    check_consistency(&test).await;
}

#[tokio::test]
async fn server_without_files_takes_none() {
    let test = new_test_chat(|config| config.files = false).await;
    let ada = new_guest();
    let room = create_room(&test, &ada).await;
    assert_eq!(test.chat.file_limits(), None);
    let refused = try_upload(&test, &ada, room, b"x").await;
    assert!(matches!(
        refused,
        Err(Error::Refusal(Refusal::Forbidden(_)))
    ));
}
