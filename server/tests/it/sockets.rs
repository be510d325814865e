//! WebSocket: rooms by ID and by name, both ways.

use futures_util::{SinkExt, StreamExt};
use protocol::{Message, Problem};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::Frame as Raw;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{CloseCode, Data, OpCode};
use tokio_tungstenite::tungstenite::{Error, Message as Frame};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::house::{House, PATIENCE, Person, problem};
use crate::tls::patience::{hung_up, within};

/// Somebody at the end of a socket.
pub struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Socket {
    pub async fn open(house: &House, path: &str) -> Self {
        Self::at(&house.url, path).await
    }

    pub async fn at(url: &str, path: &str) -> Self {
        Self(
            connect_async(format!("{}{path}", url.replace("http", "ws")))
                .await
                .unwrap()
                .0,
        )
    }

    /// Opens a socket as somebody who shows a token.
    pub async fn of(person: &Person, path: &str) -> Result<Self, Box<Error>> {
        let mut request =
            format!("{}{path}", person.url.replace("http", "ws")).into_client_request()?;
        if let Some(token) = &person.token {
            request
                .headers_mut()
                .insert("authorization", format!("Bearer {token}").parse().unwrap());
        }
        Ok(Self(connect_async(request).await?.0))
    }

    pub async fn say(&mut self, text: &str) {
        self.0.send(Frame::text(text)).await.unwrap();
    }

    pub async fn next(&mut self) -> Frame {
        loop {
            let frame = tokio::time::timeout(PATIENCE, self.0.next())
                .await
                .expect("nothing more comes");
            match frame.expect("the socket has ended").unwrap() {
                Frame::Ping(_) | Frame::Pong(_) => {}
                frame => return frame,
            }
        }
    }

    pub async fn next_message(&mut self) -> Message {
        serde_json::from_str(self.next().await.to_text().unwrap()).unwrap()
    }

    /// Says farewell, and gives back the answer, and what comes after it.
    async fn close(&mut self) -> (Frame, Option<Result<Frame, Error>>) {
        let farewell = CloseFrame {
            code: CloseCode::Normal,
            reason: "bye".into(),
        };
        self.0.send(Frame::Close(Some(farewell))).await.unwrap();
        let answer = loop {
            if let frame @ Frame::Close(_) = self.next().await {
                break frame;
            }
        };
        (
            answer,
            tokio::time::timeout(PATIENCE, self.0.next()).await.unwrap(),
        )
    }

    pub async fn closed(&mut self) -> u16 {
        match self.next().await {
            Frame::Close(Some(frame)) => CloseCode::into(frame.code),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn people_talk_by_the_name_of_a_room() {
    let house = House::new().await;
    let page = house.person("ada").get("/chat?room=tea", "text/html").await;
    assert_eq!(page.status(), 200);
    assert!(page.text().await.unwrap().contains("<h1"));
    let mut ada = Socket::open(&house, "/room?room=tea&username=ada").await;
    ada.say("hello").await;
    let first = ada.next_message().await;
    assert_eq!(
        (first.id, first.username.as_str(), first.body.as_str()),
        (1, "ada", "hello")
    );
    let mut grace = Socket::open(&house, "/room?room=tea&username=grace").await;
    assert_eq!(grace.next_message().await, first, "oldest first");
    grace.say("hi").await;
    assert_eq!(ada.next_message().await.username, "grace");
    assert_eq!(grace.next_message().await.id, 2);
    let mut elsewhere = Socket::open(&house, "/room?room=coffee&username=ada").await;
    elsewhere.say("alone").await;
    assert_eq!(elsewhere.next_message().await.id, 1);
}

#[tokio::test]
async fn a_socket_and_a_stream_carry_the_same_bytes() {
    let house = House::new().await;
    let person = house.person("ada");
    let room = person.room().await;
    person.post(&room, "one\n\"two\"").await;
    let mut socket = Socket::open(&house, &format!("/rooms/{room}/socket?username=grace")).await;
    socket.say("three").await;
    let mut stream = person.follow(&room, "").await;
    for _ in 0..2 {
        assert_eq!(
            socket.next().await.to_text().unwrap(),
            stream.next().await.unwrap().data
        );
    }
}

#[tokio::test]
async fn a_socket_begins_where_it_is_told() {
    let house = House::new().await;
    let ada = house.person("ada");
    let room = ada.room().await;
    for n in 1..=3 {
        ada.post(&room, &n.to_string()).await;
    }
    let path = format!("/rooms/{room}/socket");
    assert_eq!(
        Socket::open(&house, &format!("{path}?after=2"))
            .await
            .next_message()
            .await
            .id,
        3
    );
    let mut ahead = Socket::open(&house, &format!("{path}?after=9")).await;
    let reset: Value = serde_json::from_str(ahead.next().await.to_text().unwrap()).unwrap();
    assert_eq!(reset, json!({"event": "reset"}));
    assert_eq!(ahead.next_message().await.id, 1);
    let mut latest = Socket::open(&house, &format!("{path}?after=latest")).await;
    ada.post(&room, "4").await;
    assert_eq!(latest.next_message().await.id, 4);
}

#[tokio::test]
async fn what_cannot_be_taken_is_answered_and_the_socket_stays() {
    let house = House::new().await;
    let room = house.person("ada").room().await;
    let mut ada = Socket::open(&house, &format!("/rooms/{room}/socket?username=ada")).await;
    for (text, status) in [("   ".to_owned(), 422), ("x".repeat(4_001), 422)] {
        ada.say(&text).await;
        let problem: Problem = serde_json::from_str(ada.next().await.to_text().unwrap()).unwrap();
        assert_eq!(problem.status, status);
    }
    ada.say("fine").await;
    assert_eq!(ada.next_message().await.id, 1);
    let mut reader = Socket::open(&house, &format!("/rooms/{room}/socket?after=latest")).await;
    reader.say("who am I").await;
    let problem: Problem = serde_json::from_str(reader.next().await.to_text().unwrap()).unwrap();
    assert_eq!(problem.field.as_deref(), Some("username"));
}

#[tokio::test]
async fn the_end_of_a_socket_says_why() {
    let mut house = House::new().await;
    let ada = house.person("ada");
    let short = ada.create(json!({"timeout": "1h"})).await.id;
    let room = ada.room().await;
    let mut ends = Socket::open(&house, &format!("/rooms/{short}/socket")).await;
    let mut stays = Socket::open(&house, &format!("/rooms/{room}/socket")).await;
    let mut odd = Socket::open(&house, &format!("/rooms/{room}/socket")).await;
    odd.0.send(Frame::binary(vec![1])).await.unwrap();
    assert_eq!(odd.closed().await, 1003);
    house.clock.advance(std::time::Duration::from_secs(3_600));
    while let Frame::Text(event) = ends.next().await {
        assert!(event.contains("closing"));
    }
    assert_eq!(ada.try_post(&short.to_string(), "late").await.status(), 410);
    let stopped = house.stop();
    assert_eq!(stays.closed().await, 1012);
    drop((ends, odd, stays));
    tokio::time::timeout(PATIENCE, stopped)
        .await
        .unwrap()
        .unwrap();
}

#[tokio::test]
async fn a_farewell_is_answered() {
    let house = House::new().await;
    let [ada, _bob] = [house.member("ada").await, house.member("bob").await];
    let room = ada.room().await;
    ada.post(&room, "hello").await;
    for path in [
        format!("/rooms/{room}/socket"),
        "/room?room=tea&username=ada".to_owned(),
        format!("/stream?rooms={room}"),
        "/chats/bob".to_owned(),
    ] {
        let (answer, rest) = Socket::of(&ada, &path).await.unwrap().close().await;
        assert!(
            matches!(&answer, Frame::Close(Some(close)) if close.code == CloseCode::Normal),
            "{path}: {answer:?}"
        );
        assert!(rest.is_none(), "{path}: {rest:?}");
    }
}

#[tokio::test]
async fn what_cannot_be_read_ends_the_socket_and_says_why() {
    let house = House::new().await;
    let room = house.person("ada").room().await;
    let text =
        |opcode, payload: Vec<u8>| Frame::Frame(Raw::message(payload, OpCode::Data(opcode), true));
    for path in [
        format!("/rooms/{room}/socket?username=ada"),
        format!("/stream?rooms={room}&list=on"),
    ] {
        for (frame, code) in [
            (text(Data::Text, vec![0xff, 0xfe]), 1007),
            (text(Data::Reserved(3), b"odd".into()), 1002),
            (text(Data::Text, vec![b'x'; 66_000]), 1009),
        ] {
            let mut socket = Socket::open(&house, &path).await;
            socket.0.send(frame).await.unwrap();
            let end = loop {
                if let Frame::Close(end) = socket.next().await {
                    break end;
                }
            };
            assert_eq!(end.map(|end| end.code.into()), Some(code), "{path}");
        }
    }
}

#[tokio::test]
async fn who_does_not_answer_a_farewell_is_not_waited_for_long() {
    let house = House::new().await;
    let room = house.person("ada").room().await;
    let mut socket = Socket::open(&house, &format!("/rooms/{room}/socket")).await;
    socket.0.send(Frame::binary(vec![1])).await.unwrap();
    assert_eq!(socket.closed().await, 1003);
    assert_eq!(
        within(2, hung_up(socket.0.get_mut())).await,
        None,
        "it may take its time"
    );
    assert_eq!(within(2, hung_up(socket.0.get_mut())).await, Some(0));
}

#[tokio::test]
async fn a_frame_that_is_too_large_ends_the_socket() {
    let house = House::new().await;
    let room = house.person("ada").room().await;
    let mut ada = Socket::open(&house, &format!("/rooms/{room}/socket?username=ada")).await;
    // The server may hang up before it has read it all.
    let _ = ada.0.send(Frame::text("x".repeat(200_000))).await;
    let mut end = Some(Ok(Frame::Ping(Vec::new().into())));
    while let Some(Ok(Frame::Ping(_))) = end {
        end = tokio::time::timeout(PATIENCE, ada.0.next()).await.unwrap();
    }
    assert!(
        matches!(end, None | Some(Err(_) | Ok(Frame::Close(_)))),
        "{end:?}"
    );
    assert!(
        house
            .person("ada")
            .history(&room.to_string(), "")
            .await
            .is_empty()
    );
}

#[tokio::test]
async fn pages_of_another_site_get_no_socket() {
    let house = House::new().await;
    let ada = house.person("ada");
    let room = ada.room().await;
    let listens = "/stream?list=on".to_owned();
    for path in [
        format!("/rooms/{room}/socket"),
        "/room?room=tea&username=ada".to_owned(),
        listens.clone(),
    ] {
        for (origin, fine) in [
            (house.url.as_str(), true),
            ("https://evil.example", false),
            ("null", false),
        ] {
            let mut request = format!("{}{path}", house.url.replace("http", "ws"))
                .into_client_request()
                .unwrap();
            request
                .headers_mut()
                .insert("origin", origin.parse().unwrap());
            match connect_async(request).await {
                Ok(_) => assert!(fine, "{origin}"),
                Err(Error::Http(answer)) => {
                    assert!(!fine && answer.status() == 403, "{origin}: {answer:?}")
                }
                Err(other) => panic!("{other}"),
            }
        }
        if path != listens {
            problem(ada.request(Method::GET, &path).send().await.unwrap(), 426).await;
        }
    }
    problem(ada.get("/room?room=tea", "*/*").await, 422).await;
    problem(ada.get("/room?username=ada", "*/*").await, 422).await;
    problem(ada.get("/rooms/0123456789abcdef/socket", "*/*").await, 404).await;
}

#[tokio::test]
async fn who_does_not_ask_for_a_socket_hears_how_to() {
    let house = House::new().await;
    let ada = house.person("ada");
    let room = ada.room().await;
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
                let answer = request.send().await.unwrap();
                assert_eq!(answer.status(), 426, "{path} {accept} {version:?}");
                for (name, value) in [
                    ("connection", "upgrade"),
                    ("upgrade", "websocket"),
                    ("sec-websocket-version", "13"),
                ] {
                    assert_eq!(answer.headers()[name], value, "{path} {accept} {version:?}");
                }
            }
        }
    }
}

#[tokio::test]
async fn a_flood_over_a_socket_is_refused_frame_by_frame() {
    let house = House::with(&[], |_| {}).await;
    let ada = house.guest("ada").await;
    let room = ada.room().await;
    let mut socket = Socket::of(&ada, &format!("/rooms/{room}/socket?username=ada"))
        .await
        .unwrap();
    let mut refused = None;
    for n in 0..1_000 {
        socket.say("hello").await;
        let frame = socket.next().await;
        if let Ok(problem) = serde_json::from_str::<Problem>(frame.to_text().unwrap()) {
            refused = Some((n, problem));
            break;
        }
    }
    let (said, problem) = refused.expect("it is never too much");
    assert!(said >= 200, "{said}");
    assert_eq!((problem.status, problem.retry_after), (429, Some(1)));
    // The same person is refused by any other way, and when it has ebbed the socket goes on.
    assert_eq!(ada.try_post(&room, "hello").await.status(), 429);
    loop {
        socket.say("at last").await;
        let frame = socket.next().await;
        if let Ok(message) = serde_json::from_str::<Message>(frame.to_text().unwrap()) {
            assert_eq!(message.id, said + 1, "what was refused is not said");
            break;
        }
    }
}

/// What a socket has carried when this has come, all frames in one.
async fn until(socket: &mut Socket, end: &str) -> String {
    let mut all = String::new();
    while !all.ends_with(end) {
        all += socket.next().await.to_text().unwrap();
    }
    all
}

#[tokio::test]
async fn a_stream_comes_over_a_socket_as_it_is() {
    let mut house = House::new().await;
    let ada = house.person("ada");
    let room = ada.room().await;
    let path = format!("/stream?rooms={room}");
    let mut socket = Socket::open(&house, &path).await;
    let mut stream = ada.get(&path, "text/event-stream").await;
    for n in 0..20 {
        ada.post(&room, &format!("number {n}")).await;
    }
    let last = "\"body\":\"number 19\"";
    let mut expected = String::new();
    while !(expected.contains(last) && expected.ends_with("\n\n")) {
        expected += std::str::from_utf8(&stream.chunk().await.unwrap().unwrap()).unwrap();
    }
    // The stream alone says how long to wait before one comes back.
    let expected = expected.strip_prefix("retry: 2000\n\n").unwrap();
    let tail = expected[expected.rfind("data: ").unwrap()..].to_owned();
    assert_eq!(until(&mut socket, &tail).await, expected);
    // It is resumed in the same way, and what is sent by it is no message.
    let ids: Vec<&str> = expected
        .lines()
        .filter_map(|line| line.strip_prefix("id: "))
        .collect();
    let mut resumed = Socket::open(&house, &format!("{path}&last_event_id={}", ids[17])).await;
    resumed.say("nobody reads this").await;
    assert_eq!(
        until(&mut resumed, &tail).await.matches("data: ").count(),
        2
    );
    assert_eq!(ada.history(&room, "").await.len(), 20);
    let stopped = house.stop();
    while !matches!(resumed.next().await, Frame::Close(_)) {}
    drop((resumed, socket, stream));
    tokio::time::timeout(PATIENCE, stopped)
        .await
        .unwrap()
        .unwrap();
}
