//! The WebSocket of a room.

use futures_util::StreamExt;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::{Error, Message as Frame};

use super::{ANSWER_PATIENCE, Follower, SILENCE_MAX};
use crate::Failure;

impl Follower {
    pub(super) async fn follow_room_socket(&mut self) -> Result<(), Failure> {
        let path = format!("{}/socket?after={}", self.room_path(), self.heard()[0]);
        let mut socket = open_socket(self, &path).await?;
        while let Some(frame) = timeout(SILENCE_MAX, socket.next()).await? {
            if let Frame::Text(text) = frame? {
                self.hear_frame(&text);
            }
        }
        Ok(())
    }

    fn hear_frame(&self, text: &str) {
        let json: Result<serde_json::Value, _> = serde_json::from_str(text);
        match json.as_ref().map(|json| json["event"].as_str()) {
            Ok(Some(name)) => self.hear_event(name, text),
            _ => self.hear(text),
        }
    }
}

/// Opens a WebSocket at a path.
pub(super) async fn open_socket(
    follower: &Follower,
    path: &str,
) -> Result<WebSocketStream<TcpStream>, Failure> {
    let host = follower.url.trim_start_matches("http://");
    let open = async {
        let stream = TcpStream::connect(host).await?;
        tokio_tungstenite::client_async(format!("ws://{host}{path}"), stream).await
    };
    match timeout(ANSWER_PATIENCE, open).await? {
        Ok((socket, _)) => Ok(socket),
        Err(Error::Http(response)) => {
            let body = response.body().clone().unwrap_or_default();
            Err(follower.refused(response.status().as_u16(), &String::from_utf8_lossy(&body)))
        }
        Err(error) => {
            follower.failed(&error.to_string());
            Err(error.into())
        }
    }
}
