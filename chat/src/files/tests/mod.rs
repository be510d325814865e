//! Tests of files from their first byte to their deletion.

mod crashes;
mod ends;
mod limits;
mod messages;
mod originals;
mod pictures;
mod previews;
mod scans;

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::TryStreamExt;
use protocol::{File, FileId, Message, NewMessage, NewRoom, Refusal, RoomId};

use super::{FileRecheck, FileSweeper};
use crate::store::file_details::FileDetails;
use crate::store::sql::query_as;
use crate::testing::{TestChat, new_message};
use crate::{Config, Error, NewFiles, Person, Upload};

const HOUR: Duration = Duration::from_secs(3_600);

/// A chat whose rooms live longer than files that no message has.
async fn new_test_chat(change: impl FnOnce(&mut Config)) -> TestChat {
    TestChat::new(|config| {
        config.timeout = 30 * 24 * HOUR;
        change(config);
    })
    .await
}

async fn create_room(test: &TestChat, owner: &Person) -> RoomId {
    let room = test.chat.create_room(owner, &NewRoom::default()).await;
    room.unwrap().id
}

async fn try_upload(
    test: &TestChat,
    by: &Person,
    room: RoomId,
    bytes: &[u8],
) -> Result<File, Error> {
    let size = Some(bytes.len() as u64);
    let mut upload = test.chat.begin_upload(by, &room, "a.txt", size).await?;
    upload.write(bytes).await?;
    upload.finish().await
}

async fn upload(test: &TestChat, by: &Person, room: RoomId, bytes: &[u8]) -> File {
    try_upload(test, by, room, bytes).await.unwrap()
}

/// Uploads bytes in the background, and returns once the upload stands at this place.
async fn stop_upload_at(
    test: &TestChat,
    by: &Person,
    room: RoomId,
    bytes: Vec<u8>,
    place: &'static str,
) {
    test.config.faults.stop_at(place);
    let (chat, by) = (test.chat.clone(), by.clone());
    tokio::spawn(async move {
        let mut upload = chat.begin_upload(&by, &room, "a", None).await.unwrap();
        upload.write(&bytes).await.unwrap();
        upload.finish().await
    });
    test.config.faults.stopped_at(place).await;
}

fn named(by: &Person, body: &str) -> NewMessage {
    let account = by.account().map(|account| account.username().to_owned());
    NewMessage {
        username: account.unwrap_or_else(|| "guest".to_owned()),
        ..new_message(body)
    }
}

async fn try_attach(
    test: &TestChat,
    by: &Person,
    room: RoomId,
    files: &[FileId],
) -> Result<Message, Error> {
    let files = NewFiles {
        ids: files,
        ..NewFiles::default()
    };
    let message = named(by, "");
    test.chat
        .post_message_with_files(by, &room, &message, files, None)
        .await
}

/// Sends a message with one file. Returns both.
async fn send(test: &TestChat, by: &Person, room: RoomId, bytes: &[u8]) -> (Message, File) {
    let file = upload(test, by, room, bytes).await;
    let message = try_attach(test, by, room, &[file.id]).await.unwrap();
    (message, file)
}

async fn read(test: &TestChat, by: &Person, room: RoomId, id: FileId) -> Result<Vec<u8>, Error> {
    let download = test.chat.open_file(by, &room, id).await?;
    let size = download.size();
    let pieces = download.read(0..size).await?;
    let read: Vec<bytes::Bytes> = pieces.try_collect().await?;
    Ok(read.concat())
}

fn is_not_found<T>(result: Result<T, Error>) -> bool {
    matches!(result, Err(Error::Refusal(Refusal::NotFound(_))))
}

fn is_invalid<T>(result: Result<T, Error>) -> bool {
    matches!(
        result,
        Err(Error::Refusal(Refusal::Invalid { field: "files", .. }))
    )
}

fn sweeper(test: &TestChat) -> FileSweeper {
    FileSweeper {
        files: test.chat.0.files.clone(),
        store: test.chat.0.store.clone(),
        clock: test.config.clock.clone(),
        is_leader: tokio::sync::watch::channel(true).1,
    }
}

/// Sweeps and checks again, as the tasks do from time to time.
async fn sweep(test: &TestChat) {
    sweeper(test).sweep().await.unwrap();
    let recheck = FileRecheck {
        files: test.chat.0.files.clone(),
        store: test.chat.0.store.clone(),
        clock: test.config.clock.clone(),
    };
    recheck.check_all().await.unwrap();
    sweeper(test).sweep().await.unwrap();
}

/// The files that have a row and those that have bytes, which must be the same, and no staged file.
/// What they count must be exact.
async fn check_consistency(test: &TestChat) -> BTreeSet<FileId> {
    let store = &test.chat.0.store;
    let rows: Vec<i64> = query_as("select id from file")
        .fetch_all(store.read())
        .await
        .unwrap();
    let rows: BTreeSet<FileId> = rows
        .into_iter()
        .map(|id| FileId::from_bytes(id.to_be_bytes()))
        .collect();
    let listed: Vec<_> = test
        .chat
        .0
        .files
        .store()
        .list()
        .try_collect()
        .await
        .unwrap();
    let objects: BTreeSet<FileId> = listed.iter().map(|object| object.key.file).collect();
    assert_eq!(rows, objects, "rows and bytes");
    let staged = std::fs::read_dir(test.config.data_dir.join("uploads")).unwrap();
    assert_eq!(staged.count(), 0, "staged files");
    let counted: Vec<(i64, i64, Option<String>)> =
        query_as("select reserved, size, details from file")
            .fetch_all(store.read())
            .await
            .unwrap();
    let total: i64 = query_as("select value from meta where name = 'file_bytes'")
        .fetch_one(store.read())
        .await
        .unwrap();
    let mut previews = 0;
    for (reserved, size, details) in &counted {
        let details = FileDetails::decode(details.as_deref());
        previews += usize::from(details.preview.is_some());
        let size = size.unsigned_abs() + details.extra_size();
        assert_eq!(reserved.unsigned_abs(), size, "what a file counts");
    }
    let sum: i64 = counted.iter().map(|(reserved, _, _)| reserved).sum();
    assert_eq!(total, sum, "what all files count");
    assert_eq!(listed.len(), rows.len() + previews, "previews");
    rows
}

/// Whether a file below a directory contains these bytes.
fn contains(directory: &std::path::Path, bytes: &[u8]) -> bool {
    std::fs::read_dir(directory).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            return contains(&path, bytes);
        }
        let content = std::fs::read(&path).unwrap_or_default();
        content.windows(bytes.len()).any(|window| window == bytes)
    })
}
