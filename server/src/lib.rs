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
mod limit;
mod log_throttle;
mod middleware;
mod net;
mod openapi;
mod respond;
mod router;
mod routes;
mod state;
mod stream;
pub mod tls;

use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::Router;
use chat::Chat;
use tokio::net::TcpListener;

use crate::config::Config;
use crate::net::connections::Connections;
use crate::openapi::ApiDocument;
use crate::state::AppState;
use crate::tls::{Tls, https_redirect};

/// The server with its data open, ready to serve.
#[derive(Debug)]
pub struct App {
    state: AppState,
    router: Router,
    drain: Duration,
    /// With a certificate, the server speaks TLS only.
    tls: Option<Tls>,
    /// The listener that redirects plain HTTP to HTTPS.
    redirect: Option<TcpListener>,
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
        let state = AppState::new(chat, config, ApiDocument::new(openapi));
        Self {
            router: router::with_layers(routes, state.clone()),
            state,
            drain: config.drain,
            tls: None,
            redirect: None,
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

    /// Serves until `shutdown` completes, then drains: streams end, requests finish, accepted
    /// messages are committed.
    pub async fn serve(self, listener: TcpListener, shutdown: impl Future<Output = ()>) {
        let state = self.state.clone();
        let drain = self.drain;
        let connections = Connections::default();
        tokio::select! {
            () = self.listen(listener, &connections) => {}
            () = shutdown => {}
        }
        state.draining.store(true, Ordering::Relaxed);
        state.chat.drain();
        let drained = async {
            connections.shutdown().await;
            state.sockets.close();
            state.sockets.wait().await;
        };
        if tokio::time::timeout(drain, drained).await.is_err() {
            tracing::warn!("some requests did not finish in time");
        }
        state.chat.close().await;
    }

    /// Accepts connections; never returns.
    async fn listen(self, listener: TcpListener, connections: &Connections) {
        let port = listener.local_addr().map_or(0, |address| address.port());
        let Some(tls) = self.tls else {
            return connections.accept_all(listener, self.router, None).await;
        };
        let redirecting = async {
            match self.redirect {
                Some(redirect) => {
                    let router = https_redirect::router(port);
                    connections.accept_all(redirect, router, None).await;
                }
                None => std::future::pending().await,
            }
        };
        tokio::join!(
            connections.accept_all(listener, self.router, Some(tls.current())),
            redirecting,
            tls.keep_current()
        );
    }
}
