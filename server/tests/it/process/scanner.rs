//! `--scan`: a clamd of the test at a TCP port.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use reqwest::{Response, StatusCode};
use serde_json::{Value, json};

use crate::harness::{ServerProcess, expect_json, expect_problem};

/// Reads a file in blocks. Returns its bytes; `None` if the connection ends before.
fn read_file(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut command = [0; 10];
    stream.read_exact(&mut command).ok()?;
    assert_eq!(&command, b"zINSTREAM\0");
    let mut bytes = Vec::new();
    loop {
        let mut length = [0; 4];
        stream.read_exact(&mut length).ok()?;
        let mut block = vec![0; usize::try_from(u32::from_be_bytes(length)).unwrap()];
        stream.read_exact(&mut block).ok()?;
        if block.is_empty() {
            return Some(bytes);
        }
        bytes.extend(block);
    }
}

/// A clamd that knows one harmful text, and does not answer about another one.
fn start_clamd() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let answer: &[u8] = match read_file(&mut stream).as_deref() {
                Some(b"harmful") => b"stream: Test-Signature FOUND\0",
                Some(b"unknown") | None => b"",
                Some(_) => b"stream: OK\0",
            };
            let _ = stream.write_all(answer);
        }
    });
    address
}

async fn upload(server: &ServerProcess, room: &str, bytes: &'static str) -> Response {
    let url = format!("{}/rooms/{room}/files/?name=a", server.url);
    let request = reqwest::Client::new().post(url).body(bytes);
    request.send().await.unwrap()
}

async fn attach(server: &ServerProcess, room: &str, file: &Value) -> Response {
    let url = format!("{}/rooms/{room}/messages/", server.url);
    let message = json!({"username": "ada", "files": [file["id"]]});
    let request = reqwest::Client::new().post(url).json(&message);
    request.send().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_clamd_calls_clean_can_be_downloaded() {
    let dir = tempfile::tempdir().unwrap();
    let scan = format!("clamd:{}", start_clamd());
    let server = ServerProcess::start(dir.path(), &["--scan", &scan]);
    let room = server.create_room().await;
    let clean = expect_json(upload(&server, &room, "clean").await).await;
    assert_eq!(clean.get("scanning"), None);
    let sent = attach(&server, &room, &clean).await;
    assert_eq!(sent.status(), StatusCode::CREATED);
    let harmful = upload(&server, &room, "harmful").await;
    let problem = expect_problem(harmful, 422).await;
    assert_eq!(problem.field.as_deref(), Some("file"));
    assert!(
        problem.detail.contains("Test-Signature"),
        "{}",
        problem.detail
    );
    let held = expect_json(upload(&server, &room, "unknown").await).await;
    assert_eq!(held["scanning"], true);
    let refused = attach(&server, &room, &held).await;
    assert!(refused.headers().contains_key("retry-after"));
    expect_problem(refused, 503).await;
    let url = format!("{}{}", server.url, held["url"].as_str().unwrap());
    expect_problem(reqwest::get(url).await.unwrap(), 404).await;
    server.wait_for_log("was not checked, and is held back");
}
