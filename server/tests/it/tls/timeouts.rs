//! Timeouts of clients over TLS, by tokio's clock.

use std::time::Duration;

use reqwest::{StatusCode, Version};
use tokio::io::AsyncWriteExt;
use tokio::time::timeout;

use crate::harness::{
    TEST_TIMEOUT, TestCertificate, read_until_closed, tcp_connect, within_virtual_seconds,
};
use crate::tls::{follow_over_http2, http2_handshake, read_stream_until};

#[tokio::test]
async fn quiet_http_2_stream_sends_heartbeats() {
    let cert = TestCertificate::new();
    let server = cert.start_server(None).await;
    let room = cert
        .client("ada", &server.url, Version::HTTP_2)
        .create_room()
        .await;
    let (mut client, _) = http2_handshake(cert.connect(&server.url, b"h2").await).await;
    let mut stream = follow_over_http2(&mut client, &server, &room, "").await;
    // Longer than the timeout for silent clients.
    for _ in 0..6 {
        within_virtual_seconds(17, read_stream_until(&mut stream, ": heartbeat\n"))
            .await
            .expect("no heartbeat");
    }
}

#[tokio::test]
async fn unread_http_2_response_is_reset_and_the_others_continue() {
    let cert = TestCertificate::new();
    let server = cert.start_server(None).await;
    let ada = cert.client("ada", &server.url, Version::HTTP_11);
    let busy = ada.create_room().await;
    let quiet = ada.create_room().await;
    let (mut client, _) = http2_handshake(cert.connect(&server.url, b"h2").await).await;
    let mut read = follow_over_http2(&mut client, &server, &quiet, "").await;
    let mut stuck = follow_over_http2(&mut client, &server, &busy, "").await;
    for _ in 0..40 {
        ada.post(&busy, &"x".repeat(4_000)).await;
    }
    let mut taken = 0;
    let reset = async {
        loop {
            match stuck
                .data()
                .await
                .expect("the stream ended without a reset")
            {
                Ok(chunk) => taken += chunk.len(),
                Err(reset) => return reset,
            }
        }
    };
    let reset = within_virtual_seconds(70, reset)
        .await
        .expect("the connection is still open");
    assert_eq!(
        (reset.reason(), reset.is_remote()),
        (Some(h2::Reason::CANCEL), true),
        "{reset}"
    );
    assert!(taken <= 65_535, "{taken}");
    ada.post(&quiet, "all is well").await;
    read_stream_until(&mut read, "all is well").await;
}

#[tokio::test]
async fn unread_tls_connection_is_cut_without_delaying_others() {
    let cert = TestCertificate::new();
    let server = cert.start_server(None).await;
    let ada = cert.client("ada", &server.url, Version::HTTP_11);
    let room = ada.create_room().await;
    let mut stuck = cert.connect(&server.url, b"http/1.1").await;
    let get = format!("GET /rooms/{room}/messages/ HTTP/1.1\r\nhost: x\r\n\r\n");
    stuck.write_all(get.as_bytes()).await.unwrap();
    let mut reader = ada.follow(&room, "").await;
    let text = "x".repeat(4_000);
    for n in 1..=3_000 {
        ada.post(&room, &text).await;
        assert_eq!(reader.next_message().await.id, n);
    }
    assert!(
        within_virtual_seconds(45, std::future::pending::<()>())
            .await
            .is_none()
    );
    let taken = timeout(TEST_TIMEOUT, read_until_closed(&mut stuck))
        .await
        .expect("the connection is still open");
    assert!(
        taken < 3_000 * 4_000,
        "the server waited for the reader: {taken}"
    );
}

#[tokio::test]
async fn unfinished_tls_handshake_is_cut_off() {
    let cert = TestCertificate::new();
    let server = cert.start_server(None).await;
    let mut socket = tcp_connect(&server.url).await;
    // The beginning of a ClientHello of 512 bytes.
    socket.write_all(b"\x16\x03\x01\x02\x00\x01").await.unwrap();
    assert_eq!(
        cert.client("ada", &server.url, Version::HTTP_2)
            .get("/healthz", "*/*")
            .await
            .status(),
        200
    );
    assert_eq!(
        within_virtual_seconds(8, read_until_closed(&mut socket)).await,
        None,
        "closed too early"
    );
    assert_eq!(
        within_virtual_seconds(4, read_until_closed(&mut socket)).await,
        Some(0)
    );
}

#[tokio::test]
async fn tls_connection_without_a_request_is_cut_off() {
    let cert = TestCertificate::new();
    let server = cert.start_server(None).await;
    for (protocol, timeout_seconds) in [(&b"h2"[..], 65), (b"http/1.1", 35)] {
        let mut silent = cert.connect(&server.url, protocol).await;
        assert_eq!(
            within_virtual_seconds(28, read_until_closed(&mut silent)).await,
            None
        );
        assert!(
            within_virtual_seconds(timeout_seconds - 28, read_until_closed(&mut silent))
                .await
                .is_some(),
            "{protocol:?}"
        );
    }
    let (client, connection) = http2_handshake(cert.connect(&server.url, b"h2").await).await;
    within_virtual_seconds(65, connection)
        .await
        .expect("the connection is still open")
        .unwrap()
        .unwrap();
    drop(client);
}

#[tokio::test]
async fn shutdown_over_tls_waits_for_requests_and_not_for_idle_connections() {
    let cert = TestCertificate::new();
    let mut server = cert.start_server(None).await;
    let room = cert
        .client("ada", &server.url, Version::HTTP_2)
        .create_room()
        .await;
    let unshaken = tcp_connect(&server.url).await;
    let silent = (
        cert.connect(&server.url, b"h2").await,
        cert.connect(&server.url, b"http/1.1").await,
    );
    let (mut client, _) = http2_handshake(cert.connect(&server.url, b"h2").await).await;
    let post = hyper::Request::post(format!("{}/rooms/{room}/messages/", server.url));
    let post = post
        .header("content-type", "application/json")
        .body(())
        .unwrap();
    let (response, mut body) = client.send_request(post, false).unwrap();
    // When this is answered, the server has read what was sent before.
    let _answered = follow_over_http2(&mut client, &server, &room, "").await;
    let stopped = server.stop();
    body.send_data(r#"{"username":"ada","body":"slow"}"#.into(), true)
        .unwrap();
    assert_eq!(
        timeout(TEST_TIMEOUT, response)
            .await
            .unwrap()
            .unwrap()
            .status(),
        StatusCode::CREATED
    );
    timeout(Duration::from_secs(9), stopped)
        .await
        .expect("the shutdown takes longer")
        .unwrap();
    drop((unshaken, silent));
}
