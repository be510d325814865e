//! Accepts connections, and ends them in order when the server stops.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use futures_util::FutureExt;
use socket2::SockRef;
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
        set_options(&listener);
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
        self.track(http1::serve(
            socket,
            peer,
            router.clone(),
            self.stopping.clone(),
        ));
    }

    fn serve_tls(&self, socket: TcpStream, peer: SocketAddr, router: &Router, tls: &Current) {
        self.track(tls_connection::serve(
            socket,
            peer,
            tls.get(),
            router.clone(),
            self.stopping.clone(),
        ));
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

/// Sets the options of a listener, which the sockets of its connections inherit.
fn set_options(listener: &TcpListener) {
    let listener = SockRef::from(listener);
    let set = || {
        #[cfg(target_os = "linux")]
        listener.set_tcp_user_timeout(Some(ACKNOWLEDGE_TIMEOUT))?;
        listener.set_tcp_nodelay(true)
    };
    if let Err(error) = set() {
        tracing::warn!(%error, "cannot set the options of a listening socket");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn connections_inherit_the_options_of_their_listener() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        set_options(&listener);
        let _client = TcpStream::connect(listener.local_addr().unwrap()).await;
        let (socket, _) = listener.accept().await.unwrap();
        assert!(socket.nodelay().unwrap());
        #[cfg(target_os = "linux")]
        assert_eq!(
            SockRef::from(&socket).tcp_user_timeout().unwrap(),
            Some(ACKNOWLEDGE_TIMEOUT)
        );
    }
}
