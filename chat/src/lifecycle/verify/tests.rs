//! Archives that are whole, and archives with a fault.

use std::fs;
use std::path::PathBuf;

use protocol::{NewRoom, RoomId, Start};

use super::*;
use crate::testing::{TestChat, new_guest, new_message};
use crate::{FollowEvent, NewFiles, Person};

/// The archive of a room with two messages, one of which has two files.
struct TestArchive {
    _test: TestChat,
    lines: PathBuf,
    files: [PathBuf; 2],
}

async fn send_files(test: &TestChat, by: &Person, room: RoomId) -> [FileId; 2] {
    let mut ids = Vec::new();
    for bytes in [&b"one"[..], b"two, longer"] {
        let upload = test.chat.begin_upload(by, &room, "a.txt", None).await;
        let mut upload = upload.unwrap();
        upload.write(bytes).await.unwrap();
        ids.push(upload.finish().await.unwrap().id);
    }
    let files = NewFiles {
        ids: &ids,
        ..NewFiles::default()
    };
    let message = new_message("with files");
    let posted = test
        .chat
        .post_message_with_files(by, &room, &message, files, None);
    posted.await.unwrap();
    [ids[0], ids[1]]
}

async fn new_archive() -> TestArchive {
    let test = TestChat::new(|_| {}).await;
    let owner = new_guest();
    let room = test.chat.create_room(&owner, &NewRoom::default()).await;
    let room = room.unwrap().id;
    test.post(room, "hello").await;
    let ids = send_files(&test, &owner, room).await;
    let follower = test.chat.follow_room(&owner, &room, Start::Latest).await;
    let mut follower = follower.unwrap();
    test.chat.close_room(&owner, &room).await.unwrap();
    while !matches!(follower.next().await.unwrap(), FollowEvent::Closed(_)) {}
    let archives = test.config.data_dir.join("archive");
    let directory = archives.join(room.to_string());
    TestArchive {
        _test: test,
        lines: archives.join(format!("{room}.jsonl")),
        files: ids.map(|id| directory.join(id.to_string())),
    }
}

impl TestArchive {
    /// Checks the archive. Returns what is wrong.
    fn verify(&self) -> (CheckedArchive, Vec<String>) {
        let mut said = Vec::new();
        let checked = verify_archive(&self.lines, &mut |text| said.push(text.to_owned()));
        let checked = checked.unwrap();
        assert_eq!(checked.faults, said.len() as u64);
        (checked, said)
    }

    /// The only thing that is wrong.
    fn fault(&self) -> String {
        let (_, mut said) = self.verify();
        assert_eq!(said.len(), 1, "{said:?}");
        said.remove(0)
    }

    /// Changes a file for a check.
    fn changed<T>(
        &self,
        path: &Path,
        change: impl FnOnce(&mut Vec<u8>),
        check: impl FnOnce(&Self) -> T,
    ) -> T {
        let whole = fs::read(path).unwrap();
        let mut bytes = whole.clone();
        change(&mut bytes);
        // The bytes of a file are linked.
        fs::remove_file(path).unwrap();
        fs::write(path, &bytes).unwrap();
        let checked = check(self);
        fs::write(path, whole).unwrap();
        checked
    }
}

#[tokio::test]
async fn whole_archive_has_no_fault() {
    let archive = new_archive().await;
    let (checked, said) = archive.verify();
    assert!(said.is_empty(), "{said:?}");
    let expected = CheckedArchive {
        messages: 2,
        files: 2,
        file_bytes: 14,
        faults: 0,
    };
    assert_eq!(checked, expected);
}

#[tokio::test]
async fn file_with_a_changed_byte_is_named() {
    let archive = new_archive().await;
    let [one, two] = &archive.files;
    let name = |path: &Path| path.file_name().unwrap().to_string_lossy().into_owned();
    for (path, other) in [(one, two), (two, one)] {
        let fault = archive.changed(path, |bytes| bytes[1] ^= 1, TestArchive::fault);
        assert!(fault.contains(&name(path)), "{fault}");
        assert!(!fault.contains(&name(other)), "{fault}");
        assert!(fault.contains("SHA-256"), "{fault}");
        let fault = archive.changed(path, |bytes| bytes.push(0), TestArchive::fault);
        assert!(fault.contains(&name(path)) && fault.contains("bytes instead of"));
    }
    fs::remove_file(one).unwrap();
    let fault = archive.fault();
    assert!(
        fault.contains(&name(one)) && fault.contains("is missing"),
        "{fault}"
    );
}

#[tokio::test]
async fn each_changed_or_missing_byte_of_the_lines_is_found() {
    let archive = new_archive().await;
    let length = fs::read(&archive.lines).unwrap().len();
    for at in 0..length - 1 {
        let change = |bytes: &mut Vec<u8>| bytes[at] ^= 1;
        let check = |archive: &TestArchive| archive.verify().0.faults;
        let faults = archive.changed(&archive.lines, change, check);
        assert!(faults > 0, "byte {at}");
        let cut = |bytes: &mut Vec<u8>| bytes.truncate(at);
        let faults = archive.changed(&archive.lines, cut, check);
        assert!(faults > 0, "cut at {at}");
    }
}

#[tokio::test]
async fn file_that_is_no_archive_is_none() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.jsonl");
    let check = |bytes: &[u8]| {
        fs::write(&path, bytes).unwrap();
        verify_archive(&path, &mut |_| {}).map(|checked| checked.faults)
    };
    for bytes in [&b""[..], b"\n", b"text", b"\xff\xfe\n{}\n"] {
        assert!(check(bytes).unwrap() > 0, "{bytes:?}");
    }
    let endless = vec![b'x'; usize::try_from(LINE_MAX).unwrap() + 2];
    assert!(check(&endless).unwrap() > 0);
    assert!(check(&[&b"first\n"[..], &endless].concat()).unwrap() > 0);
    assert!(verify_archive(&dir.path().join("missing"), &mut |_| {}).is_err());
}
