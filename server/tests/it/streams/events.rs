//! The event stream of a room, and of the public list.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{EventReader, TestServer, assert_says_why};

#[tokio::test]
async fn every_reader_receives_every_message_in_order() {
    let server = TestServer::new().await;
    let ada = server.visitor("ada");
    let grace = server.visitor("grace");
    let room = ada.create_room().await;
    ada.post(&room, "one").await;
    let mut early = grace.follow(&room, "").await;
    assert_eq!(early.next_message().await.body(), "one");
    ada.post(&room, "two").await;
    assert_eq!(early.next_message().await.body(), "two");
    let mut late = grace.follow(&room, "").await;
    assert_eq!(
        (late.next_message().await.id, late.next_message().await.id),
        (1, 2)
    );
}

#[tokio::test]
async fn stream_bytes_match_the_documented_format() {
    let server = TestServer::new().await;
    let ada = server.visitor("ada");
    let room = ada.create_room().await;
    let message = ada.post(&room, "a\nb").await;
    let mut response = ada.get(&format!("/rooms/{room}/messages/"), "*/*").await;
    let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(header("cache-control"), "no-cache, no-transform");
    assert_eq!(header("x-accel-buffering"), "no");
    assert!(!response.headers().contains_key("content-encoding"));
    let mut text = String::new();
    while !text.ends_with("}\n\n") {
        text.push_str(std::str::from_utf8(&response.chunk().await.unwrap().unwrap()).unwrap());
    }
    let json = serde_json::to_string(&message).unwrap();
    let id = text
        .lines()
        .find_map(|line| line.strip_prefix("id: "))
        .unwrap();
    assert!(id.ends_with(".1"));
    assert_eq!(text, format!("retry: 2000\nid: {id}\ndata: {json}\n\n"));
}

#[tokio::test]
async fn reader_resumes_right_after_its_last_event() {
    let server = TestServer::new().await;
    let ada = server.visitor("ada");
    let room = ada.create_room().await;
    for n in 1..=5 {
        ada.post(&room, &n.to_string()).await;
    }
    let mut reader = ada.follow(&room, "").await;
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.push(reader.next().await.unwrap().id.unwrap());
    }
    let path = format!("/rooms/{room}/messages/");
    let resume = ada
        .request(Method::GET, &format!("{path}?after=0"))
        .header("last-event-id", &ids[2]);
    let mut resumed = EventReader::new(resume.send().await.unwrap());
    assert_eq!(
        resumed.next_message().await.id,
        4,
        "the header goes before the query"
    );
    assert_eq!(
        ada.follow(&room, &format!("last_event_id={}", ids[3]))
            .await
            .next_message()
            .await
            .id,
        5
    );
    assert_eq!(
        ada.follow(&room, "after=2").await.next_message().await.id,
        3
    );
    let mut latest = ada.follow(&room, "after=latest").await;
    ada.post(&room, "6").await;
    assert_eq!(latest.next_message().await.id, 6);
}

#[tokio::test]
async fn unusable_cursor_gets_a_reset_and_the_full_replay() {
    let server = TestServer::new().await;
    let ada = server.visitor("ada");
    let room = ada.create_room().await;
    ada.post(&room, "one").await;
    let epoch = ada
        .follow(&room, "")
        .await
        .next()
        .await
        .unwrap()
        .id
        .unwrap();
    let epoch = epoch.split('.').next().unwrap();
    for query in [
        "last_event_id=00000000.1".to_owned(),
        format!("last_event_id={epoch}.2"),
        "last_event_id=1".to_owned(),
        "last_event_id=%00".to_owned(),
        "after=2".to_owned(),
        "after=yesterday".to_owned(),
        "after=-1".to_owned(),
        "after=18446744073709551615".to_owned(),
    ] {
        let mut reader = ada.follow(&room, &query).await;
        assert_eq!(reader.next().await.unwrap().name, "reset", "{query}");
        assert_eq!(reader.next_message().await.id, 1, "{query}");
    }
}

#[tokio::test]
async fn expiring_room_sends_closing_then_closed_then_answers_410() {
    let server = TestServer::with(&[], |config| config.timeout = Duration::from_secs(100)).await;
    let ada = server.visitor("ada");
    let room = ada.create_room().await;
    let message = ada.post(&room, "one").await;
    let mut reader = ada.follow(&room, "").await;
    reader.next_message().await;
    server.clock.advance(Duration::from_secs(95));
    let closing = reader.next().await.unwrap();
    assert_eq!((closing.name.as_str(), &closing.id), ("closing", &None));
    let data: Value = serde_json::from_str(&closing.data).unwrap();
    assert_eq!(
        data,
        json!({"expires_at": message.sent_at.after(Duration::from_secs(100)).to_string()})
    );
    server.clock.advance(Duration::from_secs(5));
    let rest = reader.rest().await;
    assert_eq!(rest.len(), 1, "{rest:?}");
    assert_eq!((rest[0].name.as_str(), &rest[0].id), ("closed", &None));
    assert_says_why(&ada, &room, &rest[0], 410).await;
    for accept in ["application/json", "*/*", "text/html"] {
        assert_eq!(
            ada.get(&format!("/rooms/{room}/"), accept).await.status(),
            410,
            "{accept}"
        );
    }
    assert_eq!(ada.try_post(&room, "late").await.status(), 410);
    assert_eq!(
        ada.get(&format!("/rooms/{room}/messages/"), "*/*")
            .await
            .status(),
        410
    );
    assert!(
        server
            .dir
            .path()
            .join(format!("archive/{room}.jsonl"))
            .exists()
    );
}

#[tokio::test]
async fn public_room_list_streams_its_changes() {
    let server = TestServer::new().await;
    let ada = server.visitor("ada");
    let mut reader = EventReader::new(ada.get("/rooms/", "text/event-stream").await);
    assert_eq!(reader.next().await.unwrap().data, "[]");
    let room = ada
        .create_room_with(json!({"public": true}))
        .await
        .id
        .to_string();
    let listed: Value = serde_json::from_str(&reader.next().await.unwrap().data).unwrap();
    assert_eq!(
        (listed[0]["id"].as_str(), &listed[0]["message_count"]),
        (Some(room.as_str()), &json!(0))
    );
    ada.post(&room, "hello").await;
    let listed: Value = serde_json::from_str(&reader.next().await.unwrap().data).unwrap();
    assert_eq!(listed[0]["message_count"], 1);
}
