//! `webchat archive verify`.

use std::path::Path;
use std::process::{Command, Output};

use crate::harness::ServerProcess;

/// Runs the check. Returns its exit code and everything that it prints.
fn verify(file: &Path) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_webchat"));
    let Output {
        status,
        stdout,
        stderr,
    } = command
        .args(["archive", "verify"])
        .arg(file)
        .output()
        .unwrap();
    let text = String::from_utf8([stdout, stderr].concat()).unwrap();
    (status.code(), text)
}

/// The archive of a room that the server has ended, and the bytes of its only file.
async fn archive_of_a_room(dir: &Path) -> (std::path::PathBuf, std::path::PathBuf) {
    let server = ServerProcess::start(dir, &["--timeout", "2s"]);
    let room = server.create_room().await;
    let form = reqwest::Client::new()
        .post(format!("{}/rooms/{room}/files/", server.url))
        .header("content-type", "multipart/form-data; boundary=b")
        .body(concat!(
            "--b\r\nContent-Disposition: form-data; name=\"username\"\r\n\r\nada\r\n",
            "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n\r\n",
            "the bytes\r\n--b--\r\n"
        ));
    assert_eq!(form.send().await.unwrap().status(), 201);
    let lines = dir.join("archive").join(format!("{room}.jsonl"));
    while !lines.exists() {
        tokio::task::yield_now().await;
    }
    let mut files = std::fs::read_dir(dir.join("archive").join(&room)).unwrap();
    let file = files.next().unwrap().unwrap().path();
    (lines, file)
}

#[tokio::test(flavor = "multi_thread")]
async fn check_of_an_archive_says_which_byte_was_changed_by_its_exit_code_and_text() {
    let dir = tempfile::tempdir().unwrap();
    let (lines, file) = archive_of_a_room(dir.path()).await;
    let (code, text) = verify(&lines);
    assert_eq!(code, Some(0), "{text}");
    assert!(
        text.contains("is whole: 1 messages, 1 files with 9 bytes"),
        "{text}"
    );
    let mut bytes = std::fs::read(&file).unwrap();
    bytes[4] ^= 1;
    std::fs::remove_file(&file).unwrap();
    std::fs::write(&file, bytes).unwrap();
    let (code, text) = verify(&lines);
    assert_eq!(code, Some(1), "{text}");
    let id = file.file_name().unwrap().to_str().unwrap();
    assert!(text.contains(id) && text.contains("a.txt"), "{text}");
    assert!(text.contains("is not whole: 1 fault"), "{text}");
    let (code, text) = verify(&dir.path().join("missing.jsonl"));
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("cannot read"), "{text}");
}
