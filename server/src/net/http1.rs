//! Connections over HTTP/1.1 without TLS.
//!
//! # Guarantees
//! A client that does not finish its request head, or does not read its response, is disconnected.
//! If the response is an event stream, hyper's part in the connection ends and its buffers are
//! freed; the stream owns the socket from then on.
//!
//! # Not here
//! The handling of a request (`router`), event streams (`sse_takeover`), connections over TLS
//! (`tls_connection`).

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
use crate::net::body_drain::UnreadBody;
use crate::net::client_connections::ConnectionPlace;
use crate::net::shared_socket::{SharedSocket, Takeover};
use crate::net::sse_takeover::StreamResponse;
use crate::net::timeouts::{BUFFER_MAX, HEAD_TIMEOUT, READ_TIMEOUT};

/// Serves one connection to its end. After `stopping`, it ends when the running requests are
/// answered.
///
/// An idle stream needs as much memory as this future, so hyper's part of it is in a box.
pub(crate) fn serve(
    socket: TcpStream,
    peer: SocketAddr,
    router: Router,
    stopping: CancellationToken,
    place: ConnectionPlace,
) -> impl Future<Output = Result<(), String>> + Send + 'static {
    let shared = SharedSocket::new(socket);
    let mut stream = TimeoutStream::new(shared.clone());
    stream.set_write_timeout(Some(READ_TIMEOUT));
    let handle = shared.clone();
    let unread = UnreadBody::default();
    let service = service_fn(move |request| {
        answer(
            router.clone(),
            peer,
            handle.clone(),
            unread.clone(),
            request,
        )
    });
    let mut http = Builder::new();
    // Most responses are short. Copying head and body into one buffer costs less than a vectored
    // write of both.
    http.timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .writev(false);
    http.max_buf_size(BUFFER_MAX).max_header_size(BUFFER_MAX);
    let http = http
        .serve_connection(TokioIo::new(Box::pin(stream)), service)
        .with_upgrades();
    serve_to_end(Box::pin(http), shared, stopping, place)
}

/// Answers requests, and then writes the stream that takes the socket over, if there is one.
async fn serve_to_end<S>(
    http: Pin<Box<Http<S>>>,
    shared: SharedSocket,
    stopping: CancellationToken,
    place: ConnectionPlace,
) -> Result<(), String>
where
    S: Service<Request<Incoming>, Response = Response<Body>, Error = Infallible>,
{
    match serve_requests(http, shared, stopping).await {
        Ok(Some(Takeover { socket, stream })) => {
            place.become_stream();
            stream.run(socket).await.map_err(|error| error.to_string())
        }
        Ok(None) => Ok(()),
        Err(error) => Err(error.to_string()),
    }
}

/// The HTTP/1.1 part of a connection.
type Http<S> = UpgradeableConnection<TokioIo<Pin<Box<TimeoutStream<SharedSocket>>>>, S>;

/// Answers requests until the connection ends or a stream takes the socket over. After `stopping`,
/// returns when the running requests are answered.
async fn serve_requests<S>(
    mut http: Pin<Box<Http<S>>>,
    shared: SharedSocket,
    stopping: CancellationToken,
) -> hyper::Result<Option<Takeover>>
where
    S: Service<Request<Incoming>, Response = Response<Body>, Error = Infallible>,
{
    tokio::select! {
        end = poll_fn(|context| poll_requests(http.as_mut(), &shared, context)) => return end,
        () = stopping.cancelled() => http.as_mut().graceful_shutdown(),
    }
    poll_fn(|context| poll_requests(http.as_mut(), &shared, context)).await
}

/// Polls the requests, and then whether a stream can take the socket over.
fn poll_requests<S>(
    http: Pin<&mut Http<S>>,
    shared: &SharedSocket,
    context: &mut Context<'_>,
) -> Poll<hyper::Result<Option<Takeover>>>
where
    S: Service<Request<Incoming>, Response = Response<Body>, Error = Infallible>,
{
    match http.poll(context) {
        Poll::Ready(end) => Poll::Ready(end.map(|()| None)),
        Poll::Pending => shared
            .try_take_over()
            .map_or(Poll::Pending, |takeover| Poll::Ready(Ok(Some(takeover)))),
    }
}

/// Answers a request. If the response is an event stream, requests the takeover of the socket
/// instead, and never completes.
async fn answer(
    router: Router,
    peer: SocketAddr,
    socket: SharedSocket,
    unread: UnreadBody,
    mut request: Request<Incoming>,
) -> Result<Response<Body>, Infallible> {
    request.extensions_mut().insert(ConnectInfo(peer));
    let version = request.version();
    let is_head = request.method() == Method::HEAD;
    let mut response = router
        .oneshot(method_override::apply(unread.watch(request)))
        .await?;
    match StreamResponse::take_from(&mut response).filter(|_| !is_head) {
        Some(stream) => {
            socket.offer_to(stream.with_head(version, &response));
            std::future::pending().await
        }
        None => Ok(unread.settle(response).await),
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;
    use crate::net::client_connections::{ClientConnections, ConnectionLimits};

    #[tokio::test]
    async fn connection_needs_little_memory_of_its_own() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let socket = TcpStream::connect(address).await.unwrap();
        let connections = ClientConnections::new(ConnectionLimits {
            total: 1,
            ..ConnectionLimits::default()
        });
        let place = connections.admit(address.ip(), 0).unwrap();
        let stopping = CancellationToken::new();
        let connection = serve(socket, address, Router::new(), stopping, place);
        let size = size_of_val(&connection);
        assert!(size <= 1_200, "{size} bytes");
    }
}
