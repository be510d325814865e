//! Connections: accepted, given their limits of patience, and ended in order.
//!
//! Promises: a client that does not finish its request head, or does not read what it is sent, is cut off and holds
//! nothing. A request whose answer is an event stream ends the HTTP machinery of its connection, with its buffers; the
//! socket is the stream's from then on. Leaves to others: everything inside a request, inside a stream (`live`), and inside
//! a connection over TLS (`secured`).

use std::convert::Infallible;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use hyper::body::Incoming;
use hyper::server::conn::http1::{Builder, UpgradeableConnection};
use hyper::service::{Service, service_fn};
use hyper::{Method, Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio_io_timeout::TimeoutStream;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

use crate::lines::Lines;
use crate::live::{Live, Stream};
use crate::tls::Current;
use crate::unread::Unread;
use crate::{method, secured};

/// How long a client may take for the head of a request, and stay silent between two.
pub(crate) const HEAD_TIMEOUT: Duration = Duration::from_secs(30);

/// How long a client may leave what it was sent unread, once the system's buffers for it are full.
pub(crate) const READ_TIMEOUT: Duration = Duration::from_secs(30);

/// How long what was sent may stay unconfirmed by the other machine: one that has lost its network says no farewell, and
/// is noticed by the heartbeat that it does not confirm.
#[cfg(target_os = "linux")]
const CONFIRM_TIMEOUT: Duration = Duration::from_secs(45);

/// How much a connection buffers at most, and so the largest head of a request, in bytes.
pub(crate) const BUFFER_MAX: usize = 64 * 1024;

/// How long to wait when the system has no more descriptors to give.
const EXHAUSTED: Duration = Duration::from_millis(100);

/// Every open connection.
#[derive(Debug, Default)]
pub(crate) struct Connections {
    open: TaskTracker,
    /// Tells them to finish.
    stopping: CancellationToken,
    /// Lines in the log about those that the system does not give.
    refused: Lines,
}

impl Connections {
    /// Accepts and serves connections for good: over TLS, if there is a certificate.
    pub async fn accept(&self, listener: TcpListener, router: Router, tls: Option<Current>) {
        loop {
            match (listener.accept().await, &tls) {
                (Ok((socket, peer)), None) => self.serve(socket, peer, &router),
                (Ok((socket, peer)), Some(tls)) => self.secure(socket, peer, &router, tls),
                (Err(error), _) => {
                    if let Some(refused) = self.refused.count(Instant::now()) {
                        tracing::warn!(%error, refused, "cannot accept connections");
                    }
                    tokio::time::sleep(EXHAUSTED).await;
                }
            }
        }
    }

    /// Returns when every request is answered and every stream has said its last.
    pub async fn shutdown(self) {
        self.stopping.cancel();
        self.open.close();
        self.open.wait().await;
    }

    fn serve(&self, socket: TcpStream, peer: SocketAddr, router: &Router) {
        if let Err(error) = prepare(&socket) {
            tracing::debug!(%error, "a connection ended before it began");
            return;
        }
        let lent = Lent::new(socket);
        let mut stream = TimeoutStream::new(lent.clone());
        stream.set_write_timeout(Some(READ_TIMEOUT));
        let (router, taker, unread) = (router.clone(), lent.clone(), Unread::default());
        let service = service_fn(move |request| {
            answer(router.clone(), peer, taker.clone(), unread.clone(), request)
        });
        let mut http = Builder::new();
        // Most answers are short: to copy head and body together costs less than to have the system gather them.
        http.timer(TokioTimer::new())
            .header_read_timeout(HEAD_TIMEOUT)
            .writev(false);
        http.max_buf_size(BUFFER_MAX).max_header_size(BUFFER_MAX);
        let http = http
            .serve_connection(TokioIo::new(Box::pin(stream)), service)
            .with_upgrades();
        let requests = requests(Box::pin(http), lent, self.stopping.clone());
        self.open.spawn(async move {
            let end = match requests.await {
                Ok(Some((socket, stream))) => {
                    stream.run(socket).await.map_err(|error| error.to_string())
                }
                Ok(None) => Ok(()),
                Err(error) => Err(error.to_string()),
            };
            if let Err(error) = end {
                tracing::debug!(error, "a connection broke");
            }
        });
    }

    fn secure(&self, socket: TcpStream, peer: SocketAddr, router: &Router, tls: &Current) {
        if let Err(error) = prepare(&socket) {
            tracing::debug!(%error, "a connection ended before it began");
            return;
        }
        let served = secured::serve(
            socket,
            peer,
            tls.get(),
            router.clone(),
            self.stopping.clone(),
        );
        self.open.spawn(async move {
            if let Err(error) = served.await {
                tracing::debug!(error, "a connection broke");
            }
        });
    }
}

/// A connection on which requests are answered.
type Http<S> = UpgradeableConnection<TokioIo<Pin<Box<TimeoutStream<Lent>>>>, S>;

/// A socket with the stream that goes on there.
type Taken = (TcpStream, Stream);

/// Answers requests to the end of the connection, until `stopping` and what is under way is answered, or until a stream
/// takes the socket.
async fn requests<S>(
    mut http: Pin<Box<Http<S>>>,
    lent: Lent,
    stopping: CancellationToken,
) -> hyper::Result<Option<Taken>>
where
    S: Service<Request<Incoming>, Response = Response<Body>, Error = Infallible>,
{
    tokio::select! {
        end = poll_fn(|context| turn(http.as_mut(), &lent, context)) => return end,
        () = stopping.cancelled() => http.as_mut().graceful_shutdown(),
    }
    poll_fn(|context| turn(http.as_mut(), &lent, context)).await
}

fn turn<S>(
    http: Pin<&mut Http<S>>,
    lent: &Lent,
    context: &mut Context<'_>,
) -> Poll<hyper::Result<Option<Taken>>>
where
    S: Service<Request<Incoming>, Response = Response<Body>, Error = Infallible>,
{
    match http.poll(context) {
        Poll::Ready(end) => Poll::Ready(end.map(|()| None)),
        Poll::Pending => lent
            .take()
            .map_or(Poll::Pending, |taken| Poll::Ready(Ok(Some(taken)))),
    }
}

fn prepare(stream: &TcpStream) -> std::io::Result<()> {
    #[cfg(target_os = "linux")]
    socket2::SockRef::from(stream).set_tcp_user_timeout(Some(CONFIRM_TIMEOUT))?;
    stream.set_nodelay(true)
}

/// Answers a request. One that is answered by a stream asks for the socket instead, and does not return.
async fn answer(
    router: Router,
    peer: SocketAddr,
    socket: Lent,
    unread: Unread,
    mut request: Request<Incoming>,
) -> Result<Response<Body>, Infallible> {
    request.extensions_mut().insert(ConnectInfo(peer));
    let (version, is_head) = (request.version(), request.method() == Method::HEAD);
    let mut response = router.oneshot(method::meant(unread.watch(request))).await?;
    match Live::of(&mut response).filter(|_| !is_head) {
        Some(live) => {
            socket.lock().taker = Some(live.on(version, &response));
            std::future::pending().await
        }
        None => Ok(unread.settle(response).await),
    }
}

/// A socket that is lent to the HTTP machinery until a stream asks for it.
#[derive(Clone)]
struct Lent(Arc<Mutex<Loan>>);

struct Loan {
    /// `None` once a stream has it.
    socket: Option<TcpStream>,
    taker: Option<Stream>,
    /// Whether the machinery still has to write what the system had no room for.
    owes: bool,
}

impl Lent {
    fn new(socket: TcpStream) -> Self {
        Self(Arc::new(Mutex::new(Loan {
            socket: Some(socket),
            taker: None,
            owes: false,
        })))
    }

    fn lock(&self) -> MutexGuard<'_, Loan> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the socket back if a stream asks for it and every earlier answer is written.
    fn take(&self) -> Option<Taken> {
        let mut loan = self.lock();
        if loan.owes {
            return None;
        }
        let taker = loan.taker.take()?;
        Some((loan.socket.take()?, taker))
    }
}

impl AsyncRead for Lent {
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

impl AsyncWrite for Lent {
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
