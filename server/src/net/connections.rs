//! Accepts connections, and ends them in order when the server stops.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use futures_util::FutureExt;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::log_throttle::LogThrottle;
#[cfg(target_os = "linux")]
use crate::net::timeouts::ACKNOWLEDGE_TIMEOUT;
use crate::net::{http1, tls_connection};
use crate::tls::Current;

/// The pause after a failed accept, for example when no file descriptor is free.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// All open connections. It is cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Connections {
    open: TaskTracker,
    /// Asks the connections to finish.
    stopping: CancellationToken,
    /// Throttles the log lines about failed accepts.
    failed_accepts: Arc<LogThrottle>,
}

impl Connections {
    /// Accepts and serves connections; never returns. With `tls`, all connections are over TLS.
    pub async fn accept_all(
        self,
        listener: Arc<TcpListener>,
        router: Router,
        tls: Option<Current>,
    ) {
        loop {
            match (listener.accept().await, &tls) {
                (Ok((socket, peer)), None) => self.serve_plain(socket, peer, &router),
                (Ok((socket, peer)), Some(tls)) => self.serve_tls(socket, peer, &router, tls),
                (Err(error), _) => {
                    if let Some(failures) = self.failed_accepts.count(Instant::now()) {
                        tracing::warn!(%error, failures, "cannot accept connections");
                    }
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    /// Returns when all requests are answered and all streams have ended.
    pub async fn shutdown(self) {
        self.stopping.cancel();
        self.open.close();
        self.open.wait().await;
    }

    fn serve_plain(&self, socket: TcpStream, peer: SocketAddr, router: &Router) {
        if set_options(&socket) {
            self.track(http1::serve(
                socket,
                peer,
                router.clone(),
                self.stopping.clone(),
            ));
        }
    }

    fn serve_tls(&self, socket: TcpStream, peer: SocketAddr, router: &Router, tls: &Current) {
        if set_options(&socket) {
            self.track(tls_connection::serve(
                socket,
                peer,
                tls.get(),
                router.clone(),
                self.stopping.clone(),
            ));
        }
    }

    fn track(&self, connection: impl Future<Output = Result<(), String>> + Send + 'static) {
        // An async block would need twice the memory of the connection.
        self.open.spawn(connection.map(|end| {
            if let Err(error) = end {
                tracing::debug!(error, "a connection failed");
            }
        }));
    }
}

/// Whether the options of a new socket could be set; otherwise its client has disconnected.
fn set_options(socket: &TcpStream) -> bool {
    let set = || -> std::io::Result<()> {
        #[cfg(target_os = "linux")]
        socket2::SockRef::from(socket).set_tcp_user_timeout(Some(ACKNOWLEDGE_TIMEOUT))?;
        socket.set_nodelay(true)
    };
    if let Err(error) = set() {
        tracing::debug!(%error, "a connection ended before its first byte");
        return false;
    }
    true
}
