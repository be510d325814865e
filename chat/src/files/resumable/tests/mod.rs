//! Uploads that arrive with several requests, are cut, raced for, killed and deleted.

mod ends;

use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use protocol::{FileId, NewMessage, NewRoom, Refusal, RoomId};
use sha2::{Digest, Sha256};

use super::*;
use crate::files::FileSweeper;
use crate::nodes::tests::open_another;
use crate::store::sql::query_as;
use crate::testing::{TestChat, new_guest, soon};
use crate::{Config, NewFiles};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// More than two pieces.
const LONG: usize = 20 * 1024 * 1024;

async fn new_test_chat(change: impl FnOnce(&mut Config)) -> TestChat {
    TestChat::new(|config| {
        config.timeout = 30 * DAY;
        change(config);
    })
    .await
}

/// A chat whose files are where other nodes reach them.
async fn new_shared_chat(files: &std::path::Path) -> TestChat {
    new_test_chat(|config| {
        config.archive = false;
        config.shared_files = Some(files.to_owned());
    })
    .await
}

/// A room and its owner.
async fn new_room(test: &TestChat) -> (Person, RoomId) {
    let owner = new_guest();
    let room = test.chat.create_room(&owner, &NewRoom::default()).await;
    (owner, room.unwrap().id)
}

fn bytes_of(seed: usize, length: usize) -> Bytes {
    (0..length).map(|n| ((n * 31 + seed) % 251) as u8).collect()
}

fn body(bytes: &Bytes) -> impl UploadBody + use<> {
    let pieces: Vec<Bytes> = bytes
        .chunks(64 * 1024)
        .map(Bytes::copy_from_slice)
        .collect();
    stream::iter(pieces).map(Ok)
}

/// A body that is cut after these bytes.
fn cut_body(bytes: &Bytes) -> impl UploadBody + use<> {
    let cut = Refusal::Malformed("The body broke off.".to_owned());
    body(bytes).chain(stream::iter([Err(cut)]))
}

/// A body that goes on without an end after these bytes, whose last one the receiver has asked for.
fn endless_body(bytes: &Bytes) -> (impl UploadBody + use<>, tokio::sync::oneshot::Receiver<()>) {
    let (sender, asked) = tokio::sync::oneshot::channel();
    let end = stream::once(async move {
        let _ = sender.send(());
        std::future::pending().await
    });
    (body(bytes).chain(end), asked)
}

fn part_at(offset: u64) -> UploadPart {
    UploadPart {
        offset,
        ..UploadPart::default()
    }
}

async fn create(chat: &Chat, by: &Person, room: RoomId, length: usize) -> Result<FileId, Error> {
    let new = NewUpload {
        name: "a.txt".to_owned(),
        length: length as u64,
        metadata: String::new(),
    };
    let first: Option<(UploadPart, stream::Empty<Result<Bytes, Refusal>>)> = None;
    let turn = chat.create_upload(by, &room, new, first).await?;
    Ok(turn.id())
}

async fn send(
    chat: &Chat,
    by: &Person,
    room: RoomId,
    id: FileId,
    part: UploadPart,
    body: impl UploadBody,
) -> Result<u64, Error> {
    let turn = chat.take_upload(by, &room, id, Some(part.offset)).await?;
    Ok(turn.receive(part, body).await?.offset())
}

async fn offset(chat: &Chat, by: &Person, room: RoomId, id: FileId) -> Result<u64, Error> {
    let turn = chat.take_upload(by, &room, id, None).await?;
    Ok(turn.recover().await?.offset())
}

/// Names the file in a message and reads it.
async fn attach(chat: &Chat, by: &Person, room: RoomId, id: FileId) -> Vec<u8> {
    let message = NewMessage {
        username: "ada".to_owned(),
        body: String::new(),
    };
    let files = NewFiles {
        ids: &[id],
        ..NewFiles::default()
    };
    let posted = chat
        .post_message_with_files(by, &room, &message, files, None)
        .await;
    let file = posted.unwrap().files()[0].clone();
    let download = chat.open_file(by, &room, id).await.unwrap();
    let pieces = download.read(0..file.size).await.unwrap();
    let pieces: Vec<Bytes> = pieces.try_collect().await.unwrap();
    let read = pieces.concat();
    let digest = Sha256::digest(&read);
    let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(file.sha256, digest);
    read
}

async fn sweep(test: &TestChat) {
    let sweeper = FileSweeper {
        files: test.chat.0.files.clone(),
        store: test.chat.0.store.clone(),
        clock: test.config.clock.clone(),
        is_leader: tokio::sync::watch::channel(true).1,
    };
    sweeper.sweep().await.unwrap();
    sweeper.compare(test.config.clock.now()).await.unwrap();
    sweeper.sweep().await.unwrap();
}

/// How many pieces there are, and how many files are staged.
async fn count_left(test: &TestChat) -> (usize, usize) {
    let pieces = test.chat.0.files.store().list_all_pieces().count().await;
    let staged = std::fs::read_dir(test.config.data_dir.join("uploads")).unwrap();
    (pieces, staged.count())
}

async fn count_reserved(test: &TestChat) -> (i64, i64) {
    let sql = "select (select cast(coalesce(sum(reserved), 0) as bigint) from file),
                      (select value from meta where name = 'file_bytes')";
    query_as(sql)
        .fetch_one(test.chat.0.store.read())
        .await
        .unwrap()
}

fn is_moved<T>(result: &Result<T, Error>) -> bool {
    matches!(result, Err(Error::Refusal(Refusal::UploadMoved)))
}

fn is_not_found<T>(result: &Result<T, Error>) -> bool {
    matches!(result, Err(Error::Refusal(Refusal::NotFound(_))))
}

#[tokio::test]
async fn file_arrives_with_several_requests_and_leaves_no_piece() {
    let test = new_test_chat(|_| {}).await;
    let (ada, room) = new_room(&test).await;
    let sent = bytes_of(1, LONG);
    for cuts in [&[0][..], &[0, 1, 5_000, LONG - 1], &[0, 9 * 1024 * 1024]] {
        let id = create(&test.chat, &ada, room, LONG).await.unwrap();
        assert!(is_not_found(&test.chat.open_file(&ada, &room, id).await));
        for (index, start) in cuts.iter().enumerate() {
            let end = cuts.get(index + 1).copied().unwrap_or(LONG);
            let bytes = sent.slice(*start..end);
            let part = part_at(*start as u64);
            let at = send(&test.chat, &ada, room, id, part, body(&bytes)).await;
            assert_eq!(at.unwrap(), end as u64);
        }
        assert_eq!(
            offset(&test.chat, &ada, room, id).await.unwrap(),
            LONG as u64
        );
        assert_eq!(attach(&test.chat, &ada, room, id).await, sent);
        assert!(
            is_not_found(&offset(&test.chat, &ada, room, id).await),
            "it is in a message"
        );
    }
    let empty = create(&test.chat, &ada, room, 0).await.unwrap();
    assert_eq!(attach(&test.chat, &ada, room, empty).await, b"");
    assert_eq!(count_left(&test).await, (0, 0));
}

#[tokio::test]
async fn cut_request_keeps_what_arrived_unless_it_has_a_checksum() {
    let test = new_test_chat(|_| {}).await;
    let (ada, room) = new_room(&test).await;
    let sent = bytes_of(1, LONG);
    let checked = |offset: u64, bytes: &[u8]| UploadPart {
        offset,
        size: None,
        checksum: Checksum::new("sha256", &Sha256::digest(bytes)),
    };
    let id = create(&test.chat, &ada, room, LONG).await.unwrap();
    let cut = cut_body(&sent.slice(..10_000_000));
    assert!(
        send(&test.chat, &ada, room, id, part_at(0), cut)
            .await
            .is_err()
    );
    assert_eq!(
        offset(&test.chat, &ada, room, id).await.unwrap(),
        10_000_000
    );
    let next = sent.slice(10_000_000..);
    let wrong = send(
        &test.chat,
        &ada,
        room,
        id,
        checked(10_000_000, b"other"),
        body(&next),
    )
    .await;
    assert!(matches!(
        wrong,
        Err(Error::Refusal(Refusal::ChecksumMismatch))
    ));
    let cut = cut_body(&next.slice(..9_000_000));
    let cut = send(&test.chat, &ada, room, id, checked(10_000_000, &next), cut).await;
    assert!(cut.is_err());
    assert_eq!(
        offset(&test.chat, &ada, room, id).await.unwrap(),
        10_000_000
    );
    let long = sent.slice(..LONG - 9_000_000);
    let refused = send(&test.chat, &ada, room, id, part_at(10_000_000), body(&long)).await;
    assert!(matches!(
        refused,
        Err(Error::Refusal(Refusal::FilesTooLarge(..)))
    ));
    let at = offset(&test.chat, &ada, room, id).await.unwrap();
    assert!(
        (10_000_000..LONG as u64).contains(&at),
        "whole pieces of it may be kept"
    );
    let id = create(&test.chat, &ada, room, LONG).await.unwrap();
    let all = send(&test.chat, &ada, room, id, checked(0, &sent), body(&sent)).await;
    assert_eq!(all.unwrap(), LONG as u64);
    assert_eq!(attach(&test.chat, &ada, room, id).await, sent);
}

#[tokio::test]
async fn older_request_ends_when_the_person_asks_how_far_it_is() {
    let test = new_test_chat(|_| {}).await;
    let (ada, room) = new_room(&test).await;
    let sent = bytes_of(1, 1_000_000);
    let id = create(&test.chat, &ada, room, sent.len()).await.unwrap();
    let (body_of_older, asked) = endless_body(&sent.slice(..400_000));
    let turn = test
        .chat
        .take_upload(&ada, &room, id, Some(0))
        .await
        .unwrap();
    let older = tokio::spawn(turn.receive(part_at(0), body_of_older));
    soon("the bytes of the older request", asked).await.unwrap();
    // A request from a wrong byte disturbs it not.
    let wrong = send(&test.chat, &ada, room, id, part_at(0), body(&sent)).await;
    assert!(is_moved(&wrong) && !older.is_finished());
    let at = soon("the offset", offset(&test.chat, &ada, room, id)).await;
    assert_eq!(at.unwrap(), 400_000);
    assert!(is_moved(&older.await.unwrap()));
    let rest = body(&sent.slice(400_000..));
    let at = send(&test.chat, &ada, room, id, part_at(400_000), rest).await;
    assert_eq!(at.unwrap(), 1_000_000);
    assert_eq!(attach(&test.chat, &ada, room, id).await, sent);
}

/// Two requests send different files to one upload at once, at two nodes if the database can have two.
#[tokio::test]
async fn of_two_requests_at_once_one_goes_on_and_the_bytes_are_of_it_alone() {
    let shared = tempfile::tempdir().unwrap();
    let one = new_shared_chat(shared.path()).await;
    let other = open_another(&one).await;
    let other = other.as_ref().unwrap_or(&one);
    let (ada, room) = new_room(&one).await;
    for round in 0..10 {
        let files = [bytes_of(1, LONG), bytes_of(2, LONG)];
        let id = create(&one.chat, &ada, room, LONG).await.unwrap();
        let (first, second) = match round % 2 {
            0 => (&one.chat, &other.chat),
            _ => (&other.chat, &one.chat),
        };
        let (first, second) = tokio::join!(
            send(first, &ada, room, id, part_at(0), body(&files[0])),
            send(second, &ada, room, id, part_at(0), body(&files[1])),
        );
        let (winner, loser) = match first.is_ok() {
            true => (&files[0], second),
            false => (&files[1], first),
        };
        assert!(is_moved(&loser), "{loser:?}");
        assert_eq!(attach(&other.chat, &ada, room, id).await, *winner);
    }
    assert_eq!(count_left(&one).await.0, 0);
}

/// Each request comes to the other node, if the database can have two.
#[tokio::test]
async fn upload_goes_on_at_any_node() {
    let shared = tempfile::tempdir().unwrap();
    let one = new_shared_chat(shared.path()).await;
    let other = open_another(&one).await;
    let other = other.as_ref().unwrap_or(&one);
    let (ada, room) = new_room(&one).await;
    let sent = bytes_of(1, 1_000_000);
    let id = create(&one.chat, &ada, room, sent.len()).await.unwrap();
    for (n, chat) in [&other.chat, &one.chat]
        .into_iter()
        .cycle()
        .take(10)
        .enumerate()
    {
        let start = n * 100_000;
        assert_eq!(offset(chat, &ada, room, id).await.unwrap(), start as u64);
        let bytes = sent.slice(start..start + 100_000);
        let cut = send(
            chat,
            &ada,
            room,
            id,
            part_at(start as u64),
            cut_body(&bytes),
        )
        .await;
        assert!(cut.is_err());
    }
    // The last byte is there, but the request that brought it was cut.
    assert_eq!(
        offset(&other.chat, &ada, room, id).await.unwrap(),
        1_000_000
    );
    assert_eq!(attach(&one.chat, &ada, room, id).await, sent);
    for test in [&one, other] {
        assert_eq!(count_left(test).await, (0, 0));
    }
}

#[tokio::test]
async fn killed_upload_goes_on_after_the_next_start() {
    for place in [
        "piece kept",
        "pieces joined",
        "upload received",
        "file prepared",
        "file published",
        "file ready",
        "upload ready",
    ] {
        let mut test = new_test_chat(|_| {}).await;
        let (ada, room) = new_room(&test).await;
        let sent = bytes_of(1, 100_000);
        let id = create(&test.chat, &ada, room, sent.len()).await.unwrap();
        test.config.faults.stop_at(place);
        let turn = test
            .chat
            .take_upload(&ada, &room, id, Some(0))
            .await
            .unwrap();
        tokio::spawn(turn.receive(part_at(0), body(&sent)));
        soon(place, test.config.faults.stopped_at(place)).await;
        test.reopen().await;
        let at = offset(&test.chat, &ada, room, id).await.unwrap();
        assert_eq!(at, 100_000, "{place}");
        assert_eq!(attach(&test.chat, &ada, room, id).await, sent, "{place}");
        test.config.clock.advance(2 * DAY);
        sweep(&test).await;
        assert_eq!(count_left(&test).await, (0, 0), "{place}");
        assert_eq!(count_reserved(&test).await, (100_000, 100_000), "{place}");
    }
}
