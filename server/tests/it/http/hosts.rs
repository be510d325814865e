//! The host of each request: exactly one, on every route.

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use crate::harness::{TEST_TIMEOUT, TestCertificate, TestServer};
use crate::http::RawConnection;

/// Request heads without a valid single host: each is a version of HTTP and host lines.
const INVALID: [(&str, &str); 7] = [
    ("1.1", ""),
    ("1.0", ""),
    ("1.1", "host: a.example\r\nhost: a.example\r\n"),
    ("1.1", "host: a.example\r\nhost: b.example\r\n"),
    ("1.1", "host:\r\n"),
    ("1.1", "host: a.example, b.example\r\n"),
    ("1.1", "host: a.example/b\r\n"),
];

async fn expect_refused(server: &TestServer, request: &str) {
    let mut connection = RawConnection::open(server).await;
    connection.send(request).await;
    let response = connection.read_to_end().await;
    let is_refused = response.starts_with("HTTP/1.1 400 ") || response.starts_with("HTTP/1.0 400 ");
    // An answer to HEAD has no body.
    let says_why = request.starts_with("HEAD ") || response.contains("exactly one Host");
    assert!(is_refused && says_why, "{request:?}: {response:?}");
}

#[tokio::test]
async fn request_without_exactly_one_host_is_refused_on_every_route() {
    let server = TestServer::new().await;
    let ada = server.visitor("ada");
    let room = ada.create_room().await;
    let document: Value = ada.get("/openapi.json", "*/*").await.json().await.unwrap();
    let mut targets = vec![
        ("GET".to_owned(), "/nowhere".to_owned()),
        ("GET".to_owned(), "/rooms".to_owned()),
        ("OPTIONS".to_owned(), "*".to_owned()),
    ];
    for (path, item) in document["paths"].as_object().unwrap() {
        let path = path.replace("{id}", &room).replace(['{', '}'], "");
        let methods = item.as_object().unwrap().keys();
        targets.extend(methods.map(|method| (method.to_uppercase(), path.clone())));
    }
    for (method, target) in targets {
        for (version, hosts) in INVALID {
            let head = format!(
                "{method} {target} HTTP/{version}\r\n{hosts}connection: close\r\ncontent-length: 0\r\n\r\n"
            );
            expect_refused(&server, &head).await;
        }
    }
}

#[tokio::test]
async fn upgrade_without_exactly_one_host_is_refused() {
    let server = TestServer::new().await;
    let room = server.visitor("ada").create_room().await;
    for target in [
        format!("/rooms/{room}/socket"),
        "/stream?list=on".to_owned(),
    ] {
        for (version, hosts) in INVALID {
            let head = format!(
                "GET {target} HTTP/{version}\r\n{hosts}connection: upgrade, close\r\nupgrade: websocket\r\n\
                 sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
            );
            expect_refused(&server, &head).await;
        }
    }
}

#[tokio::test]
async fn host_of_an_absolute_target_counts_instead_of_the_header() {
    let server = TestServer::new().await;
    // The page of an origin is of this site if its host is that of the target.
    for (target, origin, status) in [
        ("http://a.example", "http://a.example", "201"),
        ("http://a.example", "http://b.example", "403"),
        ("http://ada@a.example", "http://a.example", "400"),
    ] {
        let mut connection = RawConnection::open(&server).await;
        let head = format!(
            "POST {target}/guests/ HTTP/1.1\r\nhost: b.example\r\norigin: {origin}\r\n\
             connection: close\r\ncontent-length: 0\r\n\r\n"
        );
        connection.send(&head).await;
        let response = connection.read_to_end().await;
        let expected = format!("HTTP/1.1 {status} ");
        assert!(response.starts_with(&expected), "{target}: {response}");
    }
    let request = "GET http://a.example/healthz HTTP/1.1\r\nconnection: close\r\n\r\n";
    expect_refused(&server, request).await;
}

#[tokio::test]
async fn request_over_tls_without_exactly_one_host_is_refused() {
    let cert = TestCertificate::new();
    let server = cert.start_server(None).await;
    for (version, hosts) in INVALID {
        let mut tls = cert.connect(&server.url, b"http/1.1").await;
        let head = format!("GET /healthz HTTP/{version}\r\n{hosts}connection: close\r\n\r\n");
        tls.write_all(head.as_bytes()).await.unwrap();
        let mut response = String::new();
        // The end of the TLS connection may be an error; only the response counts.
        let _ = timeout(TEST_TIMEOUT, tls.read_to_string(&mut response))
            .await
            .unwrap();
        assert!(
            response.contains(" 400 Bad Request"),
            "{hosts:?}: {response}"
        );
    }
}
