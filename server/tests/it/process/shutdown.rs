//! Shutdown: streams end, posts are finished, and no new request is begun.

use std::io::Write;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message as Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use crate::harness::{ServerProcess, TEST_TIMEOUT, TestServer, TestSocket, let_server_run};

#[test]
fn stopping_signals_exit_with_code_0() {
    for signal in ["-TERM", "-INT", "-QUIT"] {
        let dir = tempfile::tempdir().unwrap();
        let mut process = ServerProcess::start(dir.path(), &["--log-format", "json"]);
        process.signal(signal);
        assert_eq!(process.wait_for_exit().code(), Some(0), "{signal}");
    }
}

#[tokio::test]
async fn shutdown_ends_streams_after_the_last_message() {
    let mut server = TestServer::new().await;
    let ada = server.visitor("ada");
    let room = ada.create_room().await;
    let mut streams = Vec::new();
    for _ in 0..10 {
        streams.push(ada.follow(&room, "").await);
    }
    ada.post(&room, "last words").await;
    let stopped = server.stop();
    for mut stream in streams {
        assert_eq!(stream.next_message().await.body(), "last words");
        assert_eq!(stream.next().await, None);
    }
    tokio::time::timeout(TEST_TIMEOUT, stopped)
        .await
        .unwrap()
        .unwrap();
}

#[tokio::test]
async fn shutdown_closes_sockets_with_a_restart_code() {
    let dir = tempfile::tempdir().unwrap();
    let mut process = ServerProcess::start(dir.path(), &[]);
    let room = process.create_room().await;
    let mut socket = TestSocket::open_at(&process.url, &format!("/rooms/{room}/socket")).await;
    let mut carried = TestSocket::open_at(&process.url, &format!("/stream?rooms={room}")).await;
    // More than the socket buffers hold, so neither client has read all of it.
    let text = "x".repeat(4_000);
    for _ in 0..1_500 {
        process.post(&room, "ada", &text).await.unwrap();
    }
    process.signal("-TERM");
    let mut heard = 0;
    let end = loop {
        match socket.next().await {
            Frame::Close(end) => break end,
            _ => heard += 1,
        }
    };
    assert_eq!(end.map(|end| end.code), Some(CloseCode::Restart));
    assert!(heard < 1_500, "the socket ends before all is sent");
    while !carried.next().await.to_text().unwrap().contains("retry:") {}
    assert_eq!(carried.close_code().await, 1000);
    assert!(process.wait_for_exit().success());
}

#[tokio::test]
async fn shutdown_finishes_a_post_in_progress() {
    let mut server = TestServer::new().await;
    let ada = server.visitor("ada");
    let room = ada.create_room().await;
    let mut slow = TcpStream::connect(server.url.trim_start_matches("http://"))
        .await
        .unwrap();
    let body = r#"{"username":"ada","body":"slow"}"#;
    let head = format!(
        "POST /rooms/{room}/messages/ HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
         expect: 100-continue\r\n\r\n",
        body.len()
    );
    slow.write_all(head.as_bytes()).await.unwrap();
    // The server has asked for the body, so the request has begun.
    let mut response = vec![0; 25];
    slow.read_exact(&mut response).await.unwrap();
    assert_eq!(response, b"HTTP/1.1 100 Continue\r\n\r\n");
    let stopped = server.stop();
    slow.write_all(body.as_bytes()).await.unwrap();
    let mut response = String::new();
    slow.read_to_string(&mut response).await.unwrap();
    assert!(response.starts_with("HTTP/1.1 201 Created"), "{response}");
    tokio::time::timeout(TEST_TIMEOUT, stopped)
        .await
        .unwrap()
        .unwrap();
}

/// A log in memory.
#[derive(Clone, Default)]
struct CapturedLog(Arc<Mutex<Vec<u8>>>);

impl Write for CapturedLog {
    fn write(&mut self, text: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend(text);
        Ok(text.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn request_during_shutdown_gets_503_and_logs_no_error() {
    let log = CapturedLog::default();
    let writer = log.clone();
    let lines = tracing_subscriber::fmt()
        .with_writer(move || writer.clone())
        .finish();
    let _logged = tracing::subscriber::set_default(lines);
    let mut server = TestServer::new().await;
    let mut late = TcpStream::connect(server.url.trim_start_matches("http://"))
        .await
        .unwrap();
    late.write_all(b"GET /rooms/ HTTP/1.1\r\n").await.unwrap();
    let_server_run().await;
    let stopped = server.stop();
    let_server_run().await;
    late.write_all(b"host: x\r\n\r\n").await.unwrap();
    let mut response = String::new();
    late.read_to_string(&mut response).await.unwrap();
    assert!(
        response.starts_with("HTTP/1.1 503 ") && response.contains("\r\nretry-after: "),
        "{response}"
    );
    timeout(TEST_TIMEOUT, stopped).await.unwrap().unwrap();
    tracing::error!("this is a fault");
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(
        log.contains("this is a fault") && log.matches("ERROR").count() == 1,
        "{log}"
    );
}
