//! Connections: accepted, given their limits of patience, and ended in order.
//!
//! Promises: a client that does not finish its request head, or does not read what it is sent, is cut off and holds
//! nothing. Leaves to others: everything inside a request.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio_io_timeout::TimeoutStream;
use tower::ServiceExt;

/// How long a client may take for the head of a request, and stay silent between two.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);

/// How long a client may leave what it was sent unread, once the system's buffers for it are full.
const READ_TIMEOUT: Duration = Duration::from_secs(30);

/// How long what was sent may stay unconfirmed by the other machine: one that has lost its network says no farewell, and
/// is noticed by the heartbeat that it does not confirm.
#[cfg(target_os = "linux")]
const CONFIRM_TIMEOUT: Duration = Duration::from_secs(45);

/// How much a connection buffers at most, and so the largest head of a request, in bytes.
const BUFFER_MAX: usize = 64 * 1024;

/// How long to wait when the system has no more descriptors to give.
const EXHAUSTED: Duration = Duration::from_millis(100);

/// Accepts and serves connections until `shutdown` is done; gives back those that are still open.
pub(crate) async fn accept(
    listener: TcpListener,
    router: Router,
    shutdown: impl Future<Output = ()>,
) -> GracefulShutdown {
    let open = GracefulShutdown::new();
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut shutdown => return open,
        };
        match accepted {
            Ok((stream, peer)) => serve(stream, peer, &router, &open),
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(EXHAUSTED).await;
            }
        }
    }
}

fn prepare(stream: &TcpStream) -> std::io::Result<()> {
    #[cfg(target_os = "linux")]
    socket2::SockRef::from(stream).set_tcp_user_timeout(Some(CONFIRM_TIMEOUT))?;
    stream.set_nodelay(true)
}

fn serve(stream: TcpStream, peer: SocketAddr, router: &Router, open: &GracefulShutdown) {
    if let Err(error) = prepare(&stream) {
        tracing::debug!(%error, "a connection ended before it began");
        return;
    }
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(READ_TIMEOUT));
    let service = router.clone().map_request(move |mut request: hyper::Request<hyper::body::Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        request
    });
    let mut http = Builder::new(TokioExecutor::new()).http1_only();
    http.http1().timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT).max_buf_size(BUFFER_MAX);
    let connection =
        http.serve_connection_with_upgrades(TokioIo::new(Box::pin(stream)), TowerToHyperService::new(service));
    let connection = open.watch(connection.into_owned());
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a connection broke");
        }
    });
}
