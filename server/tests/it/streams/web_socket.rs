//! Messages over WebSocket, in rooms by ID and by name.

use futures_util::future::join_all;
use protocol::{Message, Problem};
use reqwest::Method;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message as Frame;

use crate::harness::{TEST_TIMEOUT, TestServer, TestSocket};

#[tokio::test]
async fn named_room_carries_messages_both_ways() {
    let server = TestServer::new().await;
    let page = server
        .visitor("ada")
        .get("/chat?room=tea", "text/html")
        .await;
    assert_eq!(page.status(), 200);
    assert!(page.text().await.unwrap().contains("<h1"));
    let mut ada = TestSocket::open(&server, "/room?room=tea&username=ada").await;
    ada.send_text("hello").await;
    let first = ada.next_message().await;
    assert_eq!(
        (first.id, first.username.as_str(), first.body()),
        (1, "ada", "hello")
    );
    let mut grace = TestSocket::open(&server, "/room?room=tea&username=grace").await;
    assert_eq!(grace.next_message().await, first, "oldest first");
    grace.send_text("hi").await;
    assert_eq!(ada.next_message().await.username, "grace");
    assert_eq!(grace.next_message().await.id, 2);
    let mut elsewhere = TestSocket::open(&server, "/room?room=coffee&username=ada").await;
    elsewhere.send_text("alone").await;
    assert_eq!(elsewhere.next_message().await.id, 1);
}

#[tokio::test]
async fn socket_and_stream_carry_the_same_json() {
    let server = TestServer::new().await;
    let user = server.visitor("ada");
    let room = user.create_room().await;
    user.post(&room, "one\n\"two\"").await;
    let mut socket =
        TestSocket::open(&server, &format!("/rooms/{room}/socket?username=grace")).await;
    socket.send_text("three").await;
    let mut stream = user.follow(&room, "").await;
    for _ in 0..2 {
        assert_eq!(
            socket.next().await.to_text().unwrap(),
            stream.next().await.unwrap().data
        );
    }
}

#[tokio::test]
async fn socket_starts_at_the_given_cursor() {
    let server = TestServer::new().await;
    let ada = server.visitor("ada");
    let room = ada.create_room().await;
    for n in 1..=3 {
        ada.post(&room, &n.to_string()).await;
    }
    let path = format!("/rooms/{room}/socket");
    assert_eq!(
        TestSocket::open(&server, &format!("{path}?after=2"))
            .await
            .next_message()
            .await
            .id,
        3
    );
    let mut ahead = TestSocket::open(&server, &format!("{path}?after=9")).await;
    let reset: Value = serde_json::from_str(ahead.next().await.to_text().unwrap()).unwrap();
    assert_eq!(reset, json!({"event": "reset"}));
    assert_eq!(ahead.next_message().await.id, 1);
    let mut latest = TestSocket::open(&server, &format!("{path}?after=latest")).await;
    ada.post(&room, "4").await;
    assert_eq!(latest.next_message().await.id, 4);
}

#[tokio::test]
async fn refused_frame_is_answered_and_the_socket_stays_open() {
    let server = TestServer::new().await;
    let room = server.visitor("ada").create_room().await;
    let mut ada = TestSocket::open(&server, &format!("/rooms/{room}/socket?username=ada")).await;
    for (text, status) in [("   ".to_owned(), 422), ("x".repeat(4_001), 422)] {
        ada.send_text(&text).await;
        let problem: Problem = serde_json::from_str(ada.next().await.to_text().unwrap()).unwrap();
        assert_eq!(problem.status, status);
    }
    ada.send_text("fine").await;
    assert_eq!(ada.next_message().await.id, 1);
    let mut reader = TestSocket::open(&server, &format!("/rooms/{room}/socket?after=latest")).await;
    reader.send_text("who am I").await;
    let problem: Problem = serde_json::from_str(reader.next().await.to_text().unwrap()).unwrap();
    assert_eq!(problem.field.as_deref(), Some("username"));
}

#[tokio::test]
async fn flood_over_a_socket_is_refused_frame_by_frame() {
    let server = TestServer::with(&[], |_| {}).await;
    let ada = server.guest("ada").await;
    let room = ada.create_room().await;
    let mut socket = TestSocket::open_as(&ada, &format!("/rooms/{room}/socket?username=ada"))
        .await
        .unwrap();
    let mut refused = None;
    for n in 0..1_000 {
        socket.send_text("hello").await;
        let frame = socket.next().await;
        if let Ok(problem) = serde_json::from_str::<Problem>(frame.to_text().unwrap()) {
            refused = Some((n, problem));
            break;
        }
    }
    let (said, problem) = refused.expect("no limit");
    assert!(said >= 200, "{said}");
    assert_eq!((problem.status, problem.retry_after), (429, Some(1)));
    // The limit also covers other routes. After it has refilled, the socket continues.
    let posts = join_all((0..100).map(|_| ada.try_post(&room, "hello"))).await;
    let (accepted, refused): (Vec<_>, Vec<_>) =
        posts.iter().partition(|response| response.status() == 201);
    assert!(refused.iter().all(|response| response.status() == 429));
    assert!(!refused.is_empty(), "the other route has its own limit");
    let earlier = said + u64::try_from(accepted.len()).unwrap();
    loop {
        socket.send_text("at last").await;
        let frame = socket.next().await;
        match serde_json::from_str::<Message>(frame.to_text().unwrap()) {
            Ok(message) if message.body() == "at last" => {
                assert_eq!(message.id, earlier + 1, "refused frames are not messages");
                break;
            }
            _ => {}
        }
    }
}

/// Reads frames until their joined text ends with `end`. Returns that text.
async fn read_frames_until(socket: &mut TestSocket, end: &str) -> String {
    let mut all = String::new();
    while !all.ends_with(end) {
        all += socket.next().await.to_text().unwrap();
    }
    all
}

#[tokio::test]
async fn event_stream_over_a_socket_has_the_same_bytes() {
    let mut server = TestServer::new().await;
    let ada = server.visitor("ada");
    let room = ada.create_room().await;
    let path = format!("/stream?rooms={room}");
    let mut socket = TestSocket::open(&server, &path).await;
    let mut stream = ada.get(&path, "text/event-stream").await;
    for n in 0..20 {
        ada.post(&room, &format!("number {n}")).await;
    }
    let last = "\"body\":\"number 19\"";
    let mut expected = String::new();
    while !(expected.contains(last) && expected.ends_with("\n\n")) {
        expected += std::str::from_utf8(&stream.chunk().await.unwrap().unwrap()).unwrap();
    }
    // Only the stream has a reconnection delay.
    let expected = expected.strip_prefix("retry: 2000\n").unwrap();
    let tail = expected[expected.rfind("data: ").unwrap()..].to_owned();
    assert_eq!(read_frames_until(&mut socket, &tail).await, expected);
    // The socket resumes by the same cursor. Frames from the client are not messages.
    let ids: Vec<&str> = expected
        .lines()
        .filter_map(|line| line.strip_prefix("id: "))
        .collect();
    let mut resumed = TestSocket::open(&server, &format!("{path}&last_event_id={}", ids[17])).await;
    resumed.send_text("nobody reads this").await;
    assert_eq!(
        read_frames_until(&mut resumed, &tail)
            .await
            .matches("data: ")
            .count(),
        2
    );
    assert_eq!(ada.history(&room, "").await.len(), 20);
    let stopped = server.stop();
    while !matches!(resumed.next().await, Frame::Close(_)) {}
    drop((resumed, socket, stream));
    tokio::time::timeout(TEST_TIMEOUT, stopped)
        .await
        .unwrap()
        .unwrap();
}

#[tokio::test]
async fn plain_request_to_a_socket_route_gets_426_with_upgrade_headers() {
    let server = TestServer::new().await;
    let ada = server.visitor("ada");
    let room = ada.create_room().await;
    for path in [
        format!("/rooms/{room}/socket"),
        "/room?room=tea&username=ada".to_owned(),
    ] {
        for accept in ["*/*", "text/html"] {
            for version in [None, Some("8")] {
                let mut request = ada.request(Method::GET, &path).header("accept", accept);
                if let Some(version) = version {
                    request = request
                        .header("connection", "upgrade")
                        .header("upgrade", "websocket");
                    request = request.header("sec-websocket-key", "AAAAAAAAAAAAAAAAAAAAAA==");
                    request = request.header("sec-websocket-version", version);
                }
                let response = request.send().await.unwrap();
                assert_eq!(response.status(), 426, "{path} {accept} {version:?}");
                for (name, value) in [
                    ("connection", "upgrade"),
                    ("upgrade", "websocket"),
                    ("sec-websocket-version", "13"),
                ] {
                    assert_eq!(
                        response.headers()[name],
                        value,
                        "{path} {accept} {version:?}"
                    );
                }
            }
        }
    }
}
