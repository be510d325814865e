//! A client that opens as many connections as it can.

use std::net::{IpAddr, SocketAddr};

use reqwest::Client;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::harness::{ServerProcess, TEST_TIMEOUT, run_health_check};
use crate::http::get_request;

/// More than the server has descriptors.
const CONNECTIONS: usize = 300;

/// A server with 256 descriptors.
fn start_small_server(dir: &tempfile::TempDir) -> ServerProcess {
    ServerProcess::start_restricted("ulimit -n 256", dir.path(), &["--rate-limit", "on"])
}

fn address_of(server: &ServerProcess) -> SocketAddr {
    server.url.trim_start_matches("http://").parse().unwrap()
}

/// Checks that a client at this address can read and write, and that the server counts as healthy.
async fn expect_service(server: &ServerProcess, room: &str, client: IpAddr) {
    let http = Client::builder().local_address(client).build().unwrap();
    let page = http
        .get(format!("{}/rooms/{room}/", server.url))
        .send()
        .await;
    assert_eq!(page.unwrap().status(), 200, "{client}");
    let post = http
        .post(format!("{}/rooms/{room}/messages/", server.url))
        .json(&json!({"username": "ada", "body": "hello"}));
    assert_eq!(post.send().await.unwrap().status(), 201, "{client}");
    let (code, log) = run_health_check(&address_of(server).to_string());
    assert_eq!(code, Some(0), "{log}");
}

#[tokio::test]
async fn client_with_many_streams_keeps_nobody_away() {
    let dir = tempfile::tempdir().unwrap();
    let server = start_small_server(&dir);
    let room = server.create_room().await;
    let request = get_request(&format!("/rooms/{room}/messages/"));
    let mut streams = Vec::new();
    let mut accepted = 0;
    for _ in 0..CONNECTIONS {
        let mut stream = TcpStream::connect(address_of(&server)).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut status = [0; 12];
        let read = timeout(TEST_TIMEOUT, stream.read_exact(&mut status)).await;
        read.unwrap().unwrap();
        match &status {
            b"HTTP/1.1 200" => accepted += 1,
            b"HTTP/1.1 429" => {}
            other => panic!("{:?}", String::from_utf8_lossy(other)),
        }
        streams.push(stream);
    }
    assert_eq!(accepted, 72, "three quarters of half of 192 connections");
    for client in ["127.0.0.1", "127.0.0.2"] {
        expect_service(&server, &room, client.parse().unwrap()).await;
    }
}

#[tokio::test]
async fn client_with_many_idle_connections_keeps_nobody_away() {
    let dir = tempfile::tempdir().unwrap();
    let server = start_small_server(&dir);
    let room = server.create_room().await;
    let mut idle = Vec::new();
    for _ in 0..CONNECTIONS {
        idle.push(TcpStream::connect(address_of(&server)).await.unwrap());
    }
    for client in ["127.0.0.1", "127.0.0.2"] {
        expect_service(&server, &room, client.parse().unwrap()).await;
    }
}
