//! Connections over TLS: HTTP/2 or HTTP/1.1, as the client prefers.
//!
//! # Guarantees
//! A client that does not finish the handshake, or does not read, is disconnected. When the server
//! stops, running requests finish. Event streams are ordinary bodies here: the bytes are encrypted
//! for each connection, so a stream cannot write to the socket itself.
//!
//! # Not here
//! Certificates (`tls`), and HTTP/2 responses that are not read (`http2_slow_readers`).

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use rustls::ServerConfig;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_io_timeout::TimeoutStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use crate::extract::https::Https;
use crate::middleware::method_override;
use crate::net::body_drain::UnreadBody;
use crate::net::client_connections::ConnectionPlace;
use crate::net::http2_slow_readers::{Requests, watch_reader};
use crate::net::sse_takeover::StreamResponse;
use crate::net::timeouts::{BUFFER_MAX, HANDSHAKE_TIMEOUT, HEAD_TIMEOUT, READ_TIMEOUT};
use crate::tls::H2;
use crate::tls::acme::CHALLENGE;

/// How much the system buffers that it has not yet sent, in bytes.
#[cfg(target_os = "linux")]
const UNSENT_MAX: u32 = 128 * 1024;

/// How long an HTTP/2 client can be silent before the server sends a ping.
const PING_INTERVAL: Duration = Duration::from_secs(30);

/// The longest time for the response to a ping.
const PING_TIMEOUT: Duration = Duration::from_secs(20);

/// The most concurrent requests of one HTTP/2 connection. Each may be an event stream, and all tabs
/// of a browser share the connection.
const REQUESTS_MAX: u32 = 100;

/// How much of one request's body is buffered before its handler reads it, in bytes.
const REQUEST_WINDOW: u32 = 64 * 1024;

/// The same for all requests of a connection together.
const CONNECTION_WINDOW: u32 = 256 * 1024;

type Tls = TlsStream<Pin<Box<TimeoutStream<TcpStream>>>>;

/// Serves one connection to its end. After `stopping`, it ends when the running requests are
/// answered.
pub(crate) async fn serve(
    socket: TcpStream,
    peer: SocketAddr,
    config: Arc<ServerConfig>,
    router: Router,
    stopping: CancellationToken,
    _place: ConnectionPlace,
) -> Result<(), String> {
    let handshake = tokio::select! {
        handshake = timeout(HANDSHAKE_TIMEOUT, accept_tls(socket, config)) => handshake,
        () = stopping.cancelled() => return Ok(()),
    };
    let tls = handshake
        .map_err(|_| "the handshake took too long")?
        .map_err(|error| error.to_string())?;
    let served = match tls.get_ref().1.alpn_protocol() {
        Some(H2) => serve_http2(TokioIo::new(tls), peer, router, stopping).await,
        // The handshake is the whole response to an ACME challenge.
        Some(CHALLENGE) => Ok(()),
        _ => serve_http1(TokioIo::new(tls), peer, router, stopping).await,
    };
    served.map_err(|error| error.to_string())
}

async fn accept_tls(socket: TcpStream, config: Arc<ServerConfig>) -> std::io::Result<Tls> {
    #[cfg(target_os = "linux")]
    socket2::SockRef::from(&socket).set_tcp_notsent_lowat(UNSENT_MAX)?;
    let mut socket = TimeoutStream::new(socket);
    socket.set_write_timeout(Some(READ_TIMEOUT));
    TlsAcceptor::from(config).accept(Box::pin(socket)).await
}

async fn serve_http1(
    socket: TokioIo<Tls>,
    peer: SocketAddr,
    router: Router,
    stopping: CancellationToken,
) -> hyper::Result<()> {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT);
    http.max_buf_size(BUFFER_MAX).max_header_size(BUFFER_MAX);
    let unread = UnreadBody::default();
    let service = service_fn(move |request| {
        let answer = answer(router.clone(), peer, unread.watch(request));
        let unread = unread.clone();
        async move { Ok::<_, Infallible>(unread.settle(answer.await?).await) }
    });
    let mut http = pin!(http.serve_connection(socket, service).with_upgrades());
    tokio::select! {
        end = http.as_mut() => return end,
        () = stopping.cancelled() => http.as_mut().graceful_shutdown(),
    }
    http.await
}

async fn serve_http2(
    socket: TokioIo<Tls>,
    peer: SocketAddr,
    router: Router,
    stopping: CancellationToken,
) -> hyper::Result<()> {
    let requests = Requests::default();
    let service = service_fn(move |request: Request<Incoming>| {
        let answer = answer(router.clone(), peer, request.map(Body::new));
        async { Ok::<_, Infallible>(answer.await?.map(watch_reader)) }
    });
    let mut http = pin!(http2_builder(&requests).serve_connection(socket, service));
    let mut is_shutting_down = false;
    loop {
        tokio::select! {
            end = http.as_mut() => return end,
            // A client that has sent no request may not even speak HTTP/2, so hyper's shutdown
            // could wait for it without end.
            () = stopping.cancelled(), if !is_shutting_down => {
                if requests.are_none_yet() {
                    return Ok(());
                }
            }
            // An idle client that ignores the shutdown has nothing to finish.
            () = requests.wait_until_idle() => {
                if is_shutting_down {
                    return Ok(());
                }
            }
        }
        http.as_mut().graceful_shutdown();
        is_shutting_down = true;
    }
}

/// HTTP/2 with a bound for everything that a client could make grow. hyper itself bounds the
/// requests that a client resets immediately.
fn http2_builder(requests: &Requests) -> http2::Builder<Requests> {
    let mut http = http2::Builder::new(requests.clone());
    http.timer(TokioTimer::new())
        .keep_alive_interval(PING_INTERVAL)
        .keep_alive_timeout(PING_TIMEOUT)
        .max_concurrent_streams(REQUESTS_MAX)
        .max_header_list_size(BUFFER_MAX as u32)
        .max_send_buf_size(BUFFER_MAX)
        .initial_stream_window_size(REQUEST_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW);
    http
}

async fn answer(
    router: Router,
    peer: SocketAddr,
    mut request: Request<Body>,
) -> Result<Response<Body>, Infallible> {
    request.extensions_mut().insert(ConnectInfo(peer));
    request.extensions_mut().insert(Https(true));
    let is_head = request.method() == Method::HEAD;
    let mut response = router.oneshot(method_override::apply(request)).await?;
    if let Some(stream) = StreamResponse::take_from(&mut response).filter(|_| !is_head) {
        *response.body_mut() = stream.into_body();
    }
    Ok(response)
}
