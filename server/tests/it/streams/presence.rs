//! Presence and typing: on streams, sockets, long polls and several rooms at once.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::harness::{
    Event, EventReader, TestServer, TestSocket, expect_problem, next_event_advancing_clock,
};

/// The names in the next event, which must be of presence.
async fn next_presence(server: &TestServer, reader: &mut EventReader) -> Vec<String> {
    let event = next_event_advancing_clock(server, reader).await;
    assert_eq!(
        (event.name.as_str(), &event.id),
        ("presence", &None),
        "{event:?}"
    );
    let data: Value = serde_json::from_str(&event.data).unwrap();
    let names: Vec<String> = serde_json::from_value(data["here"].clone()).unwrap();
    assert_eq!(data["count"], names.len());
    names
}

/// The names in the next event, which must be of typing.
async fn next_typing(server: &TestServer, reader: &mut EventReader) -> Vec<String> {
    let event = next_event_advancing_clock(server, reader).await;
    assert_eq!(
        (event.name.as_str(), &event.id),
        ("typing", &None),
        "{event:?}"
    );
    let data: Value = serde_json::from_str(&event.data).unwrap();
    serde_json::from_value(data["usernames"].clone()).unwrap()
}

#[tokio::test]
async fn joins_and_leaves_are_announced_and_tabs_count_once() {
    let server = TestServer::new().await;
    let user = server.visitor("ada");
    let room = user.create_room().await;
    let mut grace = user.follow(&room, "username=grace").await;
    let first = next_event_advancing_clock(&server, &mut grace).await;
    let data = format!("{{\"room\":\"{room}\",\"here\":[\"grace\"],\"count\":1}}");
    assert_eq!(
        first,
        Event {
            name: "presence".into(),
            id: None,
            data
        }
    );
    let tabs = (
        user.follow(&room, "username=ada").await,
        user.follow(&room, "username=%20ada").await,
    );
    assert_eq!(next_presence(&server, &mut grace).await, ["ada", "grace"]);
    drop(tabs.0);
    let barbara = user.follow(&room, "username=barbara").await;
    assert_eq!(
        next_presence(&server, &mut grace).await,
        ["ada", "barbara", "grace"],
        "one tab is still open"
    );
    drop(tabs.1);
    assert_eq!(
        next_presence(&server, &mut grace).await,
        ["barbara", "grace"]
    );
    drop(barbara);
    assert_eq!(next_presence(&server, &mut grace).await, ["grace"]);
    let mut late = user.follow(&room, "").await;
    assert_eq!(
        next_presence(&server, &mut late).await,
        ["grace"],
        "a new reader gets the current presence"
    );
}

#[tokio::test]
async fn reset_connection_counts_as_leaving() {
    let server = TestServer::new().await;
    let user = server.visitor("ada");
    let room = user.create_room().await;
    let mut reader = user.follow(&room, "").await;
    let mut ada = TcpStream::connect(server.url.trim_start_matches("http://"))
        .await
        .unwrap();
    let request = format!("GET /rooms/{room}/messages/?username=ada HTTP/1.1\r\nhost: x\r\n\r\n");
    ada.write_all(request.as_bytes()).await.unwrap();
    assert_eq!(next_presence(&server, &mut reader).await, ["ada"]);
    // The client resets the connection in the middle of the response.
    assert!(ada.read_u8().await.is_ok());
    ada.set_zero_linger().unwrap();
    drop(ada);
    assert!(next_presence(&server, &mut reader).await.is_empty());
}

#[tokio::test]
async fn quick_reconnection_is_not_announced() {
    let server = TestServer::new().await;
    let user = server.visitor("ada");
    let room = user.create_room().await;
    let mut reader = user.follow(&room, "").await;
    let mut ada = user.follow(&room, "username=ada").await;
    assert_eq!(next_presence(&server, &mut reader).await, ["ada"]);
    for round in 0..5 {
        drop(ada);
        server.clock.advance(Duration::from_secs(3));
        ada = user.follow(&room, "username=ada").await;
        let guest = user.follow(&room, &format!("username=guest{round}")).await;
        assert_eq!(
            next_presence(&server, &mut reader).await,
            ["ada".to_owned(), format!("guest{round}")]
        );
        drop(guest);
        assert_eq!(next_presence(&server, &mut reader).await, ["ada"]);
    }
}

#[tokio::test]
async fn room_of_unnamed_readers_has_no_presence_events() {
    let server = TestServer::new().await;
    let ada = server.visitor("ada");
    let room = ada.create_room().await;
    let mut listeners = [
        ada.follow(&room, "").await,
        ada.follow(&room, "after=latest").await,
    ];
    for n in 1..=10 {
        server.clock.advance(Duration::from_secs(1));
        ada.post(&room, "hello").await;
        for reader in &mut listeners {
            assert_eq!(reader.next_message().await.id, n);
        }
    }
    expect_problem(
        ada.get(&format!("/rooms/{room}/messages/?username="), "*/*")
            .await,
        422,
    )
    .await;
    expect_problem(
        ada.get(
            &format!("/rooms/{room}/messages/?username=%07"),
            "application/json",
        )
        .await,
        422,
    )
    .await;
    expect_problem(
        ada.get(&format!("/stream?rooms={room}&username=%07"), "*/*")
            .await,
        422,
    )
    .await;
}

#[tokio::test]
async fn presence_comes_after_history_and_moves_no_cursor() {
    let server = TestServer::new().await;
    let ada = server.visitor("ada");
    let room = ada.create_room().await;
    ada.post(&room, "one").await;
    let mut reader = ada.follow(&room, "username=ada").await;
    let cursor = reader.next().await.unwrap().id.unwrap();
    assert_eq!(next_presence(&server, &mut reader).await, ["ada"]);
    ada.post_json(
        &format!("/rooms/{room}/typing/"),
        json!({"username": "ada"}),
    )
    .await;
    assert_eq!(next_typing(&server, &mut reader).await, ["ada"]);
    drop(reader);
    for n in 2..=600 {
        ada.post(&room, &n.to_string()).await;
    }
    let mut resumed = ada
        .follow(&room, &format!("username=ada&last_event_id={cursor}"))
        .await;
    for n in 2..=600 {
        assert_eq!(resumed.next_message().await.id, n);
    }
    assert_eq!(next_presence(&server, &mut resumed).await, ["ada"]);
}

#[tokio::test]
async fn typing_is_announced_until_the_message_arrives() {
    let server = TestServer::with(&["--rate-limit", "off"], |config| {
        config.timeout = Duration::from_secs(600)
    })
    .await;
    let ada = server.visitor("ada");
    let room = ada.create_room().await;
    let path = format!("/rooms/{room}/typing/");
    let mut reader = ada.follow(&room, "").await;
    let response = ada.post_json(&path, json!({"username": " ada "})).await;
    assert_eq!(
        (response.status(), response.text().await.unwrap().as_str()),
        (StatusCode::NO_CONTENT, "")
    );
    let event = next_event_advancing_clock(&server, &mut reader).await;
    let data = format!("{{\"room\":\"{room}\",\"usernames\":[\"ada\"]}}");
    assert_eq!(
        event,
        Event {
            name: "typing".into(),
            id: None,
            data
        }
    );
    ada.post(&room, "done").await;
    assert_eq!(reader.next_message().await.body(), "done");
    assert!(next_typing(&server, &mut reader).await.is_empty());
    let form = ada
        .request(Method::POST, &path)
        .form(&[("username", "grace")])
        .send()
        .await
        .unwrap();
    assert_eq!(form.status(), StatusCode::NO_CONTENT);
    assert_eq!(next_typing(&server, &mut reader).await, ["grace"]);
    assert!(
        next_typing(&server, &mut reader).await.is_empty(),
        "typing ends by itself"
    );
    for refused in [
        json!({}),
        json!({"username": ""}),
        json!({"username": "x".repeat(33)}),
    ] {
        let refused = expect_problem(ada.post_json(&path, refused).await, 422).await;
        assert_eq!(refused.field.as_deref(), Some("username"));
    }
    let unknown = ada
        .post_json(
            "/rooms/0123456789abcdef/typing/",
            json!({"username": "ada"}),
        )
        .await;
    expect_problem(unknown, 404).await;
    server.clock.advance(Duration::from_secs(600));
    while reader.next().await.is_some() {}
    expect_problem(ada.post_json(&path, json!({"username": "ada"})).await, 410).await;
}

#[tokio::test]
async fn typing_has_its_own_rate_limit() {
    let server = TestServer::with(&[], |_| {}).await;
    let ada = server.visitor("ada");
    let room = ada.create_room().await;
    let path = format!("/rooms/{room}/typing/");
    let mut refused = None;
    for _ in 0..2_000 {
        let response = ada.post_json(&path, json!({"username": "ada"})).await;
        if response.status() != StatusCode::NO_CONTENT {
            refused = Some(response);
            break;
        }
    }
    expect_problem(refused.expect("no limit"), 429).await;
    ada.post(&room, "messages have a limit of their own").await;
}

#[tokio::test]
async fn socket_gets_presence_only_on_request() {
    let server = TestServer::new().await;
    let user = server.visitor("grace");
    let room = user.create_room().await;
    let mut asks = TestSocket::open(
        &server,
        &format!("/rooms/{room}/socket?username=ada&presence=on"),
    )
    .await;
    let mut other =
        TestSocket::open(&server, &format!("/rooms/{room}/socket?username=grace")).await;
    let mut reader = user.follow(&room, "").await;
    assert_eq!(next_presence(&server, &mut reader).await, ["ada", "grace"]);
    let event: Value = serde_json::from_str(asks.next().await.to_text().unwrap()).unwrap();
    assert_eq!(
        event,
        json!({"event": "presence", "room": room, "here": ["ada", "grace"], "count": 2})
    );
    user.post_json(
        &format!("/rooms/{room}/typing/"),
        json!({"username": "grace"}),
    )
    .await;
    assert_eq!(next_typing(&server, &mut reader).await, ["grace"]);
    let event: Value = serde_json::from_str(asks.next().await.to_text().unwrap()).unwrap();
    assert_eq!(
        event,
        json!({"event": "typing", "room": room, "usernames": ["grace"]})
    );
    other.send_text("hello").await;
    assert_eq!(
        (asks.next_message().await.id, other.next_message().await.id),
        (1, 1),
        "the other socket got no other event"
    );
    drop(asks);
    while next_event_advancing_clock(&server, &mut reader).await.name != "presence" {}
}

#[tokio::test]
async fn named_room_socket_is_present_and_gets_no_presence_events() {
    let server = TestServer::new().await;
    let user = server.visitor("grace");
    let mut ada = TestSocket::open(&server, "/room?room=tea&username=ada&presence=on").await;
    let room: Value = user
        .get("/chat?room=tea", "application/json")
        .await
        .json()
        .await
        .unwrap();
    let mut reader = user.follow(room["id"].as_str().unwrap(), "").await;
    assert_eq!(next_presence(&server, &mut reader).await, ["ada"]);
    ada.send_text("hello").await;
    assert_eq!(ada.next_message().await.id, 1);
}

#[tokio::test]
async fn long_poll_is_present_while_it_waits() {
    let server = TestServer::new().await;
    let ada = server.visitor("ada");
    let room = ada.create_room().await;
    let mut reader = ada.follow(&room, "").await;
    let poll = tokio::spawn({
        let ada = ada.clone();
        let room = room.clone();
        async move { ada.history(&room, "after=0&wait=60&username=ada").await }
    });
    assert_eq!(next_presence(&server, &mut reader).await, ["ada"]);
    ada.post_json(
        &format!("/rooms/{room}/typing/"),
        json!({"username": "grace"}),
    )
    .await;
    assert_eq!(next_typing(&server, &mut reader).await, ["grace"]);
    assert!(
        !poll.is_finished(),
        "presence and typing do not end the poll"
    );
    ada.post(&room, "hello").await;
    assert_eq!(poll.await.unwrap().len(), 1);
    while next_event_advancing_clock(&server, &mut reader).await.name != "presence" {}
}

#[tokio::test]
async fn multi_room_stream_is_present_in_all_its_rooms() {
    let server = TestServer::new().await;
    let ada = server.visitor("ada");
    let rooms = [ada.create_room().await, ada.create_room().await];
    let path = format!("/stream?rooms={}&username=ada", rooms.join(","));
    let mut stream = EventReader::new(ada.get(&path, "*/*").await);
    let mut rooms_with_presence = Vec::new();
    for _ in &rooms {
        let event = next_event_advancing_clock(&server, &mut stream).await;
        assert_eq!((event.name.as_str(), event.id), ("presence", None));
        let data: Value = serde_json::from_str(&event.data).unwrap();
        assert_eq!(
            (&data["here"], &data["count"]),
            (&json!(["ada"]), &json!(1))
        );
        rooms_with_presence.push(data["room"].as_str().unwrap().to_owned());
    }
    rooms_with_presence.sort();
    let mut expected = rooms.to_vec();
    expected.sort();
    assert_eq!(rooms_with_presence, expected);
}
