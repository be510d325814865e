//! Accepts connections, and ends them in order when the server stops.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use futures_util::FutureExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::log_throttle::LogThrottle;
use crate::net::client_connections::{ClientConnections, ConnectionLimits, ConnectionPlace};
use crate::net::{http1, tls_connection};
use crate::tls::Current;

/// The pause after a failed accept, for example when no file descriptor is free.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// All open connections. It is cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Connections {
    open: TaskTracker,
    clients: ClientConnections,
    /// The open WebSockets, which the connections no longer count.
    sockets: TaskTracker,
    /// Asks the connections to finish.
    stopping: CancellationToken,
    /// Throttles the log lines about failed accepts.
    failed_accepts: Arc<LogThrottle>,
}

impl Connections {
    /// No connection yet, and at most so many beside the open `sockets`.
    pub fn new(limits: ConnectionLimits, sockets: TaskTracker) -> Self {
        Self {
            open: TaskTracker::new(),
            clients: ClientConnections::new(limits),
            sockets,
            stopping: CancellationToken::new(),
            failed_accepts: Arc::default(),
        }
    }

    /// Accepts and serves connections; never returns. With `tls`, all connections are over TLS.
    pub async fn accept_all(
        self,
        listener: Arc<TcpListener>,
        router: Router,
        tls: Option<Current>,
    ) {
        loop {
            match (listener.accept().await, &tls) {
                (Ok((socket, peer)), tls) => self.admit(socket, peer, &router, tls.as_ref()),
                (Err(error), _) => {
                    self.log_failure(&error);
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    fn log_failure(&self, error: &dyn std::fmt::Display) {
        if let Some(failures) = self.failed_accepts.count(Instant::now()) {
            tracing::warn!(%error, failures, "cannot accept connections");
        }
    }

    /// Serves a connection, or closes it at once if there is no place for it.
    fn admit(&self, socket: TcpStream, peer: SocketAddr, router: &Router, tls: Option<&Current>) {
        let Some(place) = self.clients.admit(peer.ip(), self.sockets.len()) else {
            return self.log_failure(&"there are as many as there may be");
        };
        let key = place.key();
        let task = match tls {
            None => self.serve_plain(socket, peer, router, place),
            Some(tls) => self.serve_tls(socket, peer, router, tls, place),
        };
        self.clients.set_task(key, task);
    }

    /// Returns when all requests are answered and all streams have ended.
    pub async fn shutdown(self) {
        self.stopping.cancel();
        self.open.close();
        self.open.wait().await;
    }

    fn serve_plain(
        &self,
        socket: TcpStream,
        peer: SocketAddr,
        router: &Router,
        place: ConnectionPlace,
    ) -> AbortHandle {
        self.track(http1::serve(
            socket,
            peer,
            router.clone(),
            self.stopping.clone(),
            place,
        ))
    }

    fn serve_tls(
        &self,
        socket: TcpStream,
        peer: SocketAddr,
        router: &Router,
        tls: &Current,
        place: ConnectionPlace,
    ) -> AbortHandle {
        self.track(tls_connection::serve(
            socket,
            peer,
            tls.get(),
            router.clone(),
            self.stopping.clone(),
            place,
        ))
    }

    fn track(
        &self,
        connection: impl Future<Output = Result<(), String>> + Send + 'static,
    ) -> AbortHandle {
        // An async block would need twice the memory of the connection.
        let task = self.open.spawn(connection.map(|end| {
            if let Err(error) = end {
                tracing::debug!(error, "a connection failed");
            }
        }));
        task.abort_handle()
    }
}
