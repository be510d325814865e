//! A reader of event streams that parses them as the standard says.

use protocol::Message;
use reqwest::{Response, StatusCode};

use super::TEST_TIMEOUT;

/// One event of a stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Event {
    pub name: String,
    pub id: Option<String>,
    pub data: String,
}

impl Event {
    pub fn message(&self) -> Message {
        assert_eq!(self.name, "message", "{self:?}");
        serde_json::from_str(&self.data).unwrap()
    }
}

/// Parses a block, which must carry data.
fn parse_block(block: &str) -> Event {
    let mut event = Event {
        name: "message".to_owned(),
        ..Event::default()
    };
    for line in block.lines() {
        match line.split_once(": ") {
            Some(("event", name)) => name.clone_into(&mut event.name),
            Some(("id", id)) => event.id = Some(id.to_owned()),
            Some(("data", data)) if event.data.is_empty() => data.clone_into(&mut event.data),
            Some(("data", data)) => event.data.extend(["\n", data]),
            _ => {}
        }
    }
    assert!(!event.data.is_empty(), "a block without data: {block:?}");
    event
}

/// A client of an event stream.
pub struct EventReader {
    pub response: Response,
    buffer: Vec<u8>,
}

impl EventReader {
    pub fn new(response: Response) -> Self {
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self {
            response,
            buffer: Vec::new(),
        }
    }

    /// The next event; `None` at the end of the stream. Every block must carry data.
    pub async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(block) = self.block() {
                return Some(parse_block(&block));
            }
            let chunk = tokio::time::timeout(TEST_TIMEOUT, self.response.chunk())
                .await
                .expect("no event arrived");
            self.buffer.extend(chunk.unwrap()?);
        }
    }

    pub async fn next_message(&mut self) -> Message {
        self.next().await.expect("the stream has ended").message()
    }

    /// Reads until the stream ends.
    pub async fn rest(mut self) -> Vec<Event> {
        let mut events = Vec::new();
        while let Some(event) = self.next().await {
            events.push(event);
        }
        events
    }

    fn block(&mut self) -> Option<String> {
        let end = self.buffer.windows(2).position(|two| two == b"\n\n")?;
        let block = self.buffer.drain(..end + 2).collect();
        Some(String::from_utf8(block).unwrap())
    }
}
