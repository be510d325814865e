//! Who is here and who types: on streams, sockets, long polls and several rooms at once.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::house::{Event, House, Listener, PATIENCE, problem};
use crate::sockets::Socket;

/// How long nothing must have come before the clock is turned on.
const SILENCE: Duration = Duration::from_millis(20);

/// The next event, while time flies.
pub async fn next(house: &House, listener: &mut Listener) -> Event {
    let next = async {
        loop {
            tokio::select! {
                event = listener.next() => return event.expect("the stream has ended"),
                () = tokio::time::sleep(SILENCE) => house.clock.advance(Duration::from_millis(500)),
            }
        }
    };
    tokio::time::timeout(PATIENCE, next)
        .await
        .expect("nothing more comes")
}

/// Who is here, as the next event says.
async fn here(house: &House, listener: &mut Listener) -> Vec<String> {
    let event = next(house, listener).await;
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

/// Who types, as the next event says.
async fn typing(house: &House, listener: &mut Listener) -> Vec<String> {
    let event = next(house, listener).await;
    assert_eq!(
        (event.name.as_str(), &event.id),
        ("typing", &None),
        "{event:?}"
    );
    let data: Value = serde_json::from_str(&event.data).unwrap();
    serde_json::from_value(data["usernames"].clone()).unwrap()
}

#[tokio::test]
async fn who_comes_and_goes_is_told_and_tabs_are_one_person() {
    let house = House::new().await;
    let person = house.person("ada");
    let room = person.room().await;
    let mut grace = person.follow(&room, "username=grace").await;
    let first = next(&house, &mut grace).await;
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
        person.follow(&room, "username=ada").await,
        person.follow(&room, "username=%20ada").await,
    );
    assert_eq!(here(&house, &mut grace).await, ["ada", "grace"]);
    drop(tabs.0);
    let barbara = person.follow(&room, "username=barbara").await;
    assert_eq!(
        here(&house, &mut grace).await,
        ["ada", "barbara", "grace"],
        "one tab is still open"
    );
    drop(tabs.1);
    assert_eq!(here(&house, &mut grace).await, ["barbara", "grace"]);
    drop(barbara);
    assert_eq!(here(&house, &mut grace).await, ["grace"]);
    let mut late = person.follow(&room, "").await;
    assert_eq!(
        here(&house, &mut late).await,
        ["grace"],
        "a newcomer is told how it is"
    );
}

#[tokio::test]
async fn a_connection_that_is_cut_counts_as_leaving() {
    let house = House::new().await;
    let person = house.person("ada");
    let room = person.room().await;
    let mut listener = person.follow(&room, "").await;
    let mut ada = TcpStream::connect(house.url.trim_start_matches("http://"))
        .await
        .unwrap();
    let request = format!("GET /rooms/{room}/messages/?username=ada HTTP/1.1\r\nhost: x\r\n\r\n");
    ada.write_all(request.as_bytes()).await.unwrap();
    assert_eq!(here(&house, &mut listener).await, ["ada"]);
    // Hung up in the middle of the answer, without a word.
    assert!(ada.read_u8().await.is_ok());
    ada.set_zero_linger().unwrap();
    drop(ada);
    assert!(here(&house, &mut listener).await.is_empty());
}

#[tokio::test]
async fn a_reconnection_is_not_told() {
    let house = House::new().await;
    let person = house.person("ada");
    let room = person.room().await;
    let mut listener = person.follow(&room, "").await;
    let mut ada = person.follow(&room, "username=ada").await;
    assert_eq!(here(&house, &mut listener).await, ["ada"]);
    for round in 0..5 {
        drop(ada);
        house.clock.advance(Duration::from_secs(3));
        ada = person.follow(&room, "username=ada").await;
        let guest = person
            .follow(&room, &format!("username=guest{round}"))
            .await;
        assert_eq!(
            here(&house, &mut listener).await,
            ["ada".to_owned(), format!("guest{round}")]
        );
        drop(guest);
        assert_eq!(here(&house, &mut listener).await, ["ada"]);
    }
}

#[tokio::test]
async fn where_nobody_has_a_name_nothing_is_told() {
    let house = House::new().await;
    let ada = house.person("ada");
    let room = ada.room().await;
    let mut listeners = [
        ada.follow(&room, "").await,
        ada.follow(&room, "after=latest").await,
    ];
    for n in 1..=10 {
        house.clock.advance(Duration::from_secs(1));
        ada.post(&room, "hello").await;
        for listener in &mut listeners {
            assert_eq!(listener.next_message().await.id, n);
        }
    }
    problem(
        ada.get(&format!("/rooms/{room}/messages/?username="), "*/*")
            .await,
        422,
    )
    .await;
    problem(
        ada.get(
            &format!("/rooms/{room}/messages/?username=%07"),
            "application/json",
        )
        .await,
        422,
    )
    .await;
    problem(
        ada.get(&format!("/stream?rooms={room}&username=%07"), "*/*")
            .await,
        422,
    )
    .await;
}

#[tokio::test]
async fn the_cursor_stays_where_it_is_and_history_comes_first() {
    let house = House::new().await;
    let ada = house.person("ada");
    let room = ada.room().await;
    ada.post(&room, "one").await;
    let mut listener = ada.follow(&room, "username=ada").await;
    let cursor = listener.next().await.unwrap().id.unwrap();
    assert_eq!(here(&house, &mut listener).await, ["ada"]);
    ada.post_json(
        &format!("/rooms/{room}/typing/"),
        json!({"username": "ada"}),
    )
    .await;
    assert_eq!(typing(&house, &mut listener).await, ["ada"]);
    drop(listener);
    for n in 2..=600 {
        ada.post(&room, &n.to_string()).await;
    }
    let mut resumed = ada
        .follow(&room, &format!("username=ada&last_event_id={cursor}"))
        .await;
    for n in 2..=600 {
        assert_eq!(resumed.next_message().await.id, n);
    }
    assert_eq!(here(&house, &mut resumed).await, ["ada"]);
}

#[tokio::test]
async fn who_types_is_told_until_the_message_comes() {
    let house = House::with(&["--rate-limit", "off"], |config| {
        config.timeout = Duration::from_secs(600)
    })
    .await;
    let ada = house.person("ada");
    let room = ada.room().await;
    let path = format!("/rooms/{room}/typing/");
    let mut listener = ada.follow(&room, "").await;
    let answer = ada.post_json(&path, json!({"username": " ada "})).await;
    assert_eq!(
        (answer.status(), answer.text().await.unwrap().as_str()),
        (StatusCode::NO_CONTENT, "")
    );
    let told = next(&house, &mut listener).await;
    let data = format!("{{\"room\":\"{room}\",\"usernames\":[\"ada\"]}}");
    assert_eq!(
        told,
        Event {
            name: "typing".into(),
            id: None,
            data
        }
    );
    ada.post(&room, "done").await;
    assert_eq!(listener.next_message().await.body, "done");
    assert!(typing(&house, &mut listener).await.is_empty());
    let form = ada
        .request(Method::POST, &path)
        .form(&[("username", "grace")])
        .send()
        .await
        .unwrap();
    assert_eq!(form.status(), StatusCode::NO_CONTENT);
    assert_eq!(typing(&house, &mut listener).await, ["grace"]);
    assert!(
        typing(&house, &mut listener).await.is_empty(),
        "it ends by itself"
    );
    for refused in [
        json!({}),
        json!({"username": ""}),
        json!({"username": "x".repeat(33)}),
    ] {
        let refused = problem(ada.post_json(&path, refused).await, 422).await;
        assert_eq!(refused.field.as_deref(), Some("username"));
    }
    let unknown = ada
        .post_json(
            "/rooms/0123456789abcdef/typing/",
            json!({"username": "ada"}),
        )
        .await;
    problem(unknown, 404).await;
    house.clock.advance(Duration::from_secs(600));
    while listener.next().await.is_some() {}
    problem(ada.post_json(&path, json!({"username": "ada"})).await, 410).await;
}

#[tokio::test]
async fn typing_has_a_limit_of_its_own() {
    let house = House::with(&[], |_| {}).await;
    let ada = house.person("ada");
    let room = ada.room().await;
    let path = format!("/rooms/{room}/typing/");
    let mut refused = None;
    for _ in 0..2_000 {
        let answer = ada.post_json(&path, json!({"username": "ada"})).await;
        if answer.status() != StatusCode::NO_CONTENT {
            refused = Some(answer);
            break;
        }
    }
    problem(refused.expect("it is never too much"), 429).await;
    ada.post(&room, "messages go on").await;
}

#[tokio::test]
async fn a_socket_is_told_if_it_asks() {
    let house = House::new().await;
    let person = house.person("grace");
    let room = person.room().await;
    let mut asks = Socket::open(
        &house,
        &format!("/rooms/{room}/socket?username=ada&presence=on"),
    )
    .await;
    let mut other = Socket::open(&house, &format!("/rooms/{room}/socket?username=grace")).await;
    let mut listener = person.follow(&room, "").await;
    assert_eq!(here(&house, &mut listener).await, ["ada", "grace"]);
    let told: Value = serde_json::from_str(asks.next().await.to_text().unwrap()).unwrap();
    assert_eq!(
        told,
        json!({"event": "presence", "room": room, "here": ["ada", "grace"], "count": 2})
    );
    person
        .post_json(
            &format!("/rooms/{room}/typing/"),
            json!({"username": "grace"}),
        )
        .await;
    assert_eq!(typing(&house, &mut listener).await, ["grace"]);
    let told: Value = serde_json::from_str(asks.next().await.to_text().unwrap()).unwrap();
    assert_eq!(
        told,
        json!({"event": "typing", "room": room, "usernames": ["grace"]})
    );
    other.say("hello").await;
    assert_eq!(
        (asks.next_message().await.id, other.next_message().await.id),
        (1, 1),
        "the other was told nothing else"
    );
    drop(asks);
    while next(&house, &mut listener).await.name != "presence" {}
}

#[tokio::test]
async fn sockets_of_named_rooms_are_here_and_told_nothing() {
    let house = House::new().await;
    let person = house.person("grace");
    let mut ada = Socket::open(&house, "/room?room=tea&username=ada&presence=on").await;
    let room: Value = person
        .get("/chat?room=tea", "application/json")
        .await
        .json()
        .await
        .unwrap();
    let mut listener = person.follow(room["id"].as_str().unwrap(), "").await;
    assert_eq!(here(&house, &mut listener).await, ["ada"]);
    ada.say("hello").await;
    assert_eq!(ada.next_message().await.id, 1);
}

#[tokio::test]
async fn who_polls_is_here_while_waiting() {
    let house = House::new().await;
    let ada = house.person("ada");
    let room = ada.room().await;
    let mut listener = ada.follow(&room, "").await;
    let poll = tokio::spawn({
        let (ada, room) = (ada.clone(), room.clone());
        async move { ada.history(&room, "after=0&wait=60&username=ada").await }
    });
    assert_eq!(here(&house, &mut listener).await, ["ada"]);
    ada.post_json(
        &format!("/rooms/{room}/typing/"),
        json!({"username": "grace"}),
    )
    .await;
    assert_eq!(typing(&house, &mut listener).await, ["grace"]);
    assert!(!poll.is_finished(), "these are no messages");
    ada.post(&room, "hello").await;
    assert_eq!(poll.await.unwrap().len(), 1);
    while next(&house, &mut listener).await.name != "presence" {}
}

#[tokio::test]
async fn one_stream_is_here_in_all_of_its_rooms() {
    let house = House::new().await;
    let ada = house.person("ada");
    let rooms = [ada.room().await, ada.room().await];
    let path = format!("/stream?rooms={}&username=ada", rooms.join(","));
    let mut stream = Listener::new(ada.get(&path, "*/*").await);
    let mut told = Vec::new();
    for _ in &rooms {
        let event = next(&house, &mut stream).await;
        assert_eq!((event.name.as_str(), event.id), ("presence", None));
        let data: Value = serde_json::from_str(&event.data).unwrap();
        assert_eq!(
            (&data["here"], &data["count"]),
            (&json!(["ada"]), &json!(1))
        );
        told.push(data["room"].as_str().unwrap().to_owned());
    }
    told.sort();
    let mut expected = rooms.to_vec();
    expected.sort();
    assert_eq!(told, expected);
}
