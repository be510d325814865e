//! What nobody should send: it is taken as text or refused, and the server serves on. Who tries to be somebody else and
//! who is slow on purpose have their own files.

mod intruders;
mod slow;

use std::time::Duration;

use proptest::prelude::*;
use reqwest::{Method, StatusCode};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::house::House;

#[tokio::test]
async fn odd_text_comes_back_as_it_was_sent() {
    let house = House::new().await;
    let ada = house.person("ada");
    let room = ada.room().await;
    let texts = [
        "<script>alert(1)</script>",
        "\u{202e}drowkcab\u{202c}",
        "zero\u{200b}width\u{feff}",
        "data: x\n\nevent: closed\ndata: {}",
        "id: 1\nretry: 1",
        "Z\u{338}\u{334}a\u{335}l\u{336}g\u{337}o",
        "\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}",
        "'; drop table message; --",
        "${jndi:ldap://x}",
        "a\u{2028}b\u{2029}c",
    ];
    let mut listener = ada.follow(&room, "").await;
    for text in texts {
        ada.post(&room, text).await;
        assert_eq!(listener.next_message().await.body, text);
    }
}

#[test]
fn any_text_is_either_taken_whole_or_refused() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (house, room) = runtime.block_on(async {
        let house = House::new().await;
        let room = house.person("ada").room().await;
        (house, room)
    });
    let ada = house.person("ada");
    proptest!(|(username in ".{0,40}", body in "(?s).{0,100}")| {
        let sent = json!({"username": username, "body": body});
        let answer = runtime.block_on(ada.post_json(&format!("/rooms/{room}/messages/"), sent));
        match answer.status() {
            StatusCode::CREATED => {
                let message: protocol::Message = runtime.block_on(answer.json()).unwrap();
                prop_assert_eq!(message.username, username.trim());
                let body = body.replace("\r\n", "\n").replace('\r', "\n");
                prop_assert_eq!(message.body, body.trim());
            }
            status => prop_assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY),
        }
    });
}

#[tokio::test]
async fn bytes_that_are_not_http_do_no_harm() {
    let house = House::new().await;
    for bytes in [
        &b"\x16\x03\x01\x02\x00"[..],
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        &[0; 100_000],
        b"\r\n\r\n\r\n",
    ] {
        let mut stream = TcpStream::connect(house.url.trim_start_matches("http://"))
            .await
            .unwrap();
        // The server may hang up before it has read everything.
        let _ = stream.write_all(bytes).await;
        let _ = stream.shutdown().await;
        let mut answer = Vec::new();
        let _ = tokio::time::timeout(Duration::from_secs(10), stream.read_to_end(&mut answer))
            .await
            .unwrap();
        assert!(
            answer.is_empty() || answer.starts_with(b"HTTP/1.1 4"),
            "{:?}",
            String::from_utf8_lossy(&answer)
        );
    }
    assert_eq!(
        house.person("ada").get("/healthz", "*/*").await.status(),
        StatusCode::OK
    );
}

#[tokio::test]
async fn odd_addresses_and_headers_are_refused_and_nothing_else() {
    let house = House::new().await;
    let ada = house.person("ada");
    let room = ada.room().await;
    for path in [
        "//evil.example/",
        "/rooms/../../etc/passwd",
        "/pkg/%2e%2e/Cargo.toml",
        "/rooms/%00/",
        "/%ff%fe/",
        "/rooms/a%0d%0ab/",
    ] {
        for accept in ["text/html", "*/*"] {
            let status = ada.get(path, accept).await.status().as_u16();
            assert!([308, 400, 404].contains(&status), "{path}: {status}");
        }
    }
    let messages = format!("/rooms/{room}/messages/");
    let odd = reqwest::header::HeaderValue::from_bytes(b"\xff\xfe").unwrap();
    for name in [
        "accept",
        "cookie",
        "idempotency-key",
        "last-event-id",
        "content-type",
    ] {
        let request = ada
            .request(Method::POST, &messages)
            .header(name, odd.clone());
        let status = request
            .body(r#"{"username":"a","body":"b"}"#)
            .send()
            .await
            .unwrap()
            .status()
            .as_u16();
        assert!([201, 400, 415].contains(&status), "{name}: {status}");
        assert_ne!(
            ada.request(Method::GET, "/")
                .header(name, odd.clone())
                .send()
                .await
                .unwrap()
                .status(),
            500,
            "{name}"
        );
    }
}

#[tokio::test]
async fn heads_that_are_too_large_are_refused() {
    let house = House::new().await;
    let ada = house.person("ada");
    let mut many = ada.request(Method::GET, "/healthz");
    for n in 0..200 {
        many = many.header(format!("x-{n}"), "1");
    }
    for (what, request) in [
        (
            "a cookie",
            ada.request(Method::GET, "/")
                .header("cookie", "a=".repeat(200_000)),
        ),
        (
            "a header",
            ada.request(Method::GET, "/healthz")
                .header("x-long", "a".repeat(70_000)),
        ),
        (
            "an address",
            ada.request(Method::GET, &format!("/?{}", "a".repeat(60_000)))
                .header("x", "a".repeat(8_000)),
        ),
        ("many headers", many),
    ] {
        let status = request.send().await.unwrap().status().as_u16();
        assert!([400, 414, 431].contains(&status), "{what}: {status}");
    }
    // What is large and below the limit is read, and is nobody's.
    let large = ada
        .request(Method::GET, "/profile/")
        .header("accept", "application/json");
    let large = large
        .header("cookie", format!("session={}", "a.".repeat(15_000)))
        .send()
        .await
        .unwrap();
    assert_eq!(large.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn nothing_that_is_sent_becomes_a_header() {
    let house = House::new().await;
    let ada = house.person("ada");
    let expected = ["name", "session", "guest"];
    let ours = |answer: &reqwest::Response| {
        assert!(
            !answer.headers().contains_key("x-evil"),
            "{:?}",
            answer.headers()
        );
        for cookie in answer.headers().get_all("set-cookie") {
            let cookie = cookie.to_str().unwrap();
            let (name, rest) = cookie.split_once('=').unwrap();
            assert!(
                expected.contains(&name) && rest.matches("Path=").count() == 1,
                "{cookie}"
            );
        }
        if let Some(location) = answer.headers().get("location") {
            let location = location.to_str().unwrap();
            assert!(
                location.starts_with('/')
                    && !location.starts_with("//")
                    && !location.starts_with("/\\"),
                "{location}"
            );
        }
    };
    let odd = [
        "a\r\nx-evil: 1",
        "a; Path=/evil; x=",
        "a, x-evil=1",
        "a\0",
        "//evil.example",
        "/\\evil.example",
        "/%0d%0ax-evil:1",
    ];
    for (n, odd) in odd.into_iter().enumerate() {
        let username = format!("ada{n}");
        let forms: [(&str, Vec<(&str, &str)>); 3] = [
            ("/rooms/", vec![("username", odd), ("name", odd)]),
            (
                "/register",
                vec![
                    ("name", odd),
                    ("username", &username),
                    ("password", "secret"),
                    ("next", odd),
                ],
            ),
            (
                "/login",
                vec![
                    ("username", &username),
                    ("password", "secret"),
                    ("next", odd),
                ],
            ),
        ];
        for (path, form) in forms {
            let request = ada
                .request(Method::POST, path)
                .header("accept", "text/html")
                .form(&form);
            ours(&request.send().await.unwrap());
        }
        let query = reqwest::Url::parse_with_params(
            &house.url,
            [("room", odd), ("next", odd), ("cursor", odd)],
        )
        .unwrap();
        for path in ["/", "/rooms", "/login", "/chat", "/rooms/", "/register"] {
            let path = format!("{path}?{}", query.query().unwrap());
            ours(&ada.get(&path, "text/html").await);
            ours(&ada.get(&path, "application/json").await);
        }
    }
}

#[tokio::test]
async fn a_request_of_two_lengths_is_one_request_or_none() {
    let house = House::new().await;
    let room = house.person("ada").room().await;
    let hidden = format!(
        "POST /rooms/{room}/messages/ HTTP/1.1\r\nhost: x\r\ncontent-length: 31\r\n\r\n{{\"username\":\"a\",\"body\":\"hidden\"}}"
    );
    for lengths in [
        "content-length: 5\r\ncontent-length: 500".to_owned(),
        "content-length: 5, 500".to_owned(),
        "content-length: +5".to_owned(),
        format!(
            "content-length: {}\r\ntransfer-encoding: chunked",
            hidden.len() + 5
        ),
        "transfer-encoding: chunked, identity".to_owned(),
        "transfer-encoding : chunked".to_owned(),
    ] {
        let mut stream = TcpStream::connect(house.url.trim_start_matches("http://"))
            .await
            .unwrap();
        let head = format!(
            "POST /rooms/{room}/typing/ HTTP/1.1\r\nhost: x\r\n{lengths}\r\n\r\n0\r\n\r\n{hidden}"
        );
        // The server may hang up before it has read everything.
        let _ = stream.write_all(head.as_bytes()).await;
        let mut answer = Vec::new();
        let read =
            tokio::time::timeout(Duration::from_secs(10), stream.read_to_end(&mut answer)).await;
        let answer = String::from_utf8_lossy(&answer).into_owned();
        assert!(
            read.is_ok() && answer.matches("HTTP/1.1 ").count() <= 1,
            "{lengths}: {answer}"
        );
    }
    assert!(house.person("ada").history(&room, "").await.is_empty());
}
