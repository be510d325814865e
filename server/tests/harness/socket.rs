//! A WebSocket client.

use futures_util::{SinkExt, StreamExt};
use protocol::Message;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error, Message as Frame};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::{TEST_TIMEOUT, TestServer, TestUser};

/// An open WebSocket.
pub struct TestSocket(pub WebSocketStream<MaybeTlsStream<TcpStream>>);

impl TestSocket {
    pub async fn open(server: &TestServer, path: &str) -> Self {
        Self::open_at(&server.url, path).await
    }

    pub async fn open_at(url: &str, path: &str) -> Self {
        Self(
            connect_async(format!("{}{path}", url.replace("http", "ws")))
                .await
                .unwrap()
                .0,
        )
    }

    /// Opens a socket with the token of a user.
    pub async fn open_as(user: &TestUser, path: &str) -> Result<Self, Box<Error>> {
        let mut request =
            format!("{}{path}", user.url.replace("http", "ws")).into_client_request()?;
        if let Some(token) = &user.token {
            request
                .headers_mut()
                .insert("authorization", format!("Bearer {token}").parse().unwrap());
        }
        Ok(Self(connect_async(request).await?.0))
    }

    pub async fn send_text(&mut self, text: &str) {
        self.0.send(Frame::text(text)).await.unwrap();
    }

    pub async fn next(&mut self) -> Frame {
        loop {
            let frame = tokio::time::timeout(TEST_TIMEOUT, self.0.next())
                .await
                .expect("no event arrived");
            match frame.expect("the socket has ended").unwrap() {
                Frame::Ping(_) | Frame::Pong(_) => {}
                frame => return frame,
            }
        }
    }

    pub async fn next_message(&mut self) -> Message {
        serde_json::from_str(self.next().await.to_text().unwrap()).unwrap()
    }

    /// Sends a close frame. Returns the close frame of the server and what follows it.
    pub async fn close(&mut self) -> (Frame, Option<Result<Frame, Error>>) {
        let close_frame = CloseFrame {
            code: CloseCode::Normal,
            reason: "bye".into(),
        };
        self.0.send(Frame::Close(Some(close_frame))).await.unwrap();
        let response = loop {
            if let frame @ Frame::Close(_) = self.next().await {
                break frame;
            }
        };
        (
            response,
            tokio::time::timeout(TEST_TIMEOUT, self.0.next())
                .await
                .unwrap(),
        )
    }

    pub async fn close_code(&mut self) -> u16 {
        match self.next().await {
            Frame::Close(Some(frame)) => CloseCode::into(frame.code),
            other => panic!("{other:?}"),
        }
    }
}
