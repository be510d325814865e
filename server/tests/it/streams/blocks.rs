//! The blocks of every event stream of the OpenAPI document, over every kind of connection: a block
//! that ends in an empty line carries data, because some clients take one without data for an
//! event.

use futures_util::future::join_all;
use protocol::characters::is_line_break;
use reqwest::{Method, Response, StatusCode, Version};
use serde_json::{Value, json};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message as Frame;

use crate::harness::{
    TEST_TIMEOUT, TestCertificate, TestServer, TestSocket, TestUser, within_virtual_seconds,
};

/// The addresses of all event streams that the document describes, and how many events each sends
/// at once.
async fn stream_addresses(user: &TestUser, room: &str) -> Vec<(String, usize)> {
    let document: Value = user.get("/openapi.json", "*/*").await.json().await.unwrap();
    let paths = document["paths"].as_object().unwrap().iter();
    let streams = paths.filter(|(_, item)| {
        item["get"]["responses"]["200"]["content"]["text/event-stream"].is_object()
    });
    streams
        .map(|(path, _)| match path.as_str() {
            "/stream" => (format!("/stream?rooms={room}&list=on&overview=on"), 2),
            "/messages" => ("/messages?id=ada".to_owned(), 1),
            "/rooms/" | "/overview/" => (path.clone(), 1),
            "/rooms/{id}/messages/" => (path.replace("{id}", room), 0),
            new => panic!("the test does not know how to follow {new}"),
        })
        .collect()
}

/// An event stream and everything that has arrived on it.
struct Stream {
    address: String,
    response: Response,
    text: String,
}

impl Stream {
    async fn open(user: &TestUser, address: String) -> Self {
        let response = user.get(&address, "text/event-stream").await;
        assert_eq!(response.status(), StatusCode::OK, "{address}");
        Self {
            address,
            response,
            text: String::new(),
        }
    }

    async fn read_until(&mut self, is_enough: impl Fn(&str) -> bool) {
        while !is_enough(&self.text) {
            let Some(chunk) = self.response.chunk().await.unwrap() else {
                break;
            };
            self.text.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }
}

/// Posts to each kind of stream.
async fn cause_events(user: &TestUser, room: &str) {
    user.post(room, "hello").await;
    user.create_room_with(json!({"name": "Tea", "public": true}))
        .await;
    let said = user.request(Method::POST, "/send?id=ada&message=hello");
    assert_eq!(said.send().await.unwrap().status(), StatusCode::OK);
}

fn expect_data_in_each_block(address: &str, text: &str) {
    let (blocks, rest) = text.rsplit_once("\n\n").expect("no block has ended");
    for block in blocks.split("\n\n") {
        let mut lines = block.lines();
        assert!(
            lines.any(|line| line.starts_with("data: ")),
            "{address}: {block:?}"
        );
    }
    assert!(!rest.contains("data: "), "{address}: {rest:?}");
}

/// Follows every stream while nothing happens, then while something does, then until the server
/// stops.
async fn expect_blocks_with_data(mut server: TestServer, user: TestUser) {
    let room = user.create_room().await;
    let joined = user.request(Method::POST, "/join?id=ada").send().await;
    assert_eq!(joined.unwrap().status(), StatusCode::OK);
    let addresses = stream_addresses(&user, &room).await;
    let mut streams = Vec::new();
    for (address, first_events) in addresses {
        let mut stream = Stream::open(&user, address).await;
        let have_come = |text: &str| text.matches("\n\n").count() == first_events;
        timeout(TEST_TIMEOUT, stream.read_until(have_come))
            .await
            .unwrap();
        streams.push(stream);
    }
    let beats = join_all(
        streams
            .iter_mut()
            .map(|stream| stream.read_until(|text| text.contains(": heartbeat\n"))),
    );
    within_virtual_seconds(17, beats)
        .await
        .expect("a stream without a heartbeat");
    cause_events(&user, &room).await;
    let stopping = server.stop();
    for stream in &mut streams {
        timeout(TEST_TIMEOUT, stream.read_until(|_| false))
            .await
            .unwrap();
        let address = &stream.address;
        let text = &stream.text;
        assert!(text.starts_with("retry: 2000\n"), "{address}: {text:?}");
        assert!(text.contains("hello") || !address.contains("messages"));
        assert_eq!(text.matches("retry: ").count(), 2, "{address}: {text:?}");
        expect_data_in_each_block(address, text);
    }
    drop((streams, user));
    timeout(TEST_TIMEOUT, stopping).await.unwrap().unwrap();
}

#[tokio::test]
async fn each_block_carries_data_on_a_socket_of_its_own() {
    let server = TestServer::new().await;
    let ada = server.visitor("ada");
    expect_blocks_with_data(server, ada).await;
}

#[tokio::test]
async fn each_block_carries_data_over_tls() {
    for version in [Version::HTTP_11, Version::HTTP_2] {
        let cert = TestCertificate::new();
        let server = cert.start_server(None).await;
        let ada = cert.client("ada", &server.url, version);
        expect_blocks_with_data(server, ada).await;
    }
}

#[tokio::test]
async fn each_block_carries_data_over_web_socket() {
    let mut server = TestServer::new().await;
    let ada = server.visitor("ada");
    let room = ada.create_room().await;
    let address = format!("/stream?rooms={room}&list=on");
    let mut socket = TestSocket::open(&server, &address).await;
    let mut text = String::new();
    let quiet = async {
        while !text.contains(": heartbeat\n") {
            text += socket.next().await.to_text().unwrap();
        }
    };
    within_virtual_seconds(17, quiet)
        .await
        .expect("no heartbeat");
    ada.post(&room, "hello").await;
    let stopping = server.stop();
    loop {
        match socket.next().await {
            Frame::Close(_) => break,
            frame => text += frame.to_text().unwrap(),
        }
    }
    expect_data_in_each_block(&address, &text);
    drop((socket, ada));
    timeout(TEST_TIMEOUT, stopping).await.unwrap().unwrap();
}

#[tokio::test]
async fn text_with_line_separators_forges_no_line() {
    let server = TestServer::new().await;
    let eve = server.guest("eve").await;
    let room = eve.create_room().await;
    let forged = r#"{"id":9,"username":"ada","body":"yes"}"#;
    let body = format!("hi\u{2028}\u{2028}data: {forged}\u{2029}{forged}\u{2028}");
    eve.post(&room, &format!("{body}.")).await;
    for address in [
        format!("/rooms/{room}/messages/"),
        format!("/stream?rooms={room}"),
    ] {
        let mut stream = Stream::open(&eve, address).await;
        stream.read_until(|text| text.ends_with("\n\n")).await;
        let mut lines = stream.text.split(is_line_break);
        assert!(
            !lines.any(|line| line.contains(r#"{"id":9"#)),
            "{}",
            stream.text
        );
    }
    let archive = eve
        .get(&format!("/rooms/{room}/archive.jsonl"), "*/*")
        .await;
    let archive = archive.text().await.unwrap();
    let lines: Vec<Value> = archive
        .split_terminator(is_line_break)
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(
        (lines.len(), &lines[1]["body"]),
        (3, &json!(format!("{body}.")))
    );
    let transcript = eve
        .get(&format!("/rooms/{room}/transcript.txt"), "*/*")
        .await;
    let transcript = transcript.text().await.unwrap();
    let mut lines = transcript.split(is_line_break).skip(3);
    assert!(
        lines.all(|line| line.is_empty() || line.starts_with("    ")),
        "{transcript}"
    );
}
