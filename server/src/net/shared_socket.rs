//! A socket that HTTP/1.1 uses until an event stream takes it over.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use crate::net::sse_takeover::Stream;

/// A socket with the stream that goes on there.
pub(crate) type Taken = (TcpStream, Stream);

/// A socket that is lent to the HTTP machinery until a stream asks for it.
#[derive(Clone)]
pub(crate) struct SharedSocket(Arc<Mutex<Loan>>);

struct Loan {
    /// `None` once a stream has it.
    socket: Option<TcpStream>,
    taker: Option<Stream>,
    /// Whether the machinery still has to write what the system had no room for.
    owes: bool,
}

impl SharedSocket {
    pub(crate) fn new(socket: TcpStream) -> Self {
        Self(Arc::new(Mutex::new(Loan {
            socket: Some(socket),
            taker: None,
            owes: false,
        })))
    }

    fn lock(&self) -> MutexGuard<'_, Loan> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets a stream take the socket over when every earlier answer is written.
    pub(crate) fn offer_to(&self, stream: Stream) {
        self.lock().taker = Some(stream);
    }

    /// Takes the socket back if a stream asks for it and every earlier answer is written.
    pub(crate) fn take(&self) -> Option<Taken> {
        let mut loan = self.lock();
        if loan.owes {
            return None;
        }
        let taker = loan.taker.take()?;
        Some((loan.socket.take()?, taker))
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
        let mut loan = self.lock();
        let Some(socket) = &mut loan.socket else {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        };
        let written = Pin::new(socket).poll_write(context, bytes);
        loan.owes = written.is_pending();
        written
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        // A TCP socket holds nothing back.
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.lock().socket {
            Some(socket) => Pin::new(socket).poll_shutdown(context),
            None => Poll::Ready(Ok(())),
        }
    }
}
