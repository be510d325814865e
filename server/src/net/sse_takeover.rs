//! Event streams on sockets of their own.
//!
//! A handler answers with a [`Live`] response. The connection then gives the socket to a [`Stream`], which writes what
//! comes, each piece as one write, and idle it holds no buffer at all. While it waits, messages are written to the socket
//! for it ([`chat::Sink`]); what the system has no room for goes before anything else. Promises: it says something at least
//! every [`HEARTBEAT`]; it ends soon after its client hangs up; a client that does not read is cut off, and until then holds
//! the rest of one piece and the one after it. Over TLS the events are an ordinary body instead, and the connection
//! (`secured`) keeps the last two promises. Leaves to others: what is said.

use std::convert::Infallible;
use std::future::poll_fn;
use std::io::{self, IoSlice, Write};
use std::net::Shutdown;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use axum::body::Body;
use axum::http::header::CONTENT_LENGTH;
use axum::response::Response;
use bytes::buf::{Chain, Take};
use bytes::{Buf, Bytes};
use chat::{Frames, Sink};
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use hyper::Version;
use socket2::SockRef;
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until, timeout};

use crate::net::timeouts::READ_TIMEOUT;

/// How long a stream stays silent at most.
pub(crate) const HEARTBEAT: Duration = Duration::from_secs(15);

/// What a stream says only to be heard.
pub(crate) const BEAT: &[u8] = b": heartbeat\n\n";

/// The same for pages, which do not see comments.
pub(crate) const SEEN: &[u8] = b": heartbeat\nevent: beat\ndata: {}\n\n";

/// What the system may hold for a client that reads slowly, in bytes; what is in its own memory is bounded by this too.
const SEND_BUFFER: usize = 128 * 1024;

/// Up to how many bytes it costs less to copy parts together for the system than to let it gather them.
const SHORT: usize = 1024;

/// The events of a stream, which may leave some to the sink, if there is one.
pub(crate) type Events = Box<dyn FnOnce(Option<Arc<dyn Sink>>) -> BoxStream<'static, Bytes> + Send>;

/// What a response says that it is not over: the events that follow its head.
#[derive(Clone)]
pub(crate) struct Live {
    events: Arc<Mutex<Option<Events>>>,
    /// What is said only to be heard.
    beat: &'static [u8],
}

impl Live {
    pub fn new(events: Events, beat: &'static [u8]) -> Self {
        Self {
            events: Arc::new(Mutex::new(Some(events))),
            beat,
        }
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
        Body::from_stream(stream::unfold(
            self.take()(None),
            move |mut events| async move {
                let event = timeout(HEARTBEAT, events.next()).await;
                event
                    .unwrap_or(Some(Bytes::from_static(beat)))
                    .map(|event| (Ok::<_, Infallible>(event), events))
            },
        ))
    }

    /// The answer with its head as it goes over the wire ([RFC 9112](https://www.rfc-editor.org/rfc/rfc9112)).
    pub fn on(self, version: Version, response: &Response) -> Stream {
        let chunked = version != Version::HTTP_10;
        let mut head = format!("HTTP/1.1 {}\r\n", response.status()).into_bytes();
        for (name, value) in response.headers() {
            head.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
        }
        let date = httpdate::fmt_http_date(SystemTime::now());
        let coding = if chunked {
            "transfer-encoding: chunked\r\n"
        } else {
            ""
        };
        head.extend(format!("date: {date}\r\n{coding}connection: close\r\n\r\n").into_bytes());
        Stream {
            head: head.into(),
            chunked,
            beat: self.beat,
            events: self.take(),
        }
    }

    fn take(self) -> Events {
        let events = self
            .events
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        events.unwrap_or_else(|| Box::new(|_| stream::empty().boxed()))
    }
}

/// An event stream that is about to begin.
pub(crate) struct Stream {
    head: Bytes,
    /// Whether the body comes in chunks that say where it ends; otherwise the end of the connection does.
    chunked: bool,
    beat: &'static [u8],
    events: Events,
}

impl Stream {
    /// Writes the stream to its end.
    pub async fn run(self, socket: TcpStream) -> io::Result<()> {
        let Self {
            head,
            chunked,
            beat: said,
            events,
        } = self;
        SockRef::from(&socket).set_send_buffer_size(SEND_BUFFER)?;
        let client = Arc::new(Client {
            socket,
            chunked,
            unsent: Mutex::default(),
            full: Notify::new(),
        });
        client.write(raw(head)).await?;
        let mut events = events(Some(client.clone()));
        let beat = sleep_until(Instant::now() + HEARTBEAT);
        let mut beat = std::pin::pin!(beat);
        loop {
            let event = tokio::select! {
                biased;
                event = events.next() => event,
                Err(error) = client.drained() => return Err(error),
                () = client.hung_up() => return Ok(()),
                () = &mut beat => {
                    beat.as_mut().reset(Instant::now() + HEARTBEAT);
                    Some(Bytes::from_static(said))
                }
            };
            let Some(event) = event else { break };
            client.write(client.chunk(event)).await?;
        }
        let end = if chunked { "0\r\n\r\n" } else { "" };
        client.write(raw(end.into())).await?;
        SockRef::from(&client.socket).shutdown(Shutdown::Write)
    }
}

/// A part of the body with what stands before and after it.
type Chunk = Chain<Chain<Take<io::Cursor<[u8; 20]>>, Bytes>, &'static [u8]>;

fn raw(text: Bytes) -> Chunk {
    io::Cursor::new([0; 20]).take(0).chain(text).chain(&[])
}

/// The client of a stream, at the other end of its socket.
#[derive(Debug)]
struct Client {
    socket: TcpStream,
    chunked: bool,
    /// What is to be written before anything else is.
    unsent: Mutex<Option<Box<Chunk>>>,
    /// That the fan-out has left something unsent.
    full: Notify,
}

impl Client {
    fn unsent(&self) -> MutexGuard<'_, Option<Box<Chunk>>> {
        self.unsent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A part of the body as one chunk; an empty one would end the body.
    fn chunk(&self, text: Bytes) -> Chunk {
        if !self.chunked || text.is_empty() {
            return raw(text);
        }
        let mut size = [0; 20];
        let mut rest = &mut size[..];
        // Every size fits into twenty bytes.
        let _ = write!(rest, "{:x}\r\n", text.len());
        let length = 20 - rest.len();
        io::Cursor::new(size)
            .take(length)
            .chain(text)
            .chain(b"\r\n")
    }

    /// Writes everything, unless the client leaves it unread for too long. No timer runs for clients that keep up.
    async fn write(&self, chunk: Chunk) -> io::Result<()> {
        let all = async {
            loop {
                self.drain().await?;
                let mut unsent = self.unsent();
                // The fan-out may have been faster.
                if unsent.is_none() {
                    *unsent = Some(Box::new(chunk));
                    break;
                }
            }
            self.drain().await
        };
        timeout(READ_TIMEOUT, all).await?
    }

    /// Writes what is unsent.
    async fn drain(&self) -> io::Result<()> {
        while self.flush()? {
            self.socket.writable().await?;
        }
        Ok(())
    }

    /// Writes what the fan-out leaves unsent; returns only when that fails.
    async fn drained(&self) -> io::Result<Infallible> {
        loop {
            self.full.notified().await;
            timeout(READ_TIMEOUT, self.drain()).await??;
        }
    }

    /// Gives the system as much of what is unsent as it has room for; whether something is left.
    fn flush(&self) -> io::Result<bool> {
        let mut unsent = self.unsent();
        if let Some(chunk) = &mut *unsent
            && self.send(chunk.as_mut())?
        {
            return Ok(true);
        }
        *unsent = None;
        Ok(false)
    }

    /// Gives the system as much as it has room for; whether something is left.
    fn send(&self, bytes: &mut impl Buf) -> io::Result<bool> {
        if !bytes.has_remaining() {
            return Ok(false);
        }
        let mut parts = [IoSlice::new(&[]); 3];
        let count = bytes.chunks_vectored(&mut parts);
        let sent = if bytes.remaining() <= SHORT {
            let mut piece = [0; SHORT];
            let mut rest = &mut piece[..];
            parts[..count]
                .iter()
                .try_for_each(|part| rest.write_all(part))?;
            self.socket.try_write(&piece[..bytes.remaining()])
        } else {
            self.socket.try_write_vectored(&parts[..count])
        };
        match sent {
            Ok(sent) => bytes.advance(sent),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
        Ok(bytes.has_remaining())
    }

    /// Returns when the client has ended the connection. What it still says is not listened to.
    async fn hung_up(&self) {
        let mut ignored = [0; 64];
        while poll_fn(|context| self.socket.poll_read_ready(context))
            .await
            .is_ok()
        {
            match self.socket.try_read(&mut ignored) {
                Ok(0) => return,
                Err(error) if error.kind() != io::ErrorKind::WouldBlock => return,
                _ => {}
            }
        }
    }

    /// Takes all of a part of the body, or nothing of it. What the system has no room for is left unsent.
    fn offer(&self, text: Bytes) -> io::Result<bool> {
        let mut unsent = self.unsent();
        if unsent.is_some() {
            return Ok(false);
        }
        let mut chunk = self.chunk(text);
        let whole = chunk.remaining();
        if !self.send(&mut chunk)? {
            return Ok(true);
        }
        let taken = chunk.remaining() < whole;
        if taken {
            *unsent = Some(Box::new(chunk));
            self.full.notify_one();
        }
        Ok(taken)
    }
}

impl Sink for Client {
    fn try_write(&self, frames: &Frames) -> bool {
        // The stream's own write fails, too.
        self.offer(frames.bytes().clone()).unwrap_or(false)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt;
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn nothing_is_written_before_what_was_left() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (peer, accepted) = tokio::join!(
            TcpStream::connect(listener.local_addr().unwrap()),
            listener.accept()
        );
        let (mut peer, socket) = (peer.unwrap(), accepted.unwrap().0);
        let client = Client {
            socket,
            chunked: true,
            unsent: Mutex::default(),
            full: Notify::new(),
        };
        client.socket.writable().await.unwrap();
        let (mut taken, part) = (0, Bytes::from(vec![b'x'; 3_000]));
        let (mut read, mut some) = (0, [0; 4_096]);
        while client.unsent().is_none() {
            if client.offer(part.clone()).unwrap() {
                taken += 1;
            } else {
                // It was full to the last byte.
                read += peer.read(&mut some).await.unwrap();
                client.socket.writable().await.unwrap();
            }
        }
        assert!(!client.offer(part.clone()).unwrap());
        let left = client.unsent().as_ref().unwrap().remaining();
        let sent = taken * (3_000 + "bb8\r\n\r\n".len()) - left;
        while read < sent {
            read += peer.read(&mut some).await.unwrap();
        }
        client.socket.writable().await.unwrap();
        assert!(
            !client.offer(part).unwrap(),
            "there is room now, but not for this"
        );
        client.write(client.chunk("next".into())).await.unwrap();
        drop(client);
        let mut rest = Vec::new();
        peer.read_to_end(&mut rest).await.unwrap();
        assert_eq!(rest.len(), left + "4\r\nnext\r\n".len());
        assert!(rest.ends_with(b"x\r\n4\r\nnext\r\n"));
    }
}
