//! Event streams on sockets of their own.
//!
//! A handler answers with a [`Live`] response. The connection then gives the socket to a [`Stream`], which writes what
//! comes, each piece as one write, and idle it holds no buffer at all. Promises: it says something at
//! least every [`HEARTBEAT`]; it ends soon after its client hangs up; a client that does not read is cut off, and nothing
//! is asked for on its behalf meanwhile. Over TLS the events are an ordinary body instead, and the connection (`secured`)
//! keeps the last two promises. Leaves to others: what is said.

use std::convert::Infallible;
use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use axum::body::Body;
use axum::http::header::CONTENT_LENGTH;
use axum::response::Response;
use bytes::{Buf, Bytes};
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use hyper::Version;
use tokio::io::{self, AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::time::{Instant, sleep_until, timeout};

use crate::connection::READ_TIMEOUT;

/// How long a stream stays silent at most.
pub(crate) const HEARTBEAT: Duration = Duration::from_secs(15);

/// What a stream says only to be heard.
pub(crate) const BEAT: &[u8] = b": heartbeat\n\n";

/// The same for pages, which do not see comments.
pub(crate) const SEEN: &[u8] = b": heartbeat\nevent: beat\ndata: {}\n\n";

/// What the system may hold for a client that reads slowly, in bytes; what is in its own memory is bounded by this too.
const SEND_BUFFER: usize = 128 * 1024;

/// Up to how many bytes it costs less to copy a chunk together for the system than to let it gather the parts.
const SHORT: usize = 1024;

/// What ends a chunk.
const CHUNK_END: &[u8] = b"\r\n";

/// What a response says that it is not over: the events that follow its head.
#[derive(Clone)]
pub(crate) struct Live {
    events: Arc<Mutex<Option<BoxStream<'static, Bytes>>>>,
    /// What is said only to be heard.
    beat: &'static [u8],
}

impl Live {
    pub fn new(events: BoxStream<'static, Bytes>, beat: &'static [u8]) -> Self {
        Self { events: Arc::new(Mutex::new(Some(events))), beat }
    }

    /// Takes the events out of a response, if it has any. Without them its body is empty, and its head says so.
    pub fn of(response: &mut Response) -> Option<Self> {
        let live = response.extensions_mut().remove()?;
        response.headers_mut().remove(CONTENT_LENGTH);
        Some(live)
    }

    /// The events as the body of an answer that goes through the HTTP machinery.
    pub fn body(self) -> Body {
        let beat = self.beat;
        Body::from_stream(stream::unfold(self.take(), move |mut events| async move {
            let event = timeout(HEARTBEAT, events.next()).await;
            event.unwrap_or(Some(Bytes::from_static(beat))).map(|event| (Ok::<_, Infallible>(event), events))
        }))
    }

    /// The answer with its head as it goes over the wire ([RFC 9112](https://www.rfc-editor.org/rfc/rfc9112)).
    pub fn on(self, version: Version, response: &Response) -> Stream {
        let chunked = version != Version::HTTP_10;
        let mut head = format!("HTTP/1.1 {}\r\n", response.status()).into_bytes();
        for (name, value) in response.headers() {
            head.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
        }
        let date = httpdate::fmt_http_date(SystemTime::now());
        let coding = if chunked { "transfer-encoding: chunked\r\n" } else { "" };
        head.extend(format!("date: {date}\r\n{coding}connection: close\r\n\r\n").into_bytes());
        Stream { head: head.into(), chunked, beat: self.beat, events: self.take() }
    }

    fn take(self) -> BoxStream<'static, Bytes> {
        let events = self.events.lock().unwrap_or_else(PoisonError::into_inner).take();
        events.unwrap_or_else(|| stream::empty().boxed())
    }
}

/// An event stream that is about to begin.
pub(crate) struct Stream {
    head: Bytes,
    /// Whether the body comes in chunks that say where it ends; otherwise the end of the connection does.
    chunked: bool,
    beat: &'static [u8],
    events: BoxStream<'static, Bytes>,
}

impl Stream {
    /// Writes the stream to its end.
    pub async fn run(self, mut socket: TcpStream) -> io::Result<()> {
        let Self { head, chunked, beat: said, mut events } = self;
        socket2::SockRef::from(&socket).set_send_buffer_size(SEND_BUFFER)?;
        let (mut client, mut socket) = socket.split();
        write(&mut socket, head).await?;
        let mut next_beat = Instant::now() + HEARTBEAT;
        let beat = sleep_until(next_beat);
        let mut beat = std::pin::pin!(beat);
        loop {
            let event = tokio::select! {
                biased;
                event = events.next() => event,
                () = hung_up(&mut client) => return Ok(()),
                () = &mut beat => {
                    // What was said meanwhile has put it off.
                    if Instant::now() < next_beat {
                        beat.as_mut().reset(next_beat);
                        continue;
                    }
                    Some(Bytes::from_static(said))
                }
            };
            let Some(event) = event else { break };
            say(&mut socket, chunked, event).await?;
            next_beat = Instant::now() + HEARTBEAT;
        }
        if chunked {
            write(&mut socket, &b"0\r\n\r\n"[..]).await?;
        }
        socket.shutdown().await
    }
}

/// Writes a part of the body as one chunk; an empty one would end the body.
async fn say(socket: &mut WriteHalf<'_>, chunked: bool, text: Bytes) -> io::Result<()> {
    if !chunked || text.is_empty() {
        return write(socket, text).await;
    }
    let mut size = [0; 20];
    let mut rest = &mut size[..];
    write!(rest, "{:x}\r\n", text.len())?;
    let written = 20 - rest.len();
    let size = &size[..written];
    let sent = send(socket, &[size, &text, CHUNK_END])?;
    let mut chunk = Buf::chain(Buf::chain(size, text), CHUNK_END);
    chunk.advance(sent);
    if chunk.has_remaining() { write(socket, chunk).await } else { Ok(()) }
}

/// Gives the system these parts as one piece, if they are short, and tells how much of it was taken. Nothing waits here.
fn send(socket: &WriteHalf<'_>, parts: &[&[u8]]) -> io::Result<usize> {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    if length > SHORT {
        return Ok(0);
    }
    let mut piece = [0; SHORT];
    let mut rest = &mut piece[..];
    parts.iter().try_for_each(|part| rest.write_all(part))?;
    match socket.try_write(&piece[..length]) {
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(0),
        sent => sent,
    }
}

/// Writes everything, unless the client leaves it unread for too long. No timer runs for clients that keep up.
async fn write(socket: &mut WriteHalf<'_>, mut bytes: impl Buf) -> io::Result<()> {
    timeout(READ_TIMEOUT, socket.write_all_buf(&mut bytes)).await?
}

/// Returns when the client has ended the connection. What it still says is not listened to.
async fn hung_up(client: &mut ReadHalf<'_>) {
    let mut ignored = [0; 64];
    while !matches!(client.read(&mut ignored).await, Ok(0) | Err(_)) {}
}
