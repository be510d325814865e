//! Accepting connections, and ending them in order when the server stops.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use axum::Router;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::log_throttle::LogThrottle;
use crate::net::timeouts::CONFIRM_TIMEOUT;
use crate::net::{http1, tls_connection};
use crate::tls::Current;

/// How long to wait when the system has no more descriptors to give.
const EXHAUSTED: Duration = Duration::from_millis(100);

/// Every open connection.
#[derive(Debug, Default)]
pub(crate) struct Connections {
    open: TaskTracker,
    /// Tells them to finish.
    stopping: CancellationToken,
    /// Throttles the log lines about failed accepts.
    refused: LogThrottle,
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
        let served = http1::serve(socket, peer, router.clone(), self.stopping.clone());
        self.open.spawn(async move {
            if let Err(error) = served.await {
                tracing::debug!(error, "a connection broke");
            }
        });
    }

    fn secure(&self, socket: TcpStream, peer: SocketAddr, router: &Router, tls: &Current) {
        if let Err(error) = prepare(&socket) {
            tracing::debug!(%error, "a connection ended before it began");
            return;
        }
        let served = tls_connection::serve(
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

fn prepare(stream: &TcpStream) -> std::io::Result<()> {
    #[cfg(target_os = "linux")]
    socket2::SockRef::from(stream).set_tcp_user_timeout(Some(CONFIRM_TIMEOUT))?;
    stream.set_nodelay(true)
}
