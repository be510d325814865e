//! Event streams that take their connection over from the HTTP server.

use tokio::io::AsyncReadExt;
use tokio::time::timeout;

use crate::harness::{TEST_TIMEOUT, TestServer};
use crate::http::{RawConnection, get_request};

#[tokio::test]
async fn pipelined_stream_follows_the_earlier_responses() {
    let server = TestServer::new().await;
    let room = server.visitor("ada").create_room().await;
    let stream = format!("/rooms/{room}/messages/");
    let mut connection = RawConnection::open(&server).await;
    connection
        .send(
            &[
                get_request("/healthz"),
                get_request("/openapi.json"),
                get_request(&stream),
            ]
            .concat(),
        )
        .await;
    let responses = connection.read_until("retry: 2000\n\r\n").await;
    assert_eq!(responses.matches("HTTP/1.1 200 OK\r\n").count(), 3);
    let head = responses.rsplit("HTTP/1.1 200 OK\r\n").next().unwrap();
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
        "a proxy may refuse a response with two lengths: {head}"
    );
}

#[tokio::test]
async fn head_request_for_a_stream_keeps_the_connection_open() {
    let server = TestServer::new().await;
    let room = server.visitor("ada").create_room().await;
    let mut connection = RawConnection::open(&server).await;
    connection
        .send(&format!(
            "HEAD /rooms/{room}/messages/ HTTP/1.1\r\nhost: test\r\n\r\n"
        ))
        .await;
    assert!(
        connection
            .read_until("\r\n\r\n")
            .await
            .contains("text/event-stream")
    );
    connection.send(&get_request("/healthz")).await;
    assert!(
        connection
            .read_until("\r\n\r\n")
            .await
            .starts_with("HTTP/1.1 200"),
        "the connection stays open"
    );
}

#[tokio::test]
async fn chunked_stream_ends_with_an_empty_chunk() {
    let mut server = TestServer::new().await;
    let ada = server.visitor("ada");
    let room = ada.create_room().await;
    let mut connection = RawConnection::open(&server).await;
    connection
        .send(&get_request(&format!("/rooms/{room}/messages/")))
        .await;
    connection.read_until("retry: 2000\n\r\n").await;
    ada.post(&room, "hello").await;
    let chunk = connection.read_until("\n\n\r\n").await;
    let (size, frame) = chunk.split_once("\r\n").unwrap();
    assert_eq!(
        usize::from_str_radix(size, 16).unwrap(),
        frame.trim_end_matches("\r\n").len()
    );
    let stopping = server.stop();
    assert!(connection.read_to_end().await.ends_with("\n\r\n0\r\n\r\n"));
    timeout(TEST_TIMEOUT, stopping).await.unwrap().unwrap();
}

#[tokio::test]
async fn http_1_0_client_gets_an_unchunked_stream() {
    let mut server = TestServer::new().await;
    let room = server.visitor("ada").create_room().await;
    let mut connection = RawConnection::open(&server).await;
    connection
        .send(&format!(
            "GET /rooms/{room}/messages/ HTTP/1.0\r\nhost: test\r\n\r\n"
        ))
        .await;
    let head = connection.read_until("\r\n\r\n").await;
    assert!(
        !head.contains("chunked") && !head.contains("content-length"),
        "{head}"
    );
    assert_eq!(connection.read_until("\n").await, "retry: 2000\n");
    let stopping = server.stop();
    let rest = connection.read_to_end().await;
    assert!(
        rest.starts_with("retry: ") && rest.ends_with('\n') && !rest.contains("\n\n"),
        "{rest:?}"
    );
    timeout(TEST_TIMEOUT, stopping).await.unwrap().unwrap();
}

/// The next chunk of a body.
async fn read_chunk(connection: &mut RawConnection) -> String {
    let size = connection.read_until("\r\n").await;
    let mut chunk = vec![0; usize::from_str_radix(size.trim_end(), 16).unwrap() + 2];
    timeout(TEST_TIMEOUT, connection.0.read_exact(&mut chunk))
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
async fn slow_reader_receives_every_byte_in_order() {
    let server = TestServer::new().await;
    let ada = server.visitor("ada");
    let room = ada.create_room().await;
    let mut connection = RawConnection::open(&server).await;
    connection
        .send(&get_request(&format!("/rooms/{room}/messages/")))
        .await;
    connection.read_until("\r\n\r\n").await;
    let mut posted = 0;
    let mut body = String::new();
    for length in [4_000, 1_777] {
        let text = "x".repeat(length);
        // The socket buffers fill up within this loop. From then on writes are partial.
        for _ in 0..2_000_000 / length {
            ada.post(&room, &text).await;
            posted += 1;
            if posted % 3 == 0 {
                body.push_str(&read_chunk(&mut connection).await);
            }
        }
        // A reader that has caught up gets new messages live again.
        while !body.contains(&format!(".{posted}\ndata: ")) {
            body.push_str(&read_chunk(&mut connection).await);
        }
    }
    let ids = body
        .lines()
        .filter_map(|line| line.strip_prefix("id: ")?.split_once('.')?.1.parse().ok());
    assert_eq!(ids.collect::<Vec<u32>>(), (1..=posted).collect::<Vec<_>>());
}
