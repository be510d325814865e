//! The listener that redirects plain HTTP.

use reqwest::{Client, Method, StatusCode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use crate::harness::{HSTS, TEST_TIMEOUT, TestCertificate};

#[tokio::test]
async fn plain_http_is_redirected_to_https() {
    let cert = TestCertificate::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let from = listener.local_addr().unwrap();
    let mut server = cert.start_server(Some(listener)).await;
    let port = server.url.rsplit(':').next().unwrap().to_owned();
    let http = Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    for (host, name) in [
        ("chat.example", "chat.example"),
        ("chat.example:80", "chat.example"),
        ("[::1]:80", "[::1]"),
    ] {
        for method in [Method::GET, Method::POST] {
            let response = http
                .request(method, format!("http://{from}/rooms/a%20b?x=1&y"))
                .header("host", host);
            let response = response.send().await.unwrap();
            assert_eq!(response.status(), StatusCode::PERMANENT_REDIRECT);
            assert_eq!(
                response.headers()["location"],
                format!("https://{name}:{port}/rooms/a%20b?x=1&y")
            );
            assert!(!response.headers().contains_key(HSTS));
        }
    }
    for head in [
        "GET / HTTP/1.0\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: a b\r\n\r\n",
    ] {
        assert!(
            raw_response_head(from, head)
                .await
                .starts_with("HTTP/1.0 400")
                || raw_response_head(from, head)
                    .await
                    .starts_with("HTTP/1.1 400")
        );
    }
    let response = raw_response_head(
        from,
        "OPTIONS * HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
    )
    .await;
    assert!(
        response.contains(&format!("location: https://x:{port}/\r\n")),
        "{response}"
    );
    timeout(TEST_TIMEOUT, server.stop()).await.unwrap().unwrap();
}

/// Sends a raw request. Returns the head of the response.
async fn raw_response_head(to: std::net::SocketAddr, head: &str) -> String {
    let mut socket = TcpStream::connect(to).await.unwrap();
    socket.write_all(head.as_bytes()).await.unwrap();
    let mut response = Vec::new();
    while !response.ends_with(b"\r\n\r\n") {
        response.push(
            timeout(TEST_TIMEOUT, socket.read_u8())
                .await
                .unwrap()
                .unwrap(),
        );
    }
    String::from_utf8(response).unwrap()
}
