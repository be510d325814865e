//! Connections over HTTP/1.1 without TLS.
//!
//! # Guarantees
//! A client that does not finish its request head, or does not read what it is sent, is cut off and holds nothing. A
//! request whose answer is an event stream ends the HTTP machinery of its connection, with its buffers; the stream owns
//! the socket from then on.
//!
//! # Not here
//! The handling of a request (`router`), event streams (`sse_takeover`), connections over TLS (`tls_connection`).

use std::convert::Infallible;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use hyper::body::Incoming;
use hyper::server::conn::http1::{Builder, UpgradeableConnection};
use hyper::service::{Service, service_fn};
use hyper::{Method, Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio_io_timeout::TimeoutStream;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use crate::middleware::method_override;
use crate::net::body_drain::Unread;
use crate::net::shared_socket::{SharedSocket, Taken};
use crate::net::sse_takeover::Live;
use crate::net::timeouts::{BUFFER_MAX, HEAD_TIMEOUT, READ_TIMEOUT};

/// Serves one connection to its end, or until `stopping` and the requests under way are answered.
pub(crate) async fn serve(
    socket: TcpStream,
    peer: SocketAddr,
    router: Router,
    stopping: CancellationToken,
) -> Result<(), String> {
    let lent = SharedSocket::new(socket);
    let mut stream = TimeoutStream::new(lent.clone());
    stream.set_write_timeout(Some(READ_TIMEOUT));
    let taker = lent.clone();
    let unread = Unread::default();
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
    match requests(Box::pin(http), lent, stopping).await {
        Ok(Some((socket, stream))) => stream.run(socket).await.map_err(|error| error.to_string()),
        Ok(None) => Ok(()),
        Err(error) => Err(error.to_string()),
    }
}

/// A connection on which requests are answered.
type Http<S> = UpgradeableConnection<TokioIo<Pin<Box<TimeoutStream<SharedSocket>>>>, S>;

/// Answers requests to the end of the connection, until `stopping` and what is under way is answered, or until a stream
/// takes the socket.
async fn requests<S>(
    mut http: Pin<Box<Http<S>>>,
    lent: SharedSocket,
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
    lent: &SharedSocket,
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

/// Answers a request. One that is answered by a stream asks for the socket instead, and does not return.
async fn answer(
    router: Router,
    peer: SocketAddr,
    socket: SharedSocket,
    unread: Unread,
    mut request: Request<Incoming>,
) -> Result<Response<Body>, Infallible> {
    request.extensions_mut().insert(ConnectInfo(peer));
    let (version, is_head) = (request.version(), request.method() == Method::HEAD);
    let mut response = router
        .oneshot(method_override::apply(unread.watch(request)))
        .await?;
    match Live::of(&mut response).filter(|_| !is_head) {
        Some(live) => {
            socket.offer_to(live.on(version, &response));
            std::future::pending().await
        }
        None => Ok(unread.settle(response).await),
    }
}
