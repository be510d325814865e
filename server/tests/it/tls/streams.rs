//! Event streams and sockets over TLS.

use std::time::Duration;

use futures_util::SinkExt;
use reqwest::Version;
use serde_json::json;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message as Frame;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use crate::harness::{EventReader, TEST_TIMEOUT, TestCertificate, TestServer, read_until_frame};
use crate::tls::{follow_over_http2, http2_handshake, read_stream_until};

#[tokio::test]
async fn tls_stream_has_history_and_new_messages_and_ends_on_shutdown() {
    let cert = TestCertificate::new();
    for version in [Version::HTTP_2, Version::HTTP_11] {
        let mut server = cert.start_server(None).await;
        let ada = cert.client("ada", &server.url, version);
        let room = ada.create_room().await;
        ada.post(&room, "before").await;
        let mut stream = ada.follow(&room, "").await;
        assert_eq!(
            (
                stream.response.version(),
                stream.next_message().await.body()
            ),
            (version, "before")
        );
        assert!(!stream.response.headers().contains_key("content-length"));
        ada.post(&room, "now").await;
        assert_eq!(stream.next_message().await.body(), "now");
        let stopped = server.stop();
        assert_eq!(stream.rest().await, []);
        timeout(TEST_TIMEOUT, stopped).await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn one_http_2_connection_carries_many_streams() {
    let cert = TestCertificate::new();
    let server = cert.start_server(None).await;
    let ada = cert.client("ada", &server.url, Version::HTTP_2);
    let room = ada.create_room().await;
    let (mut client, _) = http2_handshake(cert.connect(&server.url, b"h2").await).await;
    let mut streams = Vec::new();
    for _ in 0..20 {
        streams.push(follow_over_http2(&mut client, &server, &room, "").await);
    }
    ada.post(&room, "to all").await;
    for stream in &mut streams {
        read_stream_until(stream, "to all").await;
    }
    assert_eq!(
        client.current_max_send_streams(),
        100,
        "the limit of streams"
    );
}

#[tokio::test]
async fn head_request_for_a_stream_ends_over_http_2() {
    let cert = TestCertificate::new();
    let server = cert.start_server(None).await;
    let room = cert
        .client("ada", &server.url, Version::HTTP_2)
        .create_room()
        .await;
    let (mut client, _) = http2_handshake(cert.connect(&server.url, b"h2").await).await;
    let head = hyper::Request::head(format!("{}/rooms/{room}/messages/", server.url))
        .body(())
        .unwrap();
    let (response, _) = client.send_request(head, true).unwrap();
    let response = timeout(TEST_TIMEOUT, response).await.unwrap().unwrap();
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    assert!(
        timeout(TEST_TIMEOUT, response.into_body().data())
            .await
            .expect("the stream does not end")
            .is_none()
    );
}

#[tokio::test]
async fn http_2_stream_reset_by_its_client_counts_as_leaving() {
    let cert = TestCertificate::new();
    let server = cert.start_server(None).await;
    let ada = cert.client("ada", &server.url, Version::HTTP_11);
    let room = ada.create_room().await;
    let mut reader = ada.follow(&room, "username=ada").await;
    let (mut client, _) = http2_handshake(cert.connect(&server.url, b"h2").await).await;
    let left = follow_over_http2(&mut client, &server, &room, "username=grace").await;
    wait_for_presence(&server, &mut reader, &["ada", "grace"]).await;
    drop(left);
    wait_for_presence(&server, &mut reader, &["ada"]).await;
}

/// Waits until exactly these users are present. The server's clock advances meanwhile.
async fn wait_for_presence(server: &TestServer, reader: &mut EventReader, names: &[&str]) {
    let presence = async {
        loop {
            tokio::select! {
                event = reader.next() => {
                    let event = event.expect("the stream has ended");
                    let data: serde_json::Value = serde_json::from_str(&event.data).unwrap();
                    if event.name == "presence" && data["here"] == json!(names) { return }
                }
                () = tokio::time::sleep(Duration::from_millis(20)) => {
                    for _ in 0..20 { server.clock.advance(Duration::from_millis(500)); }
                }
            }
        }
    };
    timeout(TEST_TIMEOUT, presence)
        .await
        .unwrap_or_else(|_| panic!("{names:?} are never present"));
}

#[tokio::test]
async fn socket_over_tls_carries_messages_and_closes_on_shutdown() {
    let cert = TestCertificate::new();
    let mut server = cert.start_server(None).await;
    let ada = cert.client("ada", &server.url, Version::HTTP_2);
    let room = ada.create_room().await;
    let tls = cert.connect(&server.url, b"http/1.1").await;
    let url = server.url.replace("https", "wss");
    let mut request = format!("{url}/rooms/{room}/socket?username=grace")
        .into_client_request()
        .unwrap();
    request
        .headers_mut()
        .insert("origin", server.url.parse().unwrap());
    let (mut socket, _) = tokio_tungstenite::client_async(request, tls).await.unwrap();
    socket.send(Frame::text("hello")).await.unwrap();
    read_until_frame(&mut socket, |frame| {
        frame.to_text().is_ok_and(|text| text.contains("hello"))
    })
    .await;
    assert_eq!(ada.history(&room, "").await[0].username, "grace");
    let stopped = server.stop();
    read_until_frame(&mut socket, |frame| matches!(frame, Frame::Close(Some(_)))).await;
    timeout(TEST_TIMEOUT, stopped).await.unwrap().unwrap();
}
