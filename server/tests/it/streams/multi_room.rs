//! Several rooms on one stream.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;

use crate::harness::{Event, EventReader, TestServer, TestSocket, assert_says_why, expect_problem};

#[tokio::test]
async fn multi_room_stream_resumes_from_one_cursor() {
    let server = TestServer::new().await;
    let ada = server.visitor("ada");
    let one = ada.create_room().await;
    let two = ada
        .create_room_with(json!({"timeout": "1h"}))
        .await
        .id
        .to_string();
    ada.post(&one, "1.1").await;
    ada.post(&two, "2.1").await;
    let path = format!("/stream?rooms={one},{two}");
    let mut reader = EventReader::new(ada.get(&path, "*/*").await);
    let mut bodies = vec![
        reader.next_message().await.body().to_owned(),
        reader.next_message().await.body().to_owned(),
    ];
    bodies.sort();
    assert_eq!(bodies, ["1.1", "2.1"]);
    ada.post(&one, "1.2").await;
    let last = reader.next().await.unwrap();
    assert_eq!(
        (last.message().room.to_string(), last.message().id),
        (one.clone(), 2)
    );
    drop(reader);
    ada.post(&two, "2.2").await;
    ada.post(&one, "1.3").await;
    let resume = ada
        .request(Method::GET, &path)
        .header("last-event-id", last.id.unwrap());
    let mut resumed = EventReader::new(resume.send().await.unwrap());
    let mut bodies = vec![
        resumed.next_message().await.body().to_owned(),
        resumed.next_message().await.body().to_owned(),
    ];
    bodies.sort();
    assert_eq!(bodies, ["1.3", "2.2"], "nothing missing and nothing twice");
    server.clock.advance(Duration::from_secs(3_600));
    while resumed.next().await.unwrap().name != "closed" {}
    ada.post(&one, "1.4").await;
    assert_eq!(
        resumed.next_message().await.body().to_owned(),
        "1.4",
        "the other room continues"
    );
    let mut latest = EventReader::new(ada.get(&format!("{path}&after=latest"), "*/*").await);
    let closed = latest.next().await.unwrap();
    assert_eq!((closed.name.as_str(), &closed.id), ("closed", &None));
    assert_says_why(&ada, &two, &closed, 410).await;
    for (rooms, status) in [("", 422), ("x", 422), ("0123456789abcdef", 404)] {
        assert_eq!(
            ada.get(&format!("/stream?rooms={rooms}"), "*/*")
                .await
                .status(),
            status
        );
    }
}

#[tokio::test]
async fn each_room_of_a_stream_starts_at_its_own_cursor() {
    let server = TestServer::new().await;
    let ada = server.visitor("ada");
    let rooms = [
        ada.create_room().await,
        ada.create_room().await,
        ada.create_room().await,
    ];
    for room in &rooms {
        for n in 1..=3 {
            ada.post(room, &n.to_string()).await;
        }
    }
    let cursor = ada
        .follow(&rooms[0], "after=1")
        .await
        .next()
        .await
        .unwrap()
        .id
        .unwrap();
    // In an order that differs from that of the IDs.
    let mut asked = [
        (&rooms[0], cursor.as_str(), 3),
        (&rooms[1], "latest", 4),
        (&rooms[2], "1", 2),
    ];
    asked.sort_by(|a, b| b.0.cmp(a.0));
    let path = format!(
        "/stream?rooms={}",
        asked.map(|(room, ..)| room.as_str()).join(",")
    );
    let after = asked.map(|(_, after, _)| after).join(",");
    let mut stream = EventReader::new(ada.get(&format!("{path}&after={after}"), "*/*").await);
    for room in &rooms {
        ada.post(room, "4").await;
    }
    let mut last = None;
    let mut seen: Vec<(String, u64)> = Vec::new();
    while seen.len() < 6 {
        let event = stream.next().await.unwrap();
        seen.push((event.message().room.to_string(), event.message().id));
        last = event.id;
    }
    let ids = |room: &str| {
        seen.iter()
            .filter(|(of, _)| of == room)
            .map(|(_, id)| *id)
            .collect::<Vec<_>>()
    };
    for (room, _, first) in asked {
        assert_eq!(ids(room), (first..=4).collect::<Vec<u64>>());
    }
    drop(stream);
    ada.post(&rooms[1], "5").await;
    let resume = ada
        .request(Method::GET, &format!("{path}&after={after}"))
        .header("last-event-id", last.unwrap());
    let next = EventReader::new(resume.send().await.unwrap())
        .next_message()
        .await;
    assert_eq!(
        (next.room.to_string(), next.id),
        (rooms[1].clone(), 5),
        "nothing twice, and no reset"
    );
    assert_eq!(
        ada.get(&format!("{path}&after=1,2"), "*/*").await.status(),
        422
    );
}

#[tokio::test]
async fn silent_room_of_a_stream_is_resumed_where_it_was() {
    let server = TestServer::new().await;
    let ada = server.visitor("ada");
    let loud = ada.create_room().await;
    let quiet = ada.create_room().await;
    ada.post(&quiet, "old").await;
    let path = format!("/stream?rooms={loud},{quiet}&after=latest");
    let mut stream = EventReader::new(ada.get(&path, "*/*").await);
    ada.post(&loud, "loud").await;
    let last = stream.next().await.unwrap().id.unwrap();
    drop(stream);
    ada.post(&quiet, "new").await;
    let resume = ada
        .request(Method::GET, &path)
        .header("last-event-id", last);
    assert_eq!(
        EventReader::new(resume.send().await.unwrap())
            .next_message()
            .await
            .body(),
        "new"
    );
}

#[tokio::test]
async fn stream_carries_the_public_room_list_on_request() {
    let mut server = TestServer::new().await;
    let ada = server.visitor("ada");
    let room = ada
        .create_room_with(json!({"public": true}))
        .await
        .id
        .to_string();
    for rooms in [
        String::new(),
        "&rooms=".to_owned(),
        format!("&rooms={room}"),
    ] {
        let mut stream = EventReader::new(ada.get(&format!("/stream?list=on{rooms}"), "*/*").await);
        let event = stream.next().await.unwrap();
        assert_eq!((event.name.as_str(), &event.id), ("rooms", &None));
        let alone = EventReader::new(ada.get("/rooms/", "text/event-stream").await)
            .next()
            .await
            .unwrap();
        assert_eq!(event.data, alone.data);
    }
    let mut stream = EventReader::new(
        ada.get(&format!("/stream?list=on&rooms={room}"), "*/*")
            .await,
    );
    stream.next().await.unwrap();
    ada.post(&room, "hello").await;
    let mut names = vec![
        stream.next().await.unwrap().name,
        stream.next().await.unwrap().name,
    ];
    names.sort();
    assert_eq!(names, ["message", "rooms"]);
    let stopped = server.stop();
    assert_eq!(stream.rest().await, []);
    tokio::time::timeout(crate::harness::TEST_TIMEOUT, stopped)
        .await
        .unwrap()
        .unwrap();
}

#[tokio::test]
async fn beat_events_are_sent_only_on_request() {
    let server = TestServer::new().await;
    let ada = server.visitor("ada");
    let room = ada.create_room().await;
    let path = format!("/stream?rooms={room}&after=latest&beat=on");
    let beat = Event {
        name: "beat".to_owned(),
        id: None,
        data: "{}".to_owned(),
    };
    let mut stream = EventReader::new(ada.get(&path, "text/event-stream").await);
    let mut socket = TestSocket::open(&server, &path).await;
    // One at once, and one after a quiet interval.
    for _ in 0..2 {
        assert_eq!(stream.next().await.unwrap(), beat);
        assert_eq!(
            socket.next().await.to_text().unwrap(),
            ": heartbeat\nevent: beat\ndata: {}\n\n"
        );
    }
    let mut plain = EventReader::new(
        ada.get(&path.replace("&beat=on", ""), "text/event-stream")
            .await,
    );
    ada.post(&room, "hello").await;
    assert_eq!(plain.next_message().await.body(), "hello");
}

#[tokio::test]
async fn multi_room_stream_never_delivers_an_inaccessible_room() {
    let server = TestServer::new().await;
    let owner = server.guest("owner").await;
    let eve = server.guest("eve").await;
    let open = owner.create_room().await;
    let den = owner
        .create_room_with(json!({"private": true}))
        .await
        .id
        .to_string();
    let secret = owner.post(&den, "secret").await.id;
    let mut theirs = owner.follow(&den, "").await;
    let epoch = theirs
        .next()
        .await
        .unwrap()
        .id
        .unwrap()
        .split('.')
        .next()
        .unwrap()
        .to_owned();
    // By its ID, by a forged cursor, and with the list of public rooms.
    let several = format!("/stream?rooms={open},{den}");
    let cursor = format!(
        "{several}&last_event_id={open}-{epoch}.0_{den}-{epoch}.{}",
        secret - 1
    );
    for path in [several.clone(), format!("{several}&list=on"), cursor] {
        let mut stream = EventReader::new(eve.get(&path, "text/event-stream").await);
        owner.post(&den, "secret, too").await;
        owner.post(&open, "for all").await;
        let mut received = String::new();
        let mut removed = false;
        while !received.contains("for all") {
            let event = stream.next().await.expect("the stream has ended");
            removed |= event.name == "removed" && event.data.contains(&den);
            received.push_str(&event.data);
        }
        assert!(
            removed && !received.contains("secret"),
            "{path}: {received}"
        );
        owner
            .request(Method::DELETE, &format!("/rooms/{open}/messages/1/"))
            .send()
            .await
            .unwrap();
    }
    expect_problem(
        eve.get(&format!("/stream?rooms={den}"), "text/event-stream")
            .await,
        404,
    )
    .await;
}
