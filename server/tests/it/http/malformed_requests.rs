//! Malformed requests: each is refused, and the server continues.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::harness::TestServer;

#[tokio::test]
async fn bytes_that_are_not_http_get_4xx_or_a_closed_connection() {
    let server = TestServer::new().await;
    for bytes in [
        &b"\x16\x03\x01\x02\x00"[..],
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        &[0; 100_000],
        b"\r\n\r\n\r\n",
    ] {
        let mut stream = TcpStream::connect(server.url.trim_start_matches("http://"))
            .await
            .unwrap();
        // The server may close the connection before it has read everything.
        let _ = stream.write_all(bytes).await;
        let _ = stream.shutdown().await;
        let mut response = Vec::new();
        let _ = tokio::time::timeout(Duration::from_secs(10), stream.read_to_end(&mut response))
            .await
            .unwrap();
        assert!(
            response.is_empty() || response.starts_with(b"HTTP/1.1 4"),
            "{:?}",
            String::from_utf8_lossy(&response)
        );
    }
    assert_eq!(
        server.visitor("ada").get("/healthz", "*/*").await.status(),
        StatusCode::OK
    );
}

#[tokio::test]
async fn malformed_path_or_header_never_causes_a_server_error() {
    let server = TestServer::new().await;
    let ada = server.visitor("ada");
    let room = ada.create_room().await;
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
async fn oversized_request_head_is_refused() {
    let server = TestServer::new().await;
    let ada = server.visitor("ada");
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
    // A large cookie below the limit is read; its session is invalid.
    let large = ada
        .request(Method::GET, "/profile/")
        .header("accept", "application/json");
    let large = large
        .header("cookie", server.cookie("session", &"a.".repeat(15_000)))
        .send()
        .await
        .unwrap();
    assert_eq!(large.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn user_input_never_becomes_a_response_header() {
    let server = TestServer::new().await;
    let ada = server.visitor("ada");
    let expected = ["name", "session", "account", "guest"];
    let ours = |response: &reqwest::Response| {
        assert!(
            !response.headers().contains_key("x-evil"),
            "{:?}",
            response.headers()
        );
        for cookie in response.headers().get_all("set-cookie") {
            let cookie = cookie.to_str().unwrap();
            let (name, rest) = cookie.split_once('=').unwrap();
            let (name, _) = name.split_once('-').unwrap();
            assert!(
                expected.contains(&name) && rest.matches("Path=").count() == 1,
                "{cookie}"
            );
        }
        if let Some(location) = response.headers().get("location") {
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
            &server.url,
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
async fn request_with_two_lengths_smuggles_no_second_request() {
    let server = TestServer::new().await;
    let room = server.visitor("ada").create_room().await;
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
        let mut stream = TcpStream::connect(server.url.trim_start_matches("http://"))
            .await
            .unwrap();
        let head = format!(
            "POST /rooms/{room}/typing/ HTTP/1.1\r\nhost: x\r\n{lengths}\r\n\r\n0\r\n\r\n{hidden}"
        );
        // The server may close the connection before it has read everything.
        let _ = stream.write_all(head.as_bytes()).await;
        let mut response = Vec::new();
        let read =
            tokio::time::timeout(Duration::from_secs(10), stream.read_to_end(&mut response)).await;
        let response = String::from_utf8_lossy(&response).into_owned();
        assert!(
            read.is_ok() && response.matches("HTTP/1.1 ").count() <= 1,
            "{lengths}: {response}"
        );
    }
    assert!(server.visitor("ada").history(&room, "").await.is_empty());
}
