//! Connections over TLS: HTTP/2 and HTTP/1.1, as the client likes.
//!
//! Promises: whoever does not finish the handshake is cut off, and so is whoever does not read; when the server stops,
//! requests finish. Event streams are bodies like others here: their bytes are encrypted for each connection anyway, so
//! there is no socket to hand them. Leaves to others: certificates (`tls`), requests over HTTP/2 that do not get on (`pace`).

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{HeaderValue, header};
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
use crate::net::body_drain::Unread;
use crate::net::http2_slow_readers::{Requests, paced};
use crate::net::sse_takeover::Live;
use crate::net::timeouts::{BUFFER_MAX, HANDSHAKE_TIMEOUT, HEAD_TIMEOUT, READ_TIMEOUT};
use crate::tls::H2;
use crate::tls::acme::CHALLENGE;

/// How much the system may hold that is not yet on its way to the client, in bytes.
#[cfg(target_os = "linux")]
const UNSENT_MAX: u32 = 128 * 1024;

/// How long an HTTP/2 client may be silent before it is asked whether it is there, and how long it may take to say so.
const ASK: (Duration, Duration) = (Duration::from_secs(30), Duration::from_secs(20));

/// Requests under way on one HTTP/2 connection. Each may be an event stream, and all tabs of a browser share it.
const REQUESTS_MAX: u32 = 100;

/// How much of a body is taken in before anybody asks for it, in bytes: for one request, and for all of a connection.
const TAKEN_MAX: (u32, u32) = (64 * 1024, 256 * 1024);

type Tls = TlsStream<Pin<Box<TimeoutStream<TcpStream>>>>;

/// Serves one connection to its end, or until `stopping` and what is under way is answered.
pub(crate) async fn serve(
    socket: TcpStream,
    peer: SocketAddr,
    config: Arc<ServerConfig>,
    router: Router,
    stopping: CancellationToken,
) -> Result<(), String> {
    let shaken = tokio::select! {
        shaken = timeout(HANDSHAKE_TIMEOUT, shake(socket, config)) => shaken,
        () = stopping.cancelled() => return Ok(()),
    };
    let tls = shaken
        .map_err(|_| "the handshake took too long")?
        .map_err(|error| error.to_string())?;
    let served = match tls.get_ref().1.alpn_protocol() {
        Some(H2) => http2(TokioIo::new(tls), peer, router, stopping).await,
        // Whoever looks whether a domain leads here has seen it.
        Some(CHALLENGE) => Ok(()),
        _ => http1(TokioIo::new(tls), peer, router, stopping).await,
    };
    served.map_err(|error| error.to_string())
}

async fn shake(socket: TcpStream, config: Arc<ServerConfig>) -> std::io::Result<Tls> {
    #[cfg(target_os = "linux")]
    socket2::SockRef::from(&socket).set_tcp_notsent_lowat(UNSENT_MAX)?;
    let mut socket = TimeoutStream::new(socket);
    socket.set_write_timeout(Some(READ_TIMEOUT));
    TlsAcceptor::from(config).accept(Box::pin(socket)).await
}

async fn http1(
    socket: TokioIo<Tls>,
    peer: SocketAddr,
    router: Router,
    stopping: CancellationToken,
) -> hyper::Result<()> {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT);
    http.max_buf_size(BUFFER_MAX).max_header_size(BUFFER_MAX);
    let unread = Unread::default();
    let service = service_fn(move |request| {
        let (answer, unread) = (
            answer(router.clone(), peer, unread.watch(request)),
            unread.clone(),
        );
        async move { Ok::<_, Infallible>(unread.settle(answer.await?).await) }
    });
    let mut http = pin!(http.serve_connection(socket, service).with_upgrades());
    tokio::select! {
        end = http.as_mut() => return end,
        () = stopping.cancelled() => http.as_mut().graceful_shutdown(),
    }
    http.await
}

async fn http2(
    socket: TokioIo<Tls>,
    peer: SocketAddr,
    router: Router,
    stopping: CancellationToken,
) -> hyper::Result<()> {
    let requests = Requests::default();
    let service = service_fn(move |request: Request<Incoming>| {
        let answer = answer(router.clone(), peer, request.map(Body::new));
        async { Ok::<_, Infallible>(answer.await?.map(paced)) }
    });
    let mut http = pin!(builder(&requests).serve_connection(socket, service));
    let mut asked_to_go = false;
    loop {
        tokio::select! {
            end = http.as_mut() => return end,
            // Who has not asked for anything may not even speak HTTP/2.
            () = stopping.cancelled(), if !asked_to_go => if requests.are_none_yet() { return Ok(()) },
            // Who was asked to go and is still there has nothing to finish.
            () = requests.rest() => if asked_to_go { return Ok(()) },
        }
        http.as_mut().graceful_shutdown();
        asked_to_go = true;
    }
}

/// Bounds for everything that a client of HTTP/2 could make grow. What it resets at once is counted by hyper.
fn builder(requests: &Requests) -> http2::Builder<Requests> {
    let mut http = http2::Builder::new(requests.clone());
    http.timer(TokioTimer::new())
        .keep_alive_interval(ASK.0)
        .keep_alive_timeout(ASK.1)
        .max_concurrent_streams(REQUESTS_MAX)
        .max_header_list_size(BUFFER_MAX as u32)
        .max_send_buf_size(BUFFER_MAX)
        .initial_stream_window_size(TAKEN_MAX.0)
        .initial_connection_window_size(TAKEN_MAX.1);
    http
}

async fn answer(
    router: Router,
    peer: SocketAddr,
    mut request: Request<Body>,
) -> Result<Response<Body>, Infallible> {
    name_host(&mut request);
    request.extensions_mut().insert(ConnectInfo(peer));
    request.extensions_mut().insert(Https(true));
    let is_head = request.method() == Method::HEAD;
    let mut response = router.oneshot(method_override::apply(request)).await?;
    if let Some(live) = Live::of(&mut response).filter(|_| !is_head) {
        *response.body_mut() = live.body();
    }
    Ok(response)
}

/// HTTP/2 names the host in the address; handlers look for it where HTTP/1.1 has it.
fn name_host<B>(request: &mut Request<B>) {
    if request.headers().contains_key(header::HOST) {
        return;
    }
    if let Some(host) = request
        .uri()
        .authority()
        .and_then(|host| HeaderValue::from_str(host.as_str()).ok())
    {
        request.headers_mut().insert(header::HOST, host);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_is_where_handlers_look_for_it() {
        let mut request = Request::get("https://chat.example:8443/rooms/")
            .body(())
            .unwrap();
        name_host(&mut request);
        assert_eq!(request.headers()[header::HOST], "chat.example:8443");
        let mut request = Request::get("/rooms/")
            .header(header::HOST, "other.example")
            .body(())
            .unwrap();
        name_host(&mut request);
        assert_eq!(request.headers()[header::HOST], "other.example");
    }
}
