//! HTTP/1.1 on the wire, byte by byte.

mod body_formats;
mod hosts;
mod idle_connections;
mod malformed_requests;
mod stream_takeover;
mod unread_bodies;
mod unusual_text;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::harness::{TEST_TIMEOUT, TestServer};

/// A TCP connection that sends and receives raw bytes.
pub struct RawConnection(TcpStream);

impl RawConnection {
    pub async fn open(server: &TestServer) -> Self {
        Self(
            TcpStream::connect(server.url.trim_start_matches("http://"))
                .await
                .unwrap(),
        )
    }

    pub async fn send(&mut self, text: &str) {
        self.0.write_all(text.as_bytes()).await.unwrap();
    }

    /// Reads up to `end`, and includes it.
    pub async fn read_until(&mut self, end: &str) -> String {
        let mut text = Vec::new();
        while !text.ends_with(end.as_bytes()) {
            let byte = timeout(TEST_TIMEOUT, self.0.read_u8()).await;
            text.push(
                byte.unwrap_or_else(|_| {
                    panic!("no {end:?} after {:?}", String::from_utf8_lossy(&text))
                })
                .unwrap(),
            );
        }
        String::from_utf8(text).unwrap()
    }

    /// Reads up to the end of the connection.
    async fn read_to_end(&mut self) -> String {
        let mut text = String::new();
        timeout(TEST_TIMEOUT, self.0.read_to_string(&mut text))
            .await
            .unwrap()
            .unwrap();
        text
    }
}

pub fn get_request(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: test\r\n\r\n")
}
