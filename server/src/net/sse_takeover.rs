//! Event streams on sockets of their own.
//!
//! A handler returns a [`StreamResponse`]. The connection then gives the socket to the
//! [`PendingStream`], which writes each piece of the stream as one write. While the stream waits
//! for events, the fan-out writes new messages to the socket directly ([`chat::Sink`]).
//!
//! # Guarantees
//! A stream sends something at least every [`HEARTBEAT`], and ends soon after its client
//! disconnects. A client that does not read is disconnected; until then, the stream holds the rest
//! of one piece and the next piece. An idle stream has no buffer. Over TLS the events are an
//! ordinary body, and `tls_connection` disconnects clients that do not read.
//!
//! # Not here
//! The writing (`sse_socket`), and the events (`stream`).

use std::convert::Infallible;
use std::io;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use axum::body::Body;
use axum::http::header::CONTENT_LENGTH;
use axum::response::Response;
use bytes::Bytes;
use chat::{Sink, StreamCut};
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use hyper::Version;
use protocol::EventName;
use socket2::SockRef;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until, timeout};

use crate::limit::stream_places::StreamPlace;
use crate::net::sse_socket::SseSocket;

/// The longest silence of a stream.
pub(crate) const HEARTBEAT: Duration = Duration::from_secs(15);

/// A heartbeat: a comment, which `EventSource` ignores. No empty line follows, which would end a
/// block without data.
pub(crate) const BEAT: &[u8] = b": heartbeat\n";

/// A heartbeat with an event, for pages, which do not see comments.
pub(crate) static SEEN: LazyLock<String> =
    LazyLock::new(|| ": heartbeat\n".to_owned() + &EventName::Beat.encode("{}"));

/// The size of the system's send buffer, in bytes. It bounds what the system holds for a client
/// that reads slowly.
const SEND_BUFFER: usize = 128 * 1024;

/// Starts the events of a stream. If there is a sink, the events may leave messages to it.
pub(crate) type Events = Box<dyn FnOnce(Option<Arc<dyn Sink>>) -> BoxStream<'static, Bytes> + Send>;

/// The events of a stream that has not started, and its place, which it keeps until it ends.
struct Source {
    events: Events,
    place: StreamPlace,
}

/// An extension of a response whose body is an event stream.
#[derive(Clone)]
pub(crate) struct StreamResponse {
    source: Arc<Mutex<Option<Source>>>,
    beat: &'static [u8],
}

impl StreamResponse {
    /// A stream with these events in its place; `beat` is its heartbeat.
    pub fn new(events: Events, beat: &'static [u8], place: StreamPlace) -> Self {
        Self {
            source: Arc::new(Mutex::new(Some(Source { events, place }))),
            beat,
        }
    }

    /// Takes the event stream out of a response, if it has one. The length of the response's own,
    /// empty body is removed.
    pub fn take_from(response: &mut Response) -> Option<Self> {
        let stream = response.extensions_mut().remove()?;
        response.headers_mut().remove(CONTENT_LENGTH);
        Some(stream)
    }

    /// The events as an ordinary body.
    pub fn into_body(self) -> Body {
        let beat = self.beat;
        let Some(Source { events, place }) = self.take_source() else {
            return Body::empty();
        };
        Body::from_stream(stream::unfold(
            (events(None), place),
            move |(mut events, place)| async move {
                let event = timeout(HEARTBEAT, events.next()).await;
                event
                    .unwrap_or(Some(Bytes::from_static(beat)))
                    .map(|event| (Ok::<_, Infallible>(event), (events, place)))
            },
        ))
    }

    /// The stream with the head of its response, encoded as in
    /// [RFC 9112](https://www.rfc-editor.org/rfc/rfc9112).
    pub fn with_head(self, version: Version, response: &Response) -> PendingStream {
        let is_chunked = version != Version::HTTP_10;
        let mut head = format!("HTTP/1.1 {}\r\n", response.status()).into_bytes();
        for (name, value) in response.headers() {
            head.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
        }
        let date = httpdate::fmt_http_date(SystemTime::now());
        let coding = if is_chunked {
            "transfer-encoding: chunked\r\n"
        } else {
            ""
        };
        head.extend(format!("date: {date}\r\n{coding}connection: close\r\n\r\n").into_bytes());
        PendingStream {
            head: head.into(),
            is_chunked,
            beat: self.beat,
            source: self.take_source(),
        }
    }

    fn take_source(self) -> Option<Source> {
        let mut source = self.source.lock().unwrap_or_else(PoisonError::into_inner);
        source.take()
    }
}

/// An event stream that waits for its socket.
pub(crate) struct PendingStream {
    head: Bytes,
    /// Whether the body is sent in chunks; otherwise the end of the connection ends it.
    is_chunked: bool,
    beat: &'static [u8],
    source: Option<Source>,
}

impl PendingStream {
    /// Writes the stream to its end.
    pub async fn run(self, socket: TcpStream) -> io::Result<()> {
        SockRef::from(&socket).set_send_buffer_size(SEND_BUFFER)?;
        let socket = Arc::new(SseSocket::new(socket, self.is_chunked));
        socket.begin_with(self.head);
        let Some(Source { events, place }) = self.source else {
            return Ok(());
        };
        let mut events = events(Some(socket.clone()));
        let mut heartbeat = std::pin::pin!(sleep_until(Instant::now() + HEARTBEAT));
        loop {
            let event = tokio::select! {
                biased;
                event = events.next() => event,
                Err(error) = socket.flush_for_fan_out() => return Err(counted(error, &place)),
                () = socket.disconnected() => return Ok(()),
                () = &mut heartbeat => {
                    heartbeat.as_mut().reset(Instant::now() + HEARTBEAT);
                    Some(Bytes::from_static(self.beat))
                }
            };
            let Some(event) = event else { break };
            let written = socket.write_piece(event).await;
            written.map_err(|error| counted(error, &place))?;
        }
        let end = socket.end().await;
        drop(place);
        end
    }
}

/// The error, counted if the client did not read.
fn counted(error: io::Error, place: &StreamPlace) -> io::Error {
    if error.kind() == io::ErrorKind::TimedOut {
        place.count_cut(StreamCut::Slow);
    }
    error
}
