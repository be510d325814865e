//! Requests over TLS.

use reqwest::{Method, Version};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use crate::harness::{HSTS, TEST_TIMEOUT, TestCertificate, TestServer, let_server_run};
use crate::tls::http2_handshake;

#[tokio::test]
async fn requests_are_answered_over_http_2_and_http_1_1() {
    let cert = TestCertificate::new();
    let text = "x".repeat(4_000);
    let server = cert.start_server(None).await;
    for version in [Version::HTTP_2, Version::HTTP_11] {
        let ada = cert.client("ada", &server.url, version);
        let room = ada.create_room().await;
        for _ in 0..100 {
            ada.post(&room, &text).await;
        }
        assert_eq!(
            ada.history(&room, "limit=1000").await.len(),
            100,
            "long responses are complete"
        );
        for (path, status) in [
            ("/healthz", 200),
            ("/", 200),
            ("/rooms", 308),
            ("/nowhere", 404),
        ] {
            let response = ada.get(path, "text/html").await;
            assert_eq!(
                (response.status().as_u16(), response.version()),
                (status, version)
            );
            assert_eq!(response.headers()[HSTS], "max-age=31536000", "{path}");
        }
    }
}

#[tokio::test]
async fn http_1_0_client_is_answered_over_tls() {
    let cert = TestCertificate::new();
    let server = cert.start_server(None).await;
    let mut tls = cert.connect(&server.url, b"http/1.0").await;
    tls.write_all(b"GET /healthz HTTP/1.0\r\nhost: x\r\n\r\n")
        .await
        .unwrap();
    let mut response = String::new();
    // The end of the TLS connection may be an error; only the response counts.
    let _ = timeout(TEST_TIMEOUT, tls.read_to_string(&mut response))
        .await
        .unwrap();
    assert!(
        response.starts_with("HTTP/1.0 200 OK\r\n") && response.ends_with("ok\n"),
        "{response}"
    );
}

#[tokio::test]
async fn same_origin_post_is_accepted_over_tls_and_a_foreign_one_refused() {
    let cert = TestCertificate::new();
    let server = cert.start_server(None).await;
    for version in [Version::HTTP_2, Version::HTTP_11] {
        let ada = cert.client("ada", &server.url, version);
        let messages = format!("/rooms/{}/messages/", ada.create_room().await);
        for (origin, status) in [(server.url.as_str(), 201), ("https://evil.example", 403)] {
            let post = ada
                .request(Method::POST, &messages)
                .header("origin", origin);
            let response = post
                .json(&json!({"username": "ada", "body": "hello"}))
                .send()
                .await
                .unwrap();
            assert_eq!(response.status().as_u16(), status, "{version:?} {origin}");
        }
    }
}

#[tokio::test]
async fn hsts_header_is_absent_without_tls() {
    let server = TestServer::new().await;
    let response = server.visitor("ada").get("/healthz", "*/*").await;
    assert!(!response.headers().contains_key(HSTS));
}

#[tokio::test]
async fn tls_connection_stays_open_after_a_small_unread_body() {
    let cert = TestCertificate::new();
    let server = cert.start_server(None).await;
    let mut tls = cert.connect(&server.url, b"http/1.1").await;
    for connection in ["keep-alive", "keep-alive", "close"] {
        let head = format!(
            "POST /guests/ HTTP/1.1\r\nhost: x\r\nconnection: {connection}\r\ncontent-length: 2\r\n\r\n"
        );
        tls.write_all(head.as_bytes()).await.unwrap();
        let_server_run().await;
        tls.write_all(b"{}").await.unwrap();
    }
    let mut responses = String::new();
    // The end of the TLS connection may be an error; only the response counts.
    let _ = timeout(TEST_TIMEOUT, tls.read_to_string(&mut responses))
        .await
        .unwrap();
    assert_eq!(
        responses.matches("HTTP/1.1 201 Created\r\n").count(),
        3,
        "{responses}"
    );
}

#[tokio::test]
async fn oversized_http_2_head_is_refused_and_the_connection_survives() {
    let cert = TestCertificate::new();
    let server = cert.start_server(None).await;
    let (client, _) = http2_handshake(cert.connect(&server.url, b"h2").await).await;
    let status = async |cookie: String| {
        let request = hyper::Request::get(format!("{}/healthz", server.url))
            .header("cookie", cookie)
            .body(())
            .unwrap();
        let (response, _) = client
            .clone()
            .ready()
            .await
            .unwrap()
            .send_request(request, true)
            .unwrap();
        timeout(TEST_TIMEOUT, response)
            .await
            .unwrap()
            .map(|response| response.status().as_u16())
    };
    assert_eq!(status("a=".repeat(60_000)).await.unwrap(), 431);
    assert_eq!(status("a=1".to_owned()).await.unwrap(), 200);
}
