//! Event streams: history, news, resuming, and their end.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::house::{Event, House, Listener};
use crate::sockets::Socket;

#[tokio::test]
async fn everybody_hears_everything_in_order() {
    let house = House::new().await;
    let (ada, grace) = (house.person("ada"), house.person("grace"));
    let room = ada.room().await;
    ada.post(&room, "one").await;
    let mut early = grace.follow(&room, "").await;
    assert_eq!(early.next_message().await.body, "one");
    ada.post(&room, "two").await;
    assert_eq!(early.next_message().await.body, "two");
    let mut late = grace.follow(&room, "").await;
    assert_eq!(
        (late.next_message().await.id, late.next_message().await.id),
        (1, 2)
    );
}

#[tokio::test]
async fn a_stream_is_written_as_the_contract_shows() {
    let house = House::new().await;
    let ada = house.person("ada");
    let room = ada.room().await;
    let message = ada.post(&room, "a\nb").await;
    let mut answer = ada.get(&format!("/rooms/{room}/messages/"), "*/*").await;
    let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(header("cache-control"), "no-cache, no-transform");
    assert_eq!(header("x-accel-buffering"), "no");
    assert!(!answer.headers().contains_key("content-encoding"));
    let mut text = String::new();
    while !text.ends_with("}\n\n") {
        text.push_str(std::str::from_utf8(&answer.chunk().await.unwrap().unwrap()).unwrap());
    }
    let json = serde_json::to_string(&message).unwrap();
    let id = text
        .lines()
        .find_map(|line| line.strip_prefix("id: "))
        .unwrap();
    assert!(id.ends_with(".1"));
    assert_eq!(text, format!("retry: 2000\n\nid: {id}\ndata: {json}\n\n"));
}

#[tokio::test]
async fn a_reader_resumes_right_after_what_it_saw() {
    let house = House::new().await;
    let ada = house.person("ada");
    let room = ada.room().await;
    for n in 1..=5 {
        ada.post(&room, &n.to_string()).await;
    }
    let mut listener = ada.follow(&room, "").await;
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.push(listener.next().await.unwrap().id.unwrap());
    }
    let path = format!("/rooms/{room}/messages/");
    let resume = ada
        .request(Method::GET, &format!("{path}?after=0"))
        .header("last-event-id", &ids[2]);
    let mut resumed = Listener::new(resume.send().await.unwrap());
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
async fn a_cursor_that_cannot_be_honoured_is_reset() {
    let house = House::new().await;
    let ada = house.person("ada");
    let room = ada.room().await;
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
        let mut listener = ada.follow(&room, &query).await;
        assert_eq!(listener.next().await.unwrap().name, "reset", "{query}");
        assert_eq!(listener.next_message().await.id, 1, "{query}");
    }
}

#[tokio::test]
async fn the_end_of_a_room_is_announced_and_told() {
    let house = House::with(&[], |config| config.timeout = Duration::from_secs(100)).await;
    let ada = house.person("ada");
    let room = ada.room().await;
    let message = ada.post(&room, "one").await;
    let mut listener = ada.follow(&room, "").await;
    listener.next_message().await;
    house.clock.advance(Duration::from_secs(95));
    let closing = listener.next().await.unwrap();
    assert_eq!((closing.name.as_str(), &closing.id), ("closing", &None));
    let data: Value = serde_json::from_str(&closing.data).unwrap();
    assert_eq!(
        data,
        json!({"expires_at": message.sent_at.after(Duration::from_secs(100)).to_string()})
    );
    house.clock.advance(Duration::from_secs(5));
    let rest = listener.rest().await;
    assert_eq!(rest.len(), 1, "{rest:?}");
    assert_eq!((rest[0].name.as_str(), &rest[0].id), ("closed", &None));
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
        house
            .dir
            .path()
            .join(format!("archive/{room}.jsonl"))
            .exists()
    );
}

#[tokio::test]
async fn the_public_rooms_are_told_as_they_change() {
    let house = House::new().await;
    let ada = house.person("ada");
    let mut listener = Listener::new(ada.get("/rooms/", "text/event-stream").await);
    assert_eq!(listener.next().await.unwrap().data, "[]");
    let room = ada.create(json!({"public": true})).await.id.to_string();
    let listed: Value = serde_json::from_str(&listener.next().await.unwrap().data).unwrap();
    assert_eq!(
        (listed[0]["id"].as_str(), &listed[0]["message_count"]),
        (Some(room.as_str()), &json!(0))
    );
    ada.post(&room, "hello").await;
    let listed: Value = serde_json::from_str(&listener.next().await.unwrap().data).unwrap();
    assert_eq!(listed[0]["message_count"], 1);
}

#[tokio::test]
async fn several_rooms_share_a_stream_and_a_cursor() {
    let house = House::new().await;
    let ada = house.person("ada");
    let (one, two) = (
        ada.room().await,
        ada.create(json!({"timeout": "1h"})).await.id.to_string(),
    );
    ada.post(&one, "1.1").await;
    ada.post(&two, "2.1").await;
    let path = format!("/stream?rooms={one},{two}");
    let mut listener = Listener::new(ada.get(&path, "*/*").await);
    let mut bodies = vec![
        listener.next_message().await.body,
        listener.next_message().await.body,
    ];
    bodies.sort();
    assert_eq!(bodies, ["1.1", "2.1"]);
    ada.post(&one, "1.2").await;
    let last = listener.next().await.unwrap();
    assert_eq!(
        (last.message().room.to_string(), last.message().id),
        (one.clone(), 2)
    );
    drop(listener);
    ada.post(&two, "2.2").await;
    ada.post(&one, "1.3").await;
    let resume = ada
        .request(Method::GET, &path)
        .header("last-event-id", last.id.unwrap());
    let mut resumed = Listener::new(resume.send().await.unwrap());
    let mut bodies = vec![
        resumed.next_message().await.body,
        resumed.next_message().await.body,
    ];
    bodies.sort();
    assert_eq!(bodies, ["1.3", "2.2"], "nothing missing and nothing twice");
    house.clock.advance(Duration::from_secs(3_600));
    while resumed.next().await.unwrap().name != "closed" {}
    ada.post(&one, "1.4").await;
    assert_eq!(
        resumed.next_message().await.body,
        "1.4",
        "the other room goes on"
    );
    let mut anew = Listener::new(ada.get(&format!("{path}&after=latest"), "*/*").await);
    assert_eq!(
        anew.next().await.unwrap(),
        Event {
            name: "closed".into(),
            id: None,
            data: json!({"room": two}).to_string()
        }
    );
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
async fn each_room_of_a_stream_begins_where_it_is_told() {
    let house = House::new().await;
    let ada = house.person("ada");
    let rooms = [ada.room().await, ada.room().await, ada.room().await];
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
    // In an order of their own, which is not that of the IDs.
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
    let mut stream = Listener::new(ada.get(&format!("{path}&after={after}"), "*/*").await);
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
    let next = Listener::new(resume.send().await.unwrap())
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
async fn a_room_that_has_said_nothing_on_a_stream_is_resumed_where_it_was() {
    let house = House::new().await;
    let ada = house.person("ada");
    let (loud, quiet) = (ada.room().await, ada.room().await);
    ada.post(&quiet, "old").await;
    let path = format!("/stream?rooms={loud},{quiet}&after=latest");
    let mut stream = Listener::new(ada.get(&path, "*/*").await);
    ada.post(&loud, "loud").await;
    let last = stream.next().await.unwrap().id.unwrap();
    drop(stream);
    ada.post(&quiet, "new").await;
    let resume = ada
        .request(Method::GET, &path)
        .header("last-event-id", last);
    assert_eq!(
        Listener::new(resume.send().await.unwrap())
            .next_message()
            .await
            .body,
        "new"
    );
}

#[tokio::test]
async fn a_stream_carries_the_public_rooms_if_asked() {
    let mut house = House::new().await;
    let ada = house.person("ada");
    let room = ada.create(json!({"public": true})).await.id.to_string();
    for rooms in [
        String::new(),
        "&rooms=".to_owned(),
        format!("&rooms={room}"),
    ] {
        let mut stream = Listener::new(ada.get(&format!("/stream?list=on{rooms}"), "*/*").await);
        let told = stream.next().await.unwrap();
        assert_eq!((told.name.as_str(), &told.id), ("rooms", &None));
        let alone = Listener::new(ada.get("/rooms/", "text/event-stream").await)
            .next()
            .await
            .unwrap();
        assert_eq!(told.data, alone.data);
    }
    let mut stream = Listener::new(
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
    let stopped = house.stop();
    assert_eq!(stream.rest().await, []);
    tokio::time::timeout(crate::house::PATIENCE, stopped)
        .await
        .unwrap()
        .unwrap();
}

#[tokio::test]
async fn a_beat_is_seen_by_those_who_ask() {
    let house = House::new().await;
    let ada = house.person("ada");
    let room = ada.room().await;
    let path = format!("/stream?rooms={room}&after=latest&beat=on");
    let beat = Event {
        name: "beat".to_owned(),
        id: None,
        data: "{}".to_owned(),
    };
    let mut stream = Listener::new(ada.get(&path, "text/event-stream").await);
    let mut socket = Socket::open(&house, &path).await;
    // At once, and again after a while in which nothing happens.
    for _ in 0..2 {
        assert_eq!(stream.next().await.unwrap(), beat);
        assert_eq!(
            socket.next().await.to_text().unwrap(),
            ": heartbeat\nevent: beat\ndata: {}\n\n"
        );
    }
    let mut plain = Listener::new(
        ada.get(&path.replace("&beat=on", ""), "text/event-stream")
            .await,
    );
    ada.post(&room, "hello").await;
    assert_eq!(plain.next_message().await.body, "hello");
}
