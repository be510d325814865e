//! A socket that HTTP/1.1 uses until an event stream takes it over.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use crate::net::sse_takeover::PendingStream;

/// A socket with the event stream that takes it over.
pub(crate) struct Takeover {
    pub socket: TcpStream,
    pub stream: PendingStream,
}

/// A socket that hyper reads and writes until an event stream takes it over. Each clone is a handle
/// to the same socket.
#[derive(Clone)]
pub(crate) struct SharedSocket(Arc<Mutex<Shared>>);

struct Shared {
    /// `None` after the takeover.
    socket: Option<TcpStream>,
    /// The stream that waits for the socket.
    stream: Option<PendingStream>,
    /// Whether the system had no room for hyper's last write, so that hyper will repeat it.
    has_unwritten: bool,
}

impl SharedSocket {
    pub(crate) fn new(socket: TcpStream) -> Self {
        Self(Arc::new(Mutex::new(Shared {
            socket: Some(socket),
            stream: None,
            has_unwritten: false,
        })))
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets a stream take the socket over as soon as every earlier response is written.
    pub(crate) fn offer_to(&self, stream: PendingStream) {
        self.lock().stream = Some(stream);
    }

    /// Takes the socket away from hyper, if a stream waits for it and every earlier response is
    /// written.
    pub(crate) fn try_take_over(&self) -> Option<Takeover> {
        let mut shared = self.lock();
        if shared.has_unwritten {
            return None;
        }
        let stream = shared.stream.take()?;
        let socket = shared.socket.take()?;
        Some(Takeover { socket, stream })
    }
}

impl AsyncRead for SharedSocket {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match &mut self.lock().socket {
            Some(socket) => Pin::new(socket).poll_read(context, into),
            None => Poll::Ready(Ok(())),
        }
    }
}

impl AsyncWrite for SharedSocket {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let mut shared = self.lock();
        let Some(socket) = &mut shared.socket else {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        };
        let written = Pin::new(socket).poll_write(context, bytes);
        shared.has_unwritten = written.is_pending();
        written
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        // A TCP socket has no buffer of its own in the process.
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.lock().socket {
            Some(socket) => Pin::new(socket).poll_shutdown(context),
            None => Poll::Ready(Ok(())),
        }
    }
}
