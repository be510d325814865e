//! The server over TLS: the same responses over HTTP/2 and HTTP/1.1.

mod certificates;
mod https_redirect;
mod requests;
mod streams;
mod timeouts;

use bytes::Bytes;
use reqwest::StatusCode;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::client::TlsStream;

use crate::harness::{TEST_TIMEOUT, TestServer};

pub type Http2Client = h2::client::SendRequest<Bytes>;

/// An HTTP/2 client with a large window for the connection and a small one for each stream.
pub async fn http2_handshake(
    tls: TlsStream<TcpStream>,
) -> (Http2Client, tokio::task::JoinHandle<Result<(), h2::Error>>) {
    let (client, connection) = h2::client::Builder::new()
        .initial_connection_window_size(1 << 24)
        .handshake(tls)
        .await
        .unwrap();
    (client, tokio::spawn(connection))
}

pub async fn follow_over_http2(
    client: &mut Http2Client,
    server: &TestServer,
    room: &str,
    query: &str,
) -> h2::RecvStream {
    let request = hyper::Request::get(format!("{}/rooms/{room}/messages/?{query}", server.url))
        .body(())
        .unwrap();
    let (response, _) = client
        .clone()
        .ready()
        .await
        .unwrap()
        .send_request(request, true)
        .unwrap();
    let response = timeout(TEST_TIMEOUT, response).await.unwrap().unwrap();
    assert_eq!(
        (response.status(), &response.headers()["content-type"]),
        (StatusCode::OK, &"text/event-stream".parse().unwrap())
    );
    response.into_body()
}

/// Reads a stream up to these words.
pub async fn read_stream_until(stream: &mut h2::RecvStream, words: &str) {
    let mut text = String::new();
    while !text.contains(words) {
        let chunk = timeout(TEST_TIMEOUT, stream.data())
            .await
            .unwrap_or_else(|_| panic!("no {words:?} in {text:?}"));
        let chunk = chunk.expect("the stream has ended").unwrap();
        stream.flow_control().release_capacity(chunk.len()).unwrap();
        text.push_str(std::str::from_utf8(&chunk).unwrap());
    }
}
