//! Event streams, of one room or several, and over WebSocket.

use futures_util::StreamExt;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message as Frame;

use super::room_socket::open_socket;
use super::{ANSWER_PATIENCE, Follower, SILENCE_MAX, Transport};
use crate::Failure;
use crate::writers::describe;

impl Follower {
    pub(super) async fn follow_stream(&mut self) -> Result<(), Failure> {
        let path = match self.transport {
            Transport::Events => format!("{}/messages/", self.room_path()),
            _ => self.rooms_path(),
        };
        let mut request = self.http.get(format!("{}{path}", self.url));
        if let Some(cursor) = &self.cursor {
            request = request.header("last-event-id", cursor);
        }
        let mut response = match timeout(ANSWER_PATIENCE, request.send()).await? {
            Ok(response) => response,
            Err(error) => {
                self.failed(&describe(&error));
                return Err(error.into());
            }
        };
        if response.status() != 200 {
            let status = response.status().as_u16();
            return Err(self.refused(status, &response.text().await?));
        }
        let mut parser = Parser::default();
        while let Some(chunk) = timeout(SILENCE_MAX, response.chunk()).await?? {
            self.hear_bytes(&mut parser, &chunk)?;
        }
        Ok(())
    }

    pub(super) async fn follow_stream_socket(&mut self) -> Result<(), Failure> {
        let mut path = self.rooms_path();
        if let Some(cursor) = &self.cursor {
            path += &format!("&last_event_id={cursor}");
        }
        let mut socket = open_socket(self, &path).await?;
        let mut parser = Parser::default();
        while let Some(frame) = timeout(SILENCE_MAX, socket.next()).await? {
            if let Frame::Text(text) = frame? {
                self.hear_bytes(&mut parser, text.as_bytes())?;
            }
        }
        Ok(())
    }

    fn hear_bytes(&mut self, parser: &mut Parser, bytes: &[u8]) -> Result<(), Failure> {
        parser.0.extend_from_slice(bytes);
        while let Some(event) = parser.next_event()? {
            match event.name.as_str() {
                "" => self.hear(&event.data),
                name => self.hear_event(name, &event.data),
            }
            // The cursor moves after the event.
            self.cursor = event.id.or(self.cursor.take());
        }
        Ok(())
    }
}

/// The beginning of an event that has not arrived completely.
#[derive(Default)]
struct Parser(Vec<u8>);

#[derive(Default)]
struct Event {
    /// Empty for a message.
    name: String,
    id: Option<String>,
    data: String,
}

impl Parser {
    fn next_event(&mut self) -> Result<Option<Event>, Failure> {
        let Some(end) = self.0.windows(2).position(|two| two == b"\n\n") else {
            return Ok(None);
        };
        let block: Vec<u8> = self.0.drain(..end + 2).collect();
        let mut event = Event::default();
        for line in std::str::from_utf8(&block)?.lines() {
            match line.split_once(": ") {
                Some(("event", name)) => event.name = name.to_owned(),
                Some(("id", id)) => event.id = Some(id.to_owned()),
                Some(("data", data)) => event.data += data,
                _ => {}
            }
        }
        Ok(Some(event))
    }
}
