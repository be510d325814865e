//! Stopping: streams are told to come back, posts are finished, and nothing new is begun.

use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use reqwest::StatusCode;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message as Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use crate::connections::idle;
use crate::house::{House, PATIENCE};
use crate::program::{Program, health};
use crate::sockets::Socket;

#[tokio::test]
async fn streams_end_and_the_server_stops() {
    let mut house = House::new().await;
    let ada = house.person("ada");
    let room = ada.room().await;
    let mut streams = Vec::new();
    for _ in 0..10 {
        streams.push(ada.follow(&room, "").await);
    }
    ada.post(&room, "last words").await;
    let stopped = house.stop();
    for mut stream in streams {
        assert_eq!(stream.next_message().await.body, "last words");
        assert_eq!(stream.next().await, None);
    }
    tokio::time::timeout(PATIENCE, stopped)
        .await
        .unwrap()
        .unwrap();
}

#[tokio::test]
async fn sockets_are_told_why_they_end() {
    let dir = tempfile::tempdir().unwrap();
    let mut program = Program::start(dir.path(), &[]);
    let room = program.room().await;
    let mut socket = Socket::at(&program.url, &format!("/rooms/{room}/socket")).await;
    let mut carried = Socket::at(&program.url, &format!("/stream?rooms={room}")).await;
    // More than fits into what the system holds for them: neither has heard all of it.
    let text = "x".repeat(4_000);
    for _ in 0..1_500 {
        program.post(&room, "ada", &text).await.unwrap();
    }
    program.signal("-TERM");
    let mut heard = 0;
    let end = loop {
        match socket.next().await {
            Frame::Close(end) => break end,
            _ => heard += 1,
        }
    };
    assert_eq!(end.map(|end| end.code), Some(CloseCode::Restart));
    assert!(heard < 1_500, "it ends where it is");
    while !carried.next().await.to_text().unwrap().contains("retry:") {}
    assert_eq!(carried.closed().await, 1000);
    assert!(program.ended().success());
}

#[tokio::test]
async fn a_post_under_way_is_finished() {
    let mut house = House::new().await;
    let ada = house.person("ada");
    let room = ada.room().await;
    let mut slow = TcpStream::connect(house.url.trim_start_matches("http://"))
        .await
        .unwrap();
    let body = r#"{"username":"ada","body":"slow"}"#;
    let head = format!(
        "POST /rooms/{room}/messages/ HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
         expect: 100-continue\r\n\r\n",
        body.len()
    );
    slow.write_all(head.as_bytes()).await.unwrap();
    // The server asks for the body, so the request has begun.
    let mut answer = vec![0; 25];
    slow.read_exact(&mut answer).await.unwrap();
    assert_eq!(answer, b"HTTP/1.1 100 Continue\r\n\r\n");
    let stopped = house.stop();
    slow.write_all(body.as_bytes()).await.unwrap();
    let mut answer = String::new();
    slow.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 201 Created"), "{answer}");
    tokio::time::timeout(PATIENCE, stopped)
        .await
        .unwrap()
        .unwrap();
}

/// What is written to it is kept.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, text: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend(text);
        Ok(text.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn whoever_asks_too_late_is_told_so_and_that_is_no_fault() {
    let log = Log::default();
    let writer = log.clone();
    let lines = tracing_subscriber::fmt()
        .with_writer(move || writer.clone())
        .finish();
    let _logged = tracing::subscriber::set_default(lines);
    let mut house = House::new().await;
    let mut late = TcpStream::connect(house.url.trim_start_matches("http://"))
        .await
        .unwrap();
    late.write_all(b"GET /rooms/ HTTP/1.1\r\n").await.unwrap();
    idle().await;
    let stopped = house.stop();
    idle().await;
    late.write_all(b"host: x\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    late.read_to_string(&mut answer).await.unwrap();
    assert!(
        answer.starts_with("HTTP/1.1 503 ") && answer.contains("\r\nretry-after: "),
        "{answer}"
    );
    timeout(PATIENCE, stopped).await.unwrap().unwrap();
    tracing::error!("this is a fault");
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(
        log.contains("this is a fault") && log.matches("ERROR").count() == 1,
        "{log}"
    );
}

#[tokio::test]
async fn health_is_told_apart_from_readiness() {
    let house = House::new().await;
    let ada = house.person("ada");
    assert_eq!(ada.get("/healthz", "*/*").await.status(), StatusCode::OK);
    assert_eq!(ada.get("/readyz", "*/*").await.status(), StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_says_whether_the_server_is_ready() {
    let mut house = House::new().await;
    let listen = house.url.trim_start_matches("http://").to_owned();
    assert_eq!(health(&listen), (Some(0), String::new()));
    timeout(PATIENCE, house.stop()).await.unwrap().unwrap();
    let (code, log) = health(&listen);
    assert!(
        code == Some(1) && log.contains("does not answer"),
        "{code:?} {log}"
    );
}

#[tokio::test]
async fn a_reader_that_does_not_read_costs_the_others_nothing() {
    let house = House::new().await;
    let ada = house.person("ada");
    let room = ada.room().await;
    let mut stuck = TcpStream::connect(house.url.trim_start_matches("http://"))
        .await
        .unwrap();
    stuck
        .write_all(format!("GET /rooms/{room}/messages/ HTTP/1.1\r\nhost: x\r\n\r\n").as_bytes())
        .await
        .unwrap();
    let mut listener = ada.follow(&room, "").await;
    let text = "x".repeat(4_000);
    for n in 1..=2_000 {
        ada.post(&room, &text).await;
        let message = tokio::time::timeout(Duration::from_secs(5), listener.next_message())
            .await
            .unwrap();
        assert_eq!(message.id, n);
    }
}
