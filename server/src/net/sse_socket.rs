//! The socket of an event stream, written by its stream and, while that waits, by the fan-out.
//!
//! # Guarantees
//! The pieces of the body are written completely and in order: what the system has no room for is
//! kept, and written before anything else. Writing fails if the client reads nothing for
//! [`READ_TIMEOUT`].

use std::convert::Infallible;
use std::future::poll_fn;
use std::io::{self, IoSlice, Write};
use std::net::Shutdown;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::buf::{Chain, Take};
use bytes::{Buf, BufMut, Bytes, BytesMut};
use chat::{Frames, Sink};
use socket2::SockRef;
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::time::timeout;

use crate::net::timeouts::READ_TIMEOUT;

/// Up to this size, in bytes, copying the parts of a chunk into one buffer costs less than a
/// vectored write.
const COPY_MAX: usize = 1024;

/// Up to this size, in bytes, unsent bytes and the next piece are sent together.
const JOIN_MAX: usize = 4096;

/// The longest header of a chunk, in bytes: the size in hexadecimal and a line break.
const CHUNK_HEADER_MAX: usize = 20;

/// A piece of the body with its chunk header and its line break.
type Chunk = Chain<Chain<Take<io::Cursor<[u8; CHUNK_HEADER_MAX]>>, Bytes>, &'static [u8]>;

/// Both chunks as one.
fn join(mut first: Chunk, mut second: Chunk) -> Chunk {
    let mut both = BytesMut::with_capacity(first.remaining() + second.remaining());
    both.put(&mut first);
    both.put(&mut second);
    unchunked(both.freeze())
}

/// Bytes without a chunk header.
fn unchunked(text: Bytes) -> Chunk {
    io::Cursor::new([0; CHUNK_HEADER_MAX])
        .take(0)
        .chain(text)
        .chain(&[])
}

/// The socket of one event stream.
#[derive(Debug)]
pub(super) struct SseSocket {
    socket: TcpStream,
    is_chunked: bool,
    /// What must be written before anything else.
    unsent: Mutex<Option<Box<Chunk>>>,
    /// Notified when the head, or something of the fan-out, was left unsent.
    has_unsent: Notify,
}

impl SseSocket {
    /// A socket without unsent bytes; with `is_chunked`, each piece of the body is a chunk.
    pub fn new(socket: TcpStream, is_chunked: bool) -> Self {
        Self {
            socket,
            is_chunked,
            unsent: Mutex::default(),
            has_unsent: Notify::new(),
        }
    }

    /// Leaves the head of the response to the write of the first piece, or to
    /// [`Self::flush_for_fan_out`].
    pub fn begin_with(&self, head: Bytes) {
        *self.unsent() = Some(Box::new(unchunked(head)));
        self.has_unsent.notify_one();
    }

    /// Writes a piece of the body.
    pub async fn write_piece(&self, text: Bytes) -> io::Result<()> {
        self.write(self.chunk(text)).await
    }

    fn unsent(&self) -> MutexGuard<'_, Option<Box<Chunk>>> {
        self.unsent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A piece of the body as one chunk. An empty piece is left empty, because an empty chunk would
    /// end the body.
    fn chunk(&self, text: Bytes) -> Chunk {
        if !self.is_chunked || text.is_empty() {
            return unchunked(text);
        }
        let mut header = [0; CHUNK_HEADER_MAX];
        let mut rest = &mut header[..];
        // Every size fits into the header.
        let _ = write!(rest, "{:x}\r\n", text.len());
        let length = CHUNK_HEADER_MAX - rest.len();
        io::Cursor::new(header)
            .take(length)
            .chain(text)
            .chain(b"\r\n")
    }

    /// Writes a chunk after everything unsent. Fails if the client reads nothing for
    /// [`READ_TIMEOUT`]. A client that keeps up needs no timer.
    fn write(&self, chunk: Chunk) -> impl Future<Output = io::Result<()>> + Send {
        // An idle stream needs as much memory as this future, so the chunk is in a box.
        let chunk = Box::new(chunk);
        let write = async move {
            let mut chunk = Some(chunk);
            // The fan-out may leave a chunk after each flush.
            while let Some(unqueued) = chunk.take() {
                chunk = self.queue(unqueued);
                self.flush().await?;
            }
            Ok(())
        };
        async { timeout(READ_TIMEOUT, write).await? }
    }

    /// Makes a chunk the unsent one, or a part of it. Returns the chunk if it finds no place.
    fn queue(&self, chunk: Box<Chunk>) -> Option<Box<Chunk>> {
        let mut unsent = self.unsent();
        match unsent.take() {
            None => *unsent = Some(chunk),
            Some(first) if first.remaining() + chunk.remaining() <= JOIN_MAX => {
                *unsent = Some(Box::new(join(*first, *chunk)));
            }
            first => {
                *unsent = first;
                return Some(chunk);
            }
        }
        None
    }

    /// Ends the body and the server's side of the connection.
    pub async fn end(&self) -> io::Result<()> {
        let last = if self.is_chunked { "0\r\n\r\n" } else { "" };
        self.write(unchunked(last.into())).await?;
        SockRef::from(&self.socket).shutdown(Shutdown::Write)
    }

    /// Writes everything unsent.
    async fn flush(&self) -> io::Result<()> {
        while self.try_flush()? {
            self.socket.writable().await?;
        }
        Ok(())
    }

    /// Writes what [`Self::begin_with`] and the fan-out leave unsent. Returns only when a write
    /// fails.
    pub async fn flush_for_fan_out(&self) -> io::Result<Infallible> {
        loop {
            self.has_unsent.notified().await;
            timeout(READ_TIMEOUT, self.flush()).await??;
        }
    }

    /// Gives the system as much of the unsent chunk as it has room for. Returns whether something
    /// is left.
    fn try_flush(&self) -> io::Result<bool> {
        let mut unsent = self.unsent();
        if let Some(chunk) = &mut *unsent
            && self.send(chunk.as_mut())?
        {
            return Ok(true);
        }
        *unsent = None;
        Ok(false)
    }

    /// Gives the system as many bytes as it has room for. Returns whether some are left.
    fn send(&self, bytes: &mut impl Buf) -> io::Result<bool> {
        if !bytes.has_remaining() {
            return Ok(false);
        }
        let mut parts = [IoSlice::new(&[]); 3];
        let count = bytes.chunks_vectored(&mut parts);
        let sent = if bytes.remaining() <= COPY_MAX {
            let mut copy = [0; COPY_MAX];
            let mut rest = &mut copy[..];
            parts[..count]
                .iter()
                .try_for_each(|part| rest.write_all(part))?;
            self.socket.try_write(&copy[..bytes.remaining()])
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

    /// Returns when the client has ended the connection. What it sends is discarded.
    pub async fn disconnected(&self) {
        let mut discarded = [0; 64];
        while poll_fn(|context| self.socket.poll_read_ready(context))
            .await
            .is_ok()
        {
            match self.socket.try_read(&mut discarded) {
                Ok(0) => return,
                Err(error) if error.kind() != io::ErrorKind::WouldBlock => return,
                _ => {}
            }
        }
    }

    /// Accepts a whole piece of the body, or nothing of it: what the system has no room for becomes
    /// the unsent chunk. Returns whether the piece was accepted.
    fn try_accept(&self, text: Bytes) -> io::Result<bool> {
        let mut unsent = self.unsent();
        if unsent.is_some() {
            return Ok(false);
        }
        let mut chunk = self.chunk(text);
        let size = chunk.remaining();
        if !self.send(&mut chunk)? {
            return Ok(true);
        }
        let is_accepted = chunk.remaining() < size;
        if is_accepted {
            *unsent = Some(Box::new(chunk));
            self.has_unsent.notify_one();
        }
        Ok(is_accepted)
    }
}

impl Sink for SseSocket {
    fn try_write(&self, frames: &Frames) -> bool {
        // After an error, the next write of the stream itself fails too and ends it.
        self.try_accept(frames.bytes().clone()).unwrap_or(false)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt;
    use tokio::net::TcpListener;

    use super::*;

    const PIECE: usize = 3_000;

    /// The socket of a stream, and the client's end of the connection.
    async fn connect() -> (SseSocket, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (peer, accepted) = tokio::join!(
            TcpStream::connect(listener.local_addr().unwrap()),
            listener.accept()
        );
        let (socket, _) = accepted.unwrap();
        socket.writable().await.unwrap();
        (SseSocket::new(socket, true), peer.unwrap())
    }

    #[tokio::test]
    async fn head_comes_before_the_first_piece_of_any_size_and_also_without_one() {
        for size in [None, Some(0), Some(10), Some(JOIN_MAX), Some(100_000)] {
            let (socket, mut peer) = connect().await;
            socket.begin_with("head".into());
            assert!(!socket.try_accept("too early".into()).unwrap());
            let piece = Bytes::from(vec![b'x'; size.unwrap_or_default()]);
            let mut received = vec![0; "head".len()];
            let mut expected = b"head".to_vec();
            if size.is_some() {
                expected.put(socket.chunk(piece.clone()));
                received.resize(expected.len(), 0);
                let write = socket.write_piece(piece);
                let (written, read) = tokio::join!(write, peer.read_exact(&mut received));
                written.unwrap();
                read.unwrap();
            } else {
                tokio::select! {
                    _ = socket.flush_for_fan_out() => panic!("a write failed"),
                    read = peer.read_exact(&mut received) => read.unwrap(),
                };
            }
            assert!(received == expected, "{size:?}");
        }
    }

    #[tokio::test]
    async fn nothing_is_written_before_the_unsent_rest_of_a_chunk() {
        let (socket, mut peer) = connect().await;
        let piece = Bytes::from(vec![b'x'; PIECE]);
        let mut accepted = 0;
        let mut read = 0;
        let mut buffer = [0; 4_096];
        while socket.unsent().is_none() {
            if socket.try_accept(piece.clone()).unwrap() {
                accepted += 1;
            } else {
                // The system's buffer was full to the last byte.
                read += peer.read(&mut buffer).await.unwrap();
                socket.socket.writable().await.unwrap();
            }
        }
        assert!(!socket.try_accept(piece.clone()).unwrap());
        let left = socket.unsent().as_ref().unwrap().remaining();
        let sent = accepted * (PIECE + "bb8\r\n\r\n".len()) - left;
        while read < sent {
            read += peer.read(&mut buffer).await.unwrap();
        }
        socket.socket.writable().await.unwrap();
        assert!(
            !socket.try_accept(piece).unwrap(),
            "a piece was accepted before the unsent chunk was written"
        );
        socket.write_piece("next".into()).await.unwrap();
        drop(socket);
        let mut rest = Vec::new();
        peer.read_to_end(&mut rest).await.unwrap();
        assert_eq!(rest.len(), left + "4\r\nnext\r\n".len());
        assert!(rest.ends_with(b"x\r\n4\r\nnext\r\n"));
    }
}
