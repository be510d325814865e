//! `webchat copy`, from a file to the database that the tests are given, or to another file.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use chat::{Chat, Person};
use protocol::{NewMessage, NewRoom};
use serde_json::{Value, json};

use crate::harness::{RawEventReader, ServerProcess, database_of, file_in, size_from_env};

/// The database that belongs to a data directory.
fn database_in(data_dir: &Path) -> String {
    database_of(data_dir).unwrap_or_else(|| file_in(data_dir))
}

fn copy(from: &str, to: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_webchat"));
    command.args(["copy", "--from", from, "--to", to]);
    command
}

/// Runs a copy. Returns its exit code and everything that it prints.
fn run(mut command: Command) -> (Option<i32>, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().unwrap();
    let text = [stderr, stdout].concat();
    (status.code(), String::from_utf8(text).unwrap())
}

/// The data directory of the target belongs to the command, if one of both is no file.
fn copy_between(source: &Path, target: &Path) -> Command {
    let (from, to) = (file_in(source), database_in(target));
    copy(&from, &to)
}

/// Starts a server on the database of a data directory, whatever the other tests use.
fn start_on(database: &str, data_dir: &Path) -> ServerProcess {
    ServerProcess::start(data_dir, &["--database", database])
}

#[tokio::test(flavor = "multi_thread")]
async fn cursor_and_token_from_before_a_copy_are_good_on_the_target() {
    let [source, target] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let mut server = start_on(&file_in(source.path()), source.path());
    let http = reqwest::Client::new();
    let account = json!({"name": "Ada", "username": "ada", "password": "secret"});
    let register = http.post(format!("{}/register", server.url)).json(&account);
    let answer: Value = register.send().await.unwrap().json().await.unwrap();
    let token = answer["content"]["token"].as_str().unwrap();
    let room = server.create_room().await;
    server.post(&room, "ada b", "before").await.unwrap();
    let mut reader = RawEventReader::open(&server.url, &room, None)
        .await
        .unwrap();
    assert_eq!(reader.next().await.unwrap().unwrap().word(), "before");
    let refused = run(copy_between(source.path(), target.path()));
    assert_eq!(refused.0, Some(1));
    assert!(
        refused.1.contains("stop it, and copy again"),
        "{}",
        refused.1
    );
    server.signal("-TERM");
    server.wait_for_exit();
    let (code, text) = run(copy_between(source.path(), target.path()));
    assert_eq!(code, Some(0), "{text}");
    assert!(
        text.contains("digest ok") && text.contains("archive"),
        "{text}"
    );
    let server = start_on(&database_in(target.path()), target.path());
    server.post(&room, "ada b", "after").await.unwrap();
    let cursor = reader.cursor.clone();
    let mut reader = RawEventReader::open(&server.url, &room, cursor)
        .await
        .unwrap();
    let next = reader.next().await.unwrap().unwrap();
    assert_eq!((next.seq, next.word()), (2, "after"));
    let users = http.get(format!("{}/users", server.url)).bearer_auth(token);
    assert_eq!(users.send().await.unwrap().status(), 200);
    let (code, text) = run(copy_between(source.path(), target.path()));
    assert_eq!(code, Some(1), "{text}");
    drop(server);
    let (code, text) = run(copy_between(source.path(), target.path()));
    assert!(code == Some(1) && text.contains("is not empty"), "{text}");
}

/// A file with a room of so many messages.
async fn fill(data_dir: &Path, messages: usize) {
    let chat = Chat::open(chat::Config::new(data_dir)).await.unwrap();
    let wish = NewRoom::default();
    let room = chat.create_room(&Person::Anonymous, &wish).await;
    let room = room.unwrap().id;
    let message = NewMessage {
        username: "ada".to_owned(),
        body: "hello".to_owned(),
    };
    let posts = (0..messages).map(|_| chat.post_message(&Person::Anonymous, &room, &message, None));
    let posted = futures_util::future::join_all(posts).await;
    assert!(posted.iter().all(Result::is_ok));
    chat.close().await;
}

/// `WEBCHAT_SEED` repeats the points at which the copy is killed.
#[tokio::test(flavor = "multi_thread")]
async fn copy_that_is_killed_anywhere_goes_on_and_is_complete() {
    const MESSAGES: usize = 12_000;
    let seed = size_from_env(
        "WEBCHAT_SEED",
        RandomState::new().build_hasher().finish() as usize,
    );
    println!("WEBCHAT_SEED={seed}");
    let [source, target] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    fill(source.path(), MESSAGES).await;
    let mut random = seed as u64;
    let mut kills = 0;
    for _ in 0..6 {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        let lines = (random >> 33) as usize % 12;
        let mut command = copy_between(source.path(), target.path());
        let mut child = command
            .env("WEBCHAT_LOG", "info,chat=debug")
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = BufReader::new(child.stderr.take().unwrap()).lines();
        let read = log.take(lines).count();
        kills += usize::from(child.try_wait().unwrap().is_none());
        child.kill().unwrap();
        child.wait().unwrap();
        if read < lines {
            break;
        }
    }
    println!("killed {kills} times");
    let database = database_in(target.path());
    let (code, text) = run(copy_between(source.path(), target.path()));
    let is_complete = code == Some(0) && text.contains(&format!("{MESSAGES}  digest ok"));
    // The last one that was killed may have been complete.
    assert!(is_complete || text.contains("is not empty"), "{text}");
    let server = start_on(&database, target.path());
    assert!(server.is_ready().await);
}

#[test]
fn unusable_databases_are_refused_without_their_passwords() {
    let dir = tempfile::tempdir().unwrap();
    let file = file_in(dir.path());
    let missing = file_in(&dir.path().join("missing"));
    let secret = "hush-hush";
    let nowhere = format!("postgres://webchat:{secret}@127.0.0.1:1/webchat");
    let unreadable = format!("postgres://webchat:{secret}@127.0.0.1:port/webchat");
    let memory = "sqlite::memory:".to_owned();
    let cases = [
        (&memory, &file, 2, "--from"),
        (&file, &unreadable, 2, "--to"),
        (&file, &missing, 2, "--to"),
        (&file, &nowhere, 1, "there is no database at"),
        (&nowhere, &file, 1, "the source: "),
        (&missing, &file, 1, "there is no database at"),
    ];
    for (from, to, expected, words) in cases {
        let (code, text) = run(copy(from, to));
        assert_eq!(code, Some(expected), "{from} {to}: {text}");
        assert!(text.contains(words) && !text.contains(secret), "{text}");
        assert_eq!(text.lines().count(), 1, "{text}");
    }
    assert!(!dir.path().join("webchat.db").exists());
}
