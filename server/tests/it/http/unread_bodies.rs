//! Request bodies that no handler reads.

use crate::harness::{TestServer, let_server_run, within_virtual_seconds};
use crate::http::{RawConnection, get_request};

/// Heads of requests that are answered without reading the body, and the status.
const REQUESTS_WITH_UNREAD_BODY: [(&str, &str); 4] = [
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

#[tokio::test]
async fn connection_stays_open_after_a_small_unread_body() {
    let server = TestServer::new().await;
    let mut connection = RawConnection::open(&server).await;
    for (body, length) in [
        ("{}", "content-length: 2"),
        ("2\r\n{}\r\n0\r\n\r\n", "transfer-encoding: chunked"),
    ] {
        for (head, status) in REQUESTS_WITH_UNREAD_BODY {
            connection.send(&format!("{head}{length}\r\n\r\n")).await;
            let_server_run().await;
            connection.send(body).await;
            let head = connection.read_until("\r\n\r\n").await;
            assert!(
                head.starts_with(&format!("HTTP/1.1 {status} ")) && !head.contains("connection:"),
                "{head}"
            );
            connection.read_until("}").await;
        }
    }
    connection.send(&get_request("/healthz")).await;
    assert!(
        connection
            .read_until("\r\n\r\n")
            .await
            .starts_with("HTTP/1.1 200 ")
    );
}

#[tokio::test]
async fn large_or_late_unread_body_closes_the_connection() {
    let server = TestServer::new().await;
    for (head, status) in REQUESTS_WITH_UNREAD_BODY {
        for (more, wait) in [
            ("content-length: 100000", 0),
            ("expect: 100-continue\r\ncontent-length: 2", 0),
            // The server waits for so small a body, which never arrives.
            ("content-length: 2", 2),
        ] {
            let mut connection = RawConnection::open(&server).await;
            connection.send(&format!("{head}{more}\r\n\r\n")).await;
            let_server_run().await;
            let response = match wait {
                0 => connection.read_to_end().await,
                _ => within_virtual_seconds(wait, connection.read_to_end())
                    .await
                    .expect("the server waits no longer than that"),
            };
            assert!(
                response.starts_with(&format!("HTTP/1.1 {status} ")),
                "{more}: {response}"
            );
            assert!(
                response.contains("\r\nconnection: close\r\n"),
                "{more}: {response}"
            );
        }
    }
}
