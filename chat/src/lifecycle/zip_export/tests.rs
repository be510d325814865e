//! ZIP files of rooms.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};

use protocol::{File, NewRoom};
use zip::ZipArchive;

use super::*;
use crate::testing::{TestChat, new_guest, new_message};
use crate::{NewFiles, verify_archive};

async fn create_room(test: &TestChat, owner: &Person) -> RoomId {
    let wish = NewRoom {
        private: Some(true),
        ..NewRoom::default()
    };
    test.chat.create_room(owner, &wish).await.unwrap().id
}

/// Sends a message with one file. Returns its sequence number and the file.
async fn send(test: &TestChat, by: &Person, room: RoomId, name: &str, bytes: &[u8]) -> (u64, File) {
    let upload = test.chat.begin_upload(by, &room, name, None).await;
    let mut upload = upload.unwrap();
    upload.write(bytes).await.unwrap();
    let file = upload.finish().await.unwrap();
    let files = NewFiles {
        ids: &[file.id],
        ..NewFiles::default()
    };
    let message = new_message("");
    let posted = test
        .chat
        .post_message_with_files(by, &room, &message, files, None);
    (posted.await.unwrap().id, file)
}

/// Reads all pieces, and counts the bytes of the longest one.
async fn read_all(mut export: ZipExport) -> Result<(Vec<u8>, usize), Error> {
    let (mut bytes, mut longest) = (Vec::new(), 0);
    while let Some(piece) = export.next().await? {
        longest = longest.max(piece.len());
        bytes.extend_from_slice(&piece);
    }
    Ok((bytes, longest))
}

fn unpack(bytes: Vec<u8>) -> BTreeMap<String, Vec<u8>> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).unwrap();
    let mut entries = BTreeMap::new();
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).unwrap();
        let name = entry.name().unwrap().into_owned();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        entries.insert(name, content);
    }
    entries
}

#[tokio::test]
async fn zip_file_has_the_lines_and_the_files_and_passes_the_check_of_archives() {
    let test = TestChat::new(|_| {}).await;
    let owner = new_guest();
    let room = create_room(&test, &owner).await;
    let large = vec![7; 3_000_000];
    let (_, one) = send(&test, &owner, room, "\u{fc}ber/a?.txt", b"one").await;
    let (_, two) = send(&test, &owner, room, "two", &large).await;
    let (deleted, gone) = send(&test, &owner, room, "gone", b"gone").await;
    test.chat
        .delete_message(&owner, &room, deleted)
        .await
        .unwrap();
    let export = test.chat.export_zip(&owner, &room).await.unwrap();
    let (bytes, longest) = read_all(export).await.unwrap();
    assert!(longest < 300_000, "{longest}");
    let entries = unpack(bytes);
    let path = |file: &File| format!("{room}/{}/{}", file.id, file.name);
    assert_eq!(entries[&path(&one)], b"one");
    assert_eq!(entries[&path(&two)], large);
    assert_eq!(entries.len(), 3);
    assert!(
        entries
            .keys()
            .all(|name| !name.contains(&gone.id.to_string()))
    );
    let unpacked = tempfile::tempdir().unwrap();
    for (name, content) in &entries {
        let path = unpacked.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }
    let lines = unpacked.path().join(format!("{room}.jsonl"));
    let checked = verify_archive(&lines, &mut |fault| panic!("{fault}"));
    let checked = checked.unwrap();
    assert_eq!((checked.messages, checked.files), (3, 2));
    assert_eq!(checked.file_bytes, 3_000_003);
}

#[tokio::test]
async fn file_of_a_later_message_is_left_out_and_so_is_one_that_is_deleted_meanwhile() {
    let test = TestChat::new(|_| {}).await;
    let owner = new_guest();
    let room = create_room(&test, &owner).await;
    let (_, kept) = send(&test, &owner, room, "kept", b"kept").await;
    let (_, removed) = send(&test, &owner, room, "removed", b"removed").await;
    let export = test.chat.export_zip(&owner, &room).await.unwrap();
    send(&test, &owner, room, "later", b"later").await;
    test.chat
        .delete_file(&owner, &room, removed.id)
        .await
        .unwrap();
    let (bytes, _) = read_all(export).await.unwrap();
    let names: Vec<String> = unpack(bytes).into_keys().collect();
    assert_eq!(
        names,
        [format!("{room}.jsonl"), format!("{room}/{}/kept", kept.id)]
    );
}

#[tokio::test]
async fn reader_who_loses_the_room_meanwhile_gets_no_further_file() {
    let test = TestChat::new(|_| {}).await;
    let owner = new_guest();
    let room = create_room(&test, &owner).await;
    for number in 0..3 {
        send(&test, &owner, room, "a", &[number; 100_000]).await;
    }
    let stranger = new_guest();
    let hidden = test.chat.export_zip(&stranger, &room).await;
    assert!(matches!(
        hidden.err(),
        Some(Error::Refusal(Refusal::NotFound(_)))
    ));
    let mut export = test.chat.export_zip(&owner, &room).await.unwrap();
    let mut length = 0;
    while length < 100_000 {
        length += export.next().await.unwrap().unwrap().len();
    }
    test.chat.close_room(&owner, &room).await.unwrap();
    let rest = read_all(export).await;
    assert!(matches!(rest, Err(Error::Refusal(Refusal::Gone(_)))));
}

#[tokio::test]
async fn zip_file_of_a_room_without_messages_has_its_lines() {
    let test = TestChat::new(|_| {}).await;
    let owner = new_guest();
    let room = create_room(&test, &owner).await;
    let export = test.chat.export_zip(&owner, &room).await.unwrap();
    let entries = unpack(read_all(export).await.unwrap().0);
    let lines = &entries[&format!("{room}.jsonl")];
    assert_eq!(lines.iter().filter(|byte| **byte == b'\n').count(), 2);
}
