//! Sends frames over a WebSocket.
//!
//! # Guarantees
//! A client that does not read for [`SILENCE_MAX`] is given up.

use std::time::Duration;

use axum::extract::ws::{Message as Packet, Utf8Bytes, WebSocket};
use bytes::Bytes;
use chat::{Frame, Frames};
use futures_util::SinkExt;
use protocol::{EventName, Message, Problem};
use serde::Serialize;
use tokio::time::timeout;

use crate::stream::socket_end::SocketEnd;

/// How long a client can be silent, or leave a frame unread.
pub(super) const SILENCE_MAX: Duration = Duration::from_secs(60);

/// A message of a direct chat, as its WebSocket has it.
#[derive(Serialize)]
struct DirectMessage<'a> {
    from: &'a str,
    body: &'a str,
    /// Seconds since the Unix epoch.
    sent_at: i64,
}

/// Sends one frame.
pub(super) async fn send(socket: &mut WebSocket, frame: Packet) -> Result<(), SocketEnd> {
    match timeout(SILENCE_MAX, socket.send(frame)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) => Err(SocketEnd::Lost),
        Err(_) => Err(SocketEnd::Unread),
    }
}

/// Sends one text frame for each JSON text, with one flush at the end.
pub(super) async fn send_all(
    socket: &mut WebSocket,
    texts: impl Iterator<Item = Bytes>,
) -> Result<(), SocketEnd> {
    let send = async {
        for json in texts {
            let text = Utf8Bytes::try_from(json).map_err(axum::Error::new)?;
            socket.feed(Packet::Text(text)).await?;
        }
        socket.flush().await
    };
    match timeout(SILENCE_MAX, send).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) => Err(SocketEnd::Lost),
        Err(_) => Err(SocketEnd::Unread),
    }
}

/// Sends the messages of a direct chat, and a ping with their last sequence number. The client's
/// pong confirms that it has received them.
pub(super) async fn send_direct(socket: &mut WebSocket, frames: &Frames) -> Result<(), SocketEnd> {
    let messages: Vec<Message> = frames.messages().collect();
    let texts = messages.iter().map(|message| {
        let direct = DirectMessage {
            from: &message.username,
            body: message.body(),
            sent_at: message.sent_at.millis() / 1_000,
        };
        // Strings and a number always serialize.
        Bytes::from(serde_json::to_vec(&direct).unwrap_or_default())
    });
    send_all(socket, texts).await?;
    let seq = frames.last().to_be_bytes().to_vec();
    send(socket, Packet::Ping(seq.into())).await
}

/// A message as it is, and a change with the name of its event.
pub(crate) fn frame_text(frame: Frame) -> Bytes {
    if frame.is_message {
        frame.json
    } else {
        named_event(EventName::Change, &String::from_utf8_lossy(&frame.json)).into()
    }
}

/// The data of an event, a JSON object, with the event's name as its first field.
pub(super) fn named_event(event: EventName, data: &str) -> String {
    let fields = data.trim_start_matches('{');
    let comma = if fields == "}" { "" } else { "," };
    format!(r#"{{"event":"{}"{comma}{fields}"#, event.text())
}

/// Problem details as a text frame.
pub(super) fn problem_frame(problem: &Problem) -> Packet {
    // Strings and a number always serialize.
    Packet::Text(serde_json::to_string(problem).unwrap_or_default().into())
}
