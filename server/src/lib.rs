//! The webchat server: its configuration, and chat over HTTP.
//!
//! # Guarantees
//! When the server stops, event streams end, running requests finish (for at most `--drain`), and
//! every accepted message is committed.
//!
//! # Not here
//! The rules and the data (`chat`), and the pages (`app`).

#![recursion_limit = "256"]

mod auth;
pub mod cli;
pub mod config;
mod error;
mod extract;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod limit;
mod log_throttle;
pub mod logging;
mod metrics;
mod middleware;
pub mod net;
mod openapi;
mod respond;
mod router;
mod routes;
mod state;
mod stream;
pub mod tls;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::Router;
use chat::{Chat, Supervisor};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::cli::shutdown::Shutdown;
use crate::config::Config;
use crate::limit::stream_places::StreamPlaces;
use crate::net::client_connections::ConnectionLimits;
use crate::net::connections::Connections;
use crate::net::descriptors;
use crate::openapi::ApiDocument;
use crate::state::AppState;
use crate::tls::{Current, Tls, https_redirect};

/// The server with its data open, ready to serve.
#[derive(Debug)]
pub struct App {
    state: AppState,
    router: Router,
    connections: ConnectionLimits,
    drain: Duration,
    /// With a certificate, the server speaks TLS only.
    tls: Option<Tls>,
    /// The listener that redirects plain HTTP to HTTPS.
    redirect: Option<TcpListener>,
    /// The listener of the numbers for Prometheus, and the name of this node in them.
    metrics: Option<TcpListener>,
    node: String,
}

impl App {
    /// Opens the data and starts the background tasks that maintain it.
    ///
    /// # Errors
    /// A fault with the reason why the data cannot be used.
    pub async fn open(config: &Config) -> Result<Self, chat::Error> {
        Ok(Self::new(Chat::open(config.chat()).await?, config))
    }

    /// A server for an opened chat, with this configuration.
    pub fn new(chat: Chat, config: &Config) -> Self {
        // Leptos renders pages on tokio. The second server of a process, as in tests, gets an error
        // here, because the executor is set already.
        let _ = any_spawner::Executor::init_tokio();
        let (routes, openapi) = router::routes().split_for_parts();
        let connections = ConnectionLimits::new(descriptors::raise_limit(), config);
        let streams = StreamPlaces::new(connections.streams_by_client(), chat.metrics());
        let state = AppState::new(chat, config, streams, ApiDocument::new(openapi));
        Self {
            connections,
            router: router::with_layers(routes, state.clone()),
            state,
            drain: config.drain,
            tls: None,
            redirect: None,
            metrics: None,
            node: config.node_name(),
        }
    }

    /// Serves over TLS only, and redirects requests on the listener `redirect` to HTTPS.
    #[must_use]
    pub fn secure(self, tls: Tls, redirect: Option<TcpListener>) -> Self {
        Self {
            tls: Some(tls),
            redirect,
            ..self
        }
    }

    /// Serves numbers for Prometheus on this listener.
    #[must_use]
    pub fn with_metrics(self, listener: TcpListener) -> Self {
        Self {
            metrics: Some(listener),
            ..self
        }
    }

    /// The supervisor of all background tasks.
    pub fn supervisor(&self) -> &Supervisor {
        self.state.chat.supervisor()
    }

    /// Serves until the shutdown begins, then drains: streams end, requests finish, accepted
    /// messages are committed. The listener is one of [`net::listener::bind`], which sets the
    /// options of the connections.
    ///
    /// # Errors
    /// The drain was begun by a background task that panics repeatedly.
    pub async fn serve(self, listener: TcpListener, shutdown: Shutdown) -> Result<(), String> {
        let state = self.state.clone();
        let drain = self.drain;
        let connections = Connections::new(self.connections.clone(), state.sockets.clone());
        let supervisor = self.supervisor().clone();
        let tasks = self.start_tasks(listener, &connections);
        let outcome = tokio::select! {
            () = shutdown.begin.cancelled() => Ok(()),
            task = supervisor.wait_for_failure() => {
                Err(format!("stopped because the task \"{task}\" panics repeatedly"))
            }
        };
        for task in tasks {
            task.abort();
            // Its listener is closed before the drain begins.
            let _ = task.await;
        }
        state.draining.store(true, Ordering::Relaxed);
        state.chat.drain();
        let drained = async {
            connections.shutdown().await;
            state.sockets.close();
            state.sockets.wait().await;
        };
        tokio::select! {
            drained = tokio::time::timeout(drain, drained) => if drained.is_err() {
                tracing::warn!("some requests did not finish in time");
            },
            () = shutdown.hurry.cancelled() => {}
        }
        state.chat.close().await;
        outcome
    }

    /// Starts the tasks that accept connections and keep the certificate current.
    fn start_tasks(self, listener: TcpListener, connections: &Connections) -> Vec<JoinHandle<()>> {
        let supervisor = self.supervisor().clone();
        let accept = |name, listener: TcpListener, router: Router, tls: Option<Current>| {
            let listener = Arc::new(listener);
            let connections = connections.clone();
            supervisor.spawn(name, move || {
                let connections = connections.clone();
                connections.accept_all(listener.clone(), router.clone(), tls.clone())
            })
        };
        let mut tasks = Vec::new();
        if let Some(listener) = self.metrics {
            let state = &self.state;
            let chat = state.chat.clone();
            let router = metrics::router(chat, &self.node, &state.answers, &state.streams);
            tasks.push(accept("metrics", listener, router, None));
        }
        let port = listener.local_addr().map_or(0, |address| address.port());
        let certificate = self.tls.as_ref().map(Tls::current);
        tasks.push(accept("connections", listener, self.router, certificate));
        let Some(tls) = self.tls else {
            return tasks;
        };
        if let Some(redirect) = self.redirect {
            let router = https_redirect::router(port);
            tasks.push(accept("redirects", redirect, router, None));
        }
        let tls = Arc::new(tokio::sync::Mutex::new(tls));
        tasks.push(supervisor.spawn("certificate", move || {
            let tls = tls.clone();
            async move { tls.lock().await.keep_current().await }
        }));
        tasks
    }
}
