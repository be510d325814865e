//! Files that a scanner checks: a clamd of the tests, which knows one harmful text.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};

use super::pictures::gif;
use super::*;
use crate::Scanner;
use crate::testing::new_guest;

/// What the clamd of the tests finds: <https://www.eicar.org/download-anti-malware-testfile/>, in two
/// parts, so that no scanner finds it here.
fn eicar() -> Vec<u8> {
    let parts = [
        r"X5O!P%@AP[4\PZX54(P^)7CC)7}$",
        "EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*",
    ];
    parts.concat().into_bytes()
}

/// How the clamd of the tests answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mood {
    Looks,
    /// Accepts files of at most five bytes.
    HasLimit,
    EndsAtOnce,
    SaysNothing,
}

/// The clamd of the tests.
struct Clamd {
    socket: PathBuf,
    mood: Arc<Mutex<Mood>>,
    _dir: tempfile::TempDir,
}

impl Clamd {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        Self {
            socket: dir.path().join("clamd"),
            mood: Arc::new(Mutex::new(Mood::Looks)),
            _dir: dir,
        }
    }

    fn set(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    /// Listens from now on.
    fn listen(&self) {
        let listener = UnixListener::bind(&self.socket).unwrap();
        let mood = self.mood.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let mood = *mood.lock().unwrap();
                tokio::spawn(answer(stream, mood));
            }
        });
    }

    async fn test_chat(&self) -> TestChat {
        let scanner = Scanner::Socket(self.socket.clone());
        new_test_chat(|config| config.scanner = Some(scanner)).await
    }
}

/// Reads a file in blocks, and answers as clamd does.
async fn answer(mut stream: UnixStream, mood: Mood) -> std::io::Result<()> {
    if mood == Mood::EndsAtOnce {
        return Ok(());
    }
    let mut command = [0; 10];
    stream.read_exact(&mut command).await?;
    assert_eq!(&command, b"zINSTREAM\0");
    let mut bytes = Vec::new();
    loop {
        let length = stream.read_u32().await?;
        if length == 0 {
            break;
        }
        let mut block = vec![0; usize::try_from(length).unwrap()];
        stream.read_exact(&mut block).await?;
        bytes.extend(block);
        if mood == Mood::HasLimit && bytes.len() > 5 {
            let text = b"INSTREAM size limit exceeded. ERROR\0";
            return stream.write_all(text).await;
        }
    }
    if mood == Mood::SaysNothing {
        return std::future::pending().await;
    }
    let harmful = eicar();
    let is_harmful = bytes.windows(harmful.len()).any(|part| part == harmful);
    let text: &[u8] = match is_harmful {
        true => b"stream: Eicar-Test-Signature FOUND\0",
        false => b"stream: OK\0",
    };
    stream.write_all(text).await
}

fn is_harmful<T>(result: Result<T, Error>) -> bool {
    matches!(
        result,
        Err(Error::Refusal(Refusal::Invalid { field: "file", rule }))
            if rule.contains("Eicar-Test-Signature")
    )
}

fn is_held_back<T>(result: Result<T, Error>) -> bool {
    matches!(result, Err(Error::Refusal(Refusal::NotReady(_))))
}

#[tokio::test]
async fn file_that_the_scanner_calls_clean_goes_its_way() {
    let clamd = Clamd::new();
    clamd.listen();
    let test = clamd.test_chat().await;
    let ada = new_guest();
    let room = create_room(&test, &ada).await;
    let large = vec![1; 300_000];
    for bytes in [&b""[..], b"clean", &large] {
        let (_, file) = send(&test, &ada, room, bytes).await;
        assert!(!file.scanning);
        assert_eq!(read(&test, &ada, room, file.id).await.unwrap(), bytes);
    }
    check_consistency(&test).await;
}

#[tokio::test]
async fn harmful_file_is_refused_and_never_downloadable() {
    let clamd = Clamd::new();
    clamd.listen();
    let test = clamd.test_chat().await;
    let ada = new_guest();
    let room = create_room(&test, &ada).await;
    let padded = [vec![0; 200_000], eicar()].concat();
    for bytes in [&eicar(), &padded] {
        assert!(is_harmful(try_upload(&test, &ada, room, bytes).await));
        sweep(&test).await;
        assert!(check_consistency(&test).await.is_empty());
        assert!(!contains(&test.config.data_dir, b"ANTIVIRUS-TEST-FILE"));
    }
}

/// Checks that a file is held back, and for whom.
async fn expect_held_back(test: &TestChat, by: &Person, room: RoomId, file: &File) {
    assert!(file.scanning);
    assert!(is_not_found(read(test, by, room, file.id).await));
    assert!(is_held_back(try_attach(test, by, room, &[file.id]).await));
    let stranger = new_guest();
    assert!(is_invalid(
        try_attach(test, &stranger, room, &[file.id]).await
    ));
    let stored = test.chat.0.files.store().list();
    let stored: Vec<_> = stored.try_collect().await.unwrap();
    assert!(stored.is_empty(), "nothing is in the file store");
}

#[tokio::test]
async fn file_is_held_back_while_the_scanner_is_away_and_checked_when_it_is_there() {
    let clamd = Clamd::new();
    let mut test = clamd.test_chat().await;
    let ada = new_guest();
    let room = create_room(&test, &ada).await;
    let clean = upload(&test, &ada, room, b"clean").await;
    let harmful = upload(&test, &ada, room, &eicar()).await;
    let unwanted = upload(&test, &ada, room, b"unwanted").await;
    for file in [&clean, &harmful, &unwanted] {
        expect_held_back(&test, &ada, room, file).await;
    }
    sweep(&test).await;
    expect_held_back(&test, &ada, room, &clean).await;
    test.reopen().await;
    sweep(&test).await;
    expect_held_back(&test, &ada, room, &clean).await;
    test.chat
        .delete_file(&ada, &room, unwanted.id)
        .await
        .unwrap();
    clamd.listen();
    sweep(&test).await;
    sweep(&test).await;
    assert_eq!(check_consistency(&test).await, BTreeSet::from([clean.id]));
    let message = try_attach(&test, &ada, room, &[clean.id]).await.unwrap();
    assert!(!message.files()[0].scanning);
    assert_eq!(read(&test, &ada, room, clean.id).await.unwrap(), b"clean");
    assert!(!contains(&test.config.data_dir, b"ANTIVIRUS-TEST-FILE"));
}

#[tokio::test]
async fn upload_of_several_requests_is_held_back_like_others() {
    let clamd = Clamd::new();
    let test = clamd.test_chat().await;
    let ada = new_guest();
    let room = create_room(&test, &ada).await;
    let bytes = gif(b"a place");
    let new = crate::NewUpload {
        name: "photo.gif".to_owned(),
        length: bytes.len() as u64,
        metadata: "original".to_owned(),
    };
    let body = futures_util::stream::iter([Ok(bytes::Bytes::from(bytes.clone()))]);
    let first = Some((crate::UploadPart::default(), body));
    let sent = test.chat.create_upload(&ada, &room, new, first).await;
    let sent = sent.unwrap();
    let id = sent.id();
    assert!(sent.expires_at().is_some(), "the file is not ready");
    drop(sent);
    // Reading the offset does not disturb the upload.
    for _ in 0..2 {
        let asked = test.chat.take_upload(&ada, &room, id, None).await.unwrap();
        let asked = asked.recover().await.unwrap();
        assert_eq!(asked.offset(), bytes.len() as u64);
    }
    assert!(is_not_found(read(&test, &ada, room, id).await));
    assert!(is_held_back(try_attach(&test, &ada, room, &[id]).await));
    clamd.listen();
    sweep(&test).await;
    assert_eq!(read(&test, &ada, room, id).await.unwrap(), bytes);
    assert_eq!(check_consistency(&test).await, BTreeSet::from([id]));
    let message = try_attach(&test, &ada, room, &[id]).await.unwrap();
    assert!(message.files()[0].metadata, "it is an original");
}

#[tokio::test]
async fn file_that_the_scanner_does_not_look_at_as_a_whole_is_held_back() {
    for mood in [Mood::HasLimit, Mood::EndsAtOnce] {
        let clamd = Clamd::new();
        clamd.listen();
        clamd.set(mood);
        let test = clamd.test_chat().await;
        let ada = new_guest();
        let room = create_room(&test, &ada).await;
        let large = vec![0; 2_000_000];
        let file = upload(&test, &ada, room, &large).await;
        expect_held_back(&test, &ada, room, &file).await;
        sweep(&test).await;
        expect_held_back(&test, &ada, room, &file).await;
        clamd.set(Mood::Looks);
        sweep(&test).await;
        assert_eq!(read(&test, &ada, room, file.id).await.unwrap(), large);
    }
}

#[tokio::test]
async fn file_that_is_never_checked_is_deleted_after_a_day() {
    let clamd = Clamd::new();
    let test = clamd.test_chat().await;
    let ada = new_guest();
    let room = create_room(&test, &ada).await;
    upload(&test, &ada, room, b"bytes").await;
    test.config.clock.advance(25 * HOUR);
    sweep(&test).await;
    assert!(check_consistency(&test).await.is_empty());
}

#[tokio::test]
async fn silent_scanner_is_given_up_after_a_while() {
    let clamd = Clamd::new();
    clamd.listen();
    clamd.set(Mood::SaysNothing);
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    std::fs::write(&file, b"bytes").unwrap();
    let scanner = Scanner::Socket(clamd.socket.clone());
    let patience = Duration::from_millis(50);
    let verdict = scanner.scan(&file, patience).await;
    assert!(matches!(
        verdict,
        super::super::scanner::Verdict::Unchecked(_)
    ));
}

#[tokio::test]
async fn file_is_no_larger_than_what_the_scanner_looks_at() {
    let clamd = Clamd::new();
    let scanner = Scanner::Socket(clamd.socket.clone());
    let test = new_test_chat(|config| {
        config.scanner = Some(scanner);
        config.scan_max = 1_000;
    })
    .await;
    assert_eq!(test.chat.file_limits().unwrap().file, 1_000);
    let ada = new_guest();
    let room = create_room(&test, &ada).await;
    let refused = try_upload(&test, &ada, room, &[0; 1_001]).await;
    assert!(matches!(
        refused,
        Err(Error::Refusal(Refusal::FilesTooLarge(_, 1_000)))
    ));
}
