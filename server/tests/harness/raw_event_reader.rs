//! A reader of event streams that is cheap enough for thousands in one process: it looks at lines
//! and parses nothing.

use std::io;
use std::time::Duration;

use socket2::SockRef;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpSocket, TcpStream};

/// An open event stream.
pub struct RawEventReader {
    lines: BufReader<TcpStream>,
    line: String,
    /// The cursor of the last event.
    pub cursor: Option<String>,
    /// The reconnection delay that the server asks for.
    pub retry: Duration,
}

/// A message as its bytes on the wire.
pub struct RawMessage {
    pub seq: usize,
    pub json: String,
}

impl RawMessage {
    /// The first word of the message's text.
    pub fn word(&self) -> &str {
        let (_, text) = self.json.split_once("\"body\":\"").expect("a message");
        text.split([' ', '"']).next().unwrap_or_default()
    }
}

impl RawEventReader {
    /// Opens a room's stream, from a cursor or from the beginning.
    pub async fn open(url: &str, room: &str, cursor: Option<String>) -> io::Result<Self> {
        let id = cursor
            .as_ref()
            .map(|cursor| format!("last-event-id: {cursor}\r\n"))
            .unwrap_or_default();
        // HTTP/1.0, whose bodies have no chunks between the lines.
        let request = format!("GET /rooms/{room}/messages/ HTTP/1.0\r\nhost: x\r\n{id}\r\n");
        let stream = TcpStream::connect(url.trim_start_matches("http://")).await?;
        let mut reader = Self {
            lines: BufReader::new(stream),
            line: String::new(),
            cursor,
            retry: Duration::ZERO,
        };
        reader.lines.write_all(request.as_bytes()).await?;
        reader.read_line().await?;
        if !reader.line.contains(" 200 ") {
            return Err(io::Error::other(reader.line));
        }
        while !reader.line.trim().is_empty() {
            reader.read_line().await?;
        }
        Ok(reader)
    }

    /// The next message; `None` at the end of the stream.
    pub async fn next(&mut self) -> io::Result<Option<RawMessage>> {
        let mut seq = None;
        while self.read_line().await? > 0 {
            let line = self.line.trim_end();
            if let Some(cursor) = line.strip_prefix("id: ") {
                seq = cursor.split_once('.').and_then(|(_, seq)| seq.parse().ok());
                self.cursor = Some(cursor.to_owned());
            } else if let Some(retry) = line.strip_prefix("retry: ") {
                self.retry = Duration::from_millis(retry.parse().map_err(io::Error::other)?);
            } else if let (Some(json), Some(seq)) = (line.strip_prefix("data: "), seq.take()) {
                return Ok(Some(RawMessage {
                    seq,
                    json: json.to_owned(),
                }));
            } else if line.starts_with("event: ") {
                return Err(io::Error::other(format!("unexpected {line}")));
            }
        }
        Ok(None)
    }

    async fn read_line(&mut self) -> io::Result<usize> {
        self.line.clear();
        self.lines.read_line(&mut self.line).await
    }
}

/// Opens a room's stream and then reads no more of it. Its receive buffer is as small as the system
/// allows.
pub async fn open_stalled_reader(url: &str, room: &str) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    SockRef::from(&socket).set_recv_buffer_size(4_096).unwrap();
    let mut stream = socket
        .connect(url.trim_start_matches("http://").parse().unwrap())
        .await
        .unwrap();
    stream
        .write_all(format!("GET /rooms/{room}/messages/ HTTP/1.1\r\nhost: x\r\n\r\n").as_bytes())
        .await
        .unwrap();
    // The response has begun, so the stream is open.
    assert_eq!(stream.read_u8().await.unwrap(), b'H');
    stream
}
