//! What goes over a connection, byte by byte: where a stream takes it over, and where it ends.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::house::{House, PATIENCE};
use crate::tls::patience::{hung_up, within};

/// A connection that is written to and read as it is.
struct Wire(TcpStream);

impl Wire {
    async fn open(house: &House) -> Self {
        Self(
            TcpStream::connect(house.url.trim_start_matches("http://"))
                .await
                .unwrap(),
        )
    }

    async fn send(&mut self, text: &str) {
        self.0.write_all(text.as_bytes()).await.unwrap();
    }

    /// Everything up to and with `end`.
    async fn until(&mut self, end: &str) -> String {
        let mut text = Vec::new();
        while !text.ends_with(end.as_bytes()) {
            let byte = timeout(PATIENCE, self.0.read_u8()).await;
            text.push(
                byte.unwrap_or_else(|_| {
                    panic!("no {end:?} after {:?}", String::from_utf8_lossy(&text))
                })
                .unwrap(),
            );
        }
        String::from_utf8(text).unwrap()
    }

    /// Everything up to the end of the connection.
    async fn rest(&mut self) -> String {
        let mut text = String::new();
        timeout(PATIENCE, self.0.read_to_string(&mut text))
            .await
            .unwrap()
            .unwrap();
        text
    }
}

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: test\r\n\r\n")
}

#[tokio::test]
async fn a_stream_comes_after_the_answers_before_it() {
    let house = House::new().await;
    let room = house.person("ada").room().await;
    let stream = format!("/rooms/{room}/messages/");
    let mut wire = Wire::open(&house).await;
    wire.send(&[get("/healthz"), get("/openapi.json"), get(&stream)].concat())
        .await;
    let answers = wire.until("retry: 2000\n\n\r\n").await;
    assert_eq!(answers.matches("HTTP/1.1 200 OK\r\n").count(), 3);
    let head = answers.rsplit("HTTP/1.1 200 OK\r\n").next().unwrap();
    for header in [
        "content-type: text/event-stream",
        "transfer-encoding: chunked",
        "connection: close",
        "date: ",
        "nosniff",
    ] {
        assert!(head.contains(header), "{header}: {head}");
    }
    assert!(
        !head.contains("content-length"),
        "a proxy may refuse what is of two lengths: {head}"
    );
}

#[tokio::test]
async fn the_head_of_a_stream_can_be_asked_for_alone() {
    let house = House::new().await;
    let room = house.person("ada").room().await;
    let mut wire = Wire::open(&house).await;
    wire.send(&format!(
        "HEAD /rooms/{room}/messages/ HTTP/1.1\r\nhost: test\r\n\r\n"
    ))
    .await;
    assert!(wire.until("\r\n\r\n").await.contains("text/event-stream"));
    wire.send(&get("/healthz")).await;
    assert!(
        wire.until("\r\n\r\n").await.starts_with("HTTP/1.1 200"),
        "the connection is still good"
    );
}

#[tokio::test]
async fn a_stream_in_chunks_ends_with_an_empty_one() {
    let mut house = House::new().await;
    let ada = house.person("ada");
    let room = ada.room().await;
    let mut wire = Wire::open(&house).await;
    wire.send(&get(&format!("/rooms/{room}/messages/"))).await;
    wire.until("retry: 2000\n\n\r\n").await;
    ada.post(&room, "hello").await;
    let chunk = wire.until("\n\n\r\n").await;
    let (size, frame) = chunk.split_once("\r\n").unwrap();
    assert_eq!(
        usize::from_str_radix(size, 16).unwrap(),
        frame.trim_end_matches("\r\n").len()
    );
    let stopping = house.stop();
    assert!(wire.rest().await.ends_with("\n\n\r\n0\r\n\r\n"));
    timeout(PATIENCE, stopping).await.unwrap().unwrap();
}

#[tokio::test]
async fn an_old_client_gets_a_stream_without_chunks() {
    let mut house = House::new().await;
    let room = house.person("ada").room().await;
    let mut wire = Wire::open(&house).await;
    wire.send(&format!("GET /rooms/{room}/messages/ HTTP/1.0\r\n\r\n"))
        .await;
    let head = wire.until("\r\n\r\n").await;
    assert!(
        !head.contains("chunked") && !head.contains("content-length"),
        "{head}"
    );
    assert_eq!(wire.until("\n\n").await, "retry: 2000\n\n");
    let stopping = house.stop();
    let rest = wire.rest().await;
    assert!(
        rest.starts_with("retry: ") && rest.ends_with("\n\n"),
        "{rest:?}"
    );
    timeout(PATIENCE, stopping).await.unwrap().unwrap();
}

/// The next chunk of a body.
async fn chunk(wire: &mut Wire) -> String {
    let size = wire.until("\r\n").await;
    let mut chunk = vec![0; usize::from_str_radix(size.trim_end(), 16).unwrap() + 2];
    timeout(PATIENCE, wire.0.read_exact(&mut chunk))
        .await
        .unwrap()
        .unwrap();
    String::from_utf8(chunk)
        .unwrap()
        .strip_suffix("\r\n")
        .expect("a chunk has its size")
        .to_owned()
}

#[tokio::test]
async fn whoever_hardly_reads_gets_every_byte_in_its_place() {
    let house = House::new().await;
    let ada = house.person("ada");
    let room = ada.room().await;
    let mut wire = Wire::open(&house).await;
    wire.send(&get(&format!("/rooms/{room}/messages/"))).await;
    wire.until("\r\n\r\n").await;
    let (mut posted, mut body) = (0, String::new());
    for length in [4_000, 1_777] {
        let text = "x".repeat(length);
        // What the system holds for a connection is full in the middle of this, and from then on there is hardly any room.
        for _ in 0..2_000_000 / length {
            ada.post(&room, &text).await;
            posted += 1;
            if posted % 3 == 0 {
                body.push_str(&chunk(&mut wire).await);
            }
        }
        // Who has caught up is live again.
        while !body.contains(&format!(".{posted}\ndata: ")) {
            body.push_str(&chunk(&mut wire).await);
        }
    }
    let ids = body
        .lines()
        .filter_map(|line| line.strip_prefix("id: ")?.split_once('.')?.1.parse().ok());
    assert_eq!(ids.collect::<Vec<u32>>(), (1..=posted).collect::<Vec<_>>());
}

#[tokio::test]
async fn who_asks_for_nothing_is_cut() {
    let house = House::new().await;
    for begin in ["", "GET / HTTP/1.1\r\nhost: test\r\n"] {
        let mut silent = Wire::open(&house).await;
        silent.send(begin).await;
        assert_eq!(within(28, hung_up(&mut silent.0)).await, None, "{begin:?}");
        assert!(
            within(7, hung_up(&mut silent.0)).await.is_some(),
            "{begin:?}"
        );
    }
}

#[tokio::test]
async fn nothing_but_http_1_is_spoken_without_tls() {
    let house = House::new().await;
    let mut wire = Wire::open(&house).await;
    wire.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\u{4}\0\0\0\0\0")
        .await;
    assert_eq!(timeout(PATIENCE, hung_up(&mut wire.0)).await, Ok(0));
}

#[tokio::test]
async fn stopping_waits_for_nobody_who_has_asked_for_nothing() {
    let mut house = House::new().await;
    let (silent, mut answered) = (Wire::open(&house).await, Wire::open(&house).await);
    answered.send(&get("/healthz")).await;
    answered.until("\r\n\r\nok\n").await;
    timeout(Duration::from_secs(9), house.stop())
        .await
        .expect("somebody is waited for")
        .unwrap();
    drop((silent, answered));
}

/// The heads of requests that are answered without what they bring, and how.
const UNREAD: [(&str, &str); 4] = [
    ("POST /guests/ HTTP/1.1\r\nhost: test\r\n", "201"),
    ("POST /join?id= HTTP/1.1\r\nhost: test\r\n", "400"),
    (
        "POST /rooms/ HTTP/1.1\r\nhost: test\r\nauthorization: Bearer none\r\n",
        "401",
    ),
    (
        "POST /rooms/ HTTP/1.1\r\nhost: test\r\norigin: https://evil.example\r\n",
        "403",
    ),
];

/// Lets the server do what it can do now.
pub async fn idle() {
    for _ in 0..500 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_connection_goes_on_after_what_nobody_reads() {
    let house = House::new().await;
    let mut wire = Wire::open(&house).await;
    for (body, length) in [
        ("{}", "content-length: 2"),
        ("2\r\n{}\r\n0\r\n\r\n", "transfer-encoding: chunked"),
    ] {
        for (head, status) in UNREAD {
            wire.send(&format!("{head}{length}\r\n\r\n")).await;
            idle().await;
            wire.send(body).await;
            let head = wire.until("\r\n\r\n").await;
            assert!(
                head.starts_with(&format!("HTTP/1.1 {status} ")) && !head.contains("connection:"),
                "{head}"
            );
            wire.until("}").await;
        }
    }
    wire.send(&get("/healthz")).await;
    assert!(wire.until("\r\n\r\n").await.starts_with("HTTP/1.1 200 "));
}

#[tokio::test]
async fn an_answer_says_that_nothing_comes_after_what_nobody_reads() {
    let house = House::new().await;
    for (head, status) in UNREAD {
        for (more, patience) in [
            ("content-length: 100000", 0),
            ("expect: 100-continue\r\ncontent-length: 2", 0),
            // This many are waited for, and do not come.
            ("content-length: 2", 2),
        ] {
            let mut wire = Wire::open(&house).await;
            wire.send(&format!("{head}{more}\r\n\r\n")).await;
            idle().await;
            let answer = match patience {
                0 => wire.rest().await,
                _ => within(patience, wire.rest())
                    .await
                    .expect("it is waited for"),
            };
            assert!(
                answer.starts_with(&format!("HTTP/1.1 {status} ")),
                "{more}: {answer}"
            );
            assert!(
                answer.contains("\r\nconnection: close\r\n"),
                "{more}: {answer}"
            );
        }
    }
}
