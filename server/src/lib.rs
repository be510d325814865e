//! webchat over HTTP: one file a resource, and the configuration of the program.
//!
//! Promises: every route but the redirects is in the OpenAPI document, because there is no other way to add one; every
//! answer carries the security headers; every refusal is problem details, or a page that says the same.

#![recursion_limit = "256"]

mod account;
pub mod acme;
pub mod assets;
mod attempts;
mod caller;
mod carried;
pub mod checkup;
mod code;
pub mod config;
mod connection;
mod direct;
mod docs;
mod error;
mod export;
mod fields;
mod form;
mod guesses;
mod headers;
mod health;
mod home;
mod invitation;
mod limit;
mod lines;
mod live;
mod lobby;
mod member;
mod message;
mod method;
mod moderation;
mod negotiate;
mod openid;
mod origin;
mod overview;
mod pace;
mod page;
mod profile;
mod provider;
mod proxy;
mod redirect;
mod refused;
mod room;
mod secured;
mod settings;
mod several;
pub mod shutdown;
mod socket;
mod stream;
pub mod tls;
mod typing;
mod unread;
mod value;

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{any, get};
use chat::Chat;
use config::Config;
use protocol::{NewRoom, Refusal};
use tokio::net::TcpListener;
use tokio_util::task::TaskTracker;
use tower::ServiceBuilder;
use tower_http::compression::CompressionLayer;
use tower_http::trace::TraceLayer;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::caller::Caller;
use crate::connection::Connections;
use crate::error::{Asked, Error};
use crate::provider::Provider;
use crate::secured::Secure;
use crate::tls::Tls;

/// What every handler can reach; cheap to clone.
#[derive(Clone, Debug)]
pub struct AppState(Arc<Shared>);

/// What is behind an [`AppState`].
#[derive(Debug)]
pub struct Shared {
    /// Rooms and messages.
    pub chat: Chat,
    limits: limit::Limits,
    /// How long a stream of the lobby lasts without a message.
    stream_timeout: Duration,
    draining: AtomicBool,
    /// Open WebSockets, of which the connection no longer knows.
    sockets: TaskTracker,
    /// Whose word counts about where a request comes from.
    proxies: Vec<ipnet::IpNet>,
    /// By whom people can sign in, beside by a password.
    provider: Option<Provider>,
    /// Where browsers find this server, if the operator says so.
    public_url: Option<String>,
}

impl Deref for AppState {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

/// The program, opened and ready to serve.
#[derive(Debug)]
pub struct App {
    state: AppState,
    drain: Duration,
    /// With it everything goes over TLS.
    tls: Option<Tls>,
    /// Where those without TLS are told where to come.
    redirect: Option<TcpListener>,
}

impl App {
    /// Opens the data and starts what keeps it.
    ///
    /// # Errors
    /// A fault that says why the data cannot be used.
    pub async fn open(config: &Config) -> Result<Self, chat::Error> {
        Ok(Self::new(Chat::open(config.chat()).await?, config))
    }

    /// Serves an opened chat, as the configuration says.
    pub fn new(chat: Chat, config: &Config) -> Self {
        // Pages are rendered on tokio. The second server of a process, as in tests, finds that already said.
        let _ = any_spawner::Executor::init_tokio();
        let limits = limit::Limits::new(config.rate_limit);
        let (stream_timeout, proxies) = (config.stream_timeout, config.trusted_proxies.clone());
        let (provider, public_url) = (Provider::of(config), config.public_url.clone());
        let (draining, sockets) = (AtomicBool::new(false), TaskTracker::new());
        let shared = Shared {
            chat,
            limits,
            stream_timeout,
            draining,
            sockets,
            proxies,
            provider,
            public_url,
        };
        Self {
            state: AppState(Arc::new(shared)),
            drain: config.drain,
            tls: None,
            redirect: None,
        }
    }

    /// Serves over TLS only, and sends those who come to `redirect` without it over there.
    #[must_use]
    pub fn secure(self, tls: Tls, redirect: Option<TcpListener>) -> Self {
        Self {
            tls: Some(tls),
            redirect,
            ..self
        }
    }

    /// Serves until `shutdown` is done, then drains: streams end, requests finish, what was posted is committed.
    pub async fn serve(self, listener: TcpListener, shutdown: impl Future<Output = ()>) {
        let (state, drain) = (self.state.clone(), self.drain);
        let connections = Connections::default();
        tokio::select! {
            () = self.listen(listener, &connections) => {}
            () = shutdown => {}
        }
        state.draining.store(true, Ordering::Relaxed);
        state.chat.drain();
        let done = async {
            connections.shutdown().await;
            state.sockets.close();
            state.sockets.wait().await;
        };
        if tokio::time::timeout(drain, done).await.is_err() {
            tracing::warn!("some requests did not finish in time");
        }
        state.chat.close().await;
    }

    /// Takes in connections for good.
    async fn listen(self, listener: TcpListener, connections: &Connections) {
        let port = listener.local_addr().map_or(0, |address| address.port());
        let router = router(self.state);
        let Some(tls) = self.tls else {
            return connections.accept(listener, router, None).await;
        };
        let redirected = async {
            match self.redirect {
                Some(redirect) => connections.accept(redirect, redirect::to(port), None).await,
                None => std::future::pending().await,
            }
        };
        tokio::join!(
            connections.accept(listener, router, Some(tls.current())),
            redirected,
            tls.keep_current()
        );
    }
}

#[derive(OpenApi)]
#[openapi(
    info(title = "webchat", description = "Rooms over HTTP: a room is a log of messages, a client is a cursor on it.",),
    components(schemas(
        NewRoom, room::NewRoomForm, room::Change, room::ChangeForm, invitation::InvitationWish, invitation::InvitationForm
    )),
    modifiers(&Tokens)
)]
struct Api;

/// Describes how a script shows who it is.
struct Tokens;

impl Modify for Tokens {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let bearer = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("JWT")
            .build();
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("token", SecurityScheme::Http(bearer));
    }
}

/// Every route with its description.
fn api() -> OpenApiRouter<AppState> {
    OpenApiRouter::with_openapi(Api::openapi())
        .routes(routes!(home::home))
        .routes(routes!(room::list, room::create))
        .routes(routes!(room::show, room::change, room::close))
        .routes(routes!(settings::show))
        .routes(routes!(code::of_room))
        .routes(routes!(code::of_invitation))
        .routes(routes!(member::list))
        .routes(routes!(member::change, member::remove))
        .routes(routes!(invitation::create, invitation::list))
        .routes(routes!(invitation::take_back))
        .routes(routes!(invitation::show, invitation::accept))
        .routes(routes!(moderation::create, moderation::list))
        .routes(routes!(moderation::pardon))
        .routes(routes!(moderation::audit))
        .routes(routes!(room::named))
        .routes(routes!(message::read, message::post))
        .routes(routes!(message::edit, message::delete))
        .routes(routes!(typing::post))
        .routes(routes!(several::follow))
        .routes(routes!(overview::show))
        .routes(routes!(socket::by_id))
        .routes(routes!(socket::by_name))
        .routes(routes!(account::sign_up_form, account::register))
        .routes(routes!(account::sign_in_form, account::login))
        .routes(routes!(openid::begin))
        .routes(routes!(openid::finish))
        .routes(routes!(account::users))
        .routes(routes!(profile::logout))
        .routes(routes!(profile::show, profile::rename))
        .routes(routes!(profile::change_password))
        .routes(routes!(profile::claim))
        .routes(routes!(profile::unlink))
        .routes(routes!(profile::sign_out_everywhere))
        .routes(routes!(profile::delete))
        .routes(routes!(profile::new_guest))
        .routes(routes!(direct::list))
        .routes(routes!(direct::open))
        .routes(routes!(overview::seen))
        .routes(routes!(lobby::join))
        .routes(routes!(lobby::listen))
        .routes(routes!(lobby::send))
        .routes(routes!(lobby::leave, lobby::remove))
        .routes(routes!(export::archive))
        .routes(routes!(export::transcript))
        .routes(routes!(health::healthz))
        .routes(routes!(health::readyz))
        .routes(routes!(docs::document))
        .routes(routes!(docs::page))
}

/// The whole application: the routes, the redirects to them, and what is around them.
fn router(state: AppState) -> Router {
    let (router, document) = api().split_for_parts();
    let with_slash = document
        .paths
        .paths
        .keys()
        .filter(|path| path.len() > 1 && path.ends_with('/'));
    let router = with_slash.fold(router, |router, path| {
        router.route(path.trim_end_matches('/'), any(add_slash))
    });
    let router = router
        .route("/users/", get(account::users))
        .fallback(elsewhere)
        .method_not_allowed_fallback(async || Error::from(Refusal::MethodNotAllowed));
    let compression = CompressionLayer::new()
        .quality(tower_http::CompressionLevel::Precise(4))
        .compress_when(is_text);
    // One layer for the router, whatever it is made of: each would have every request boxed once more.
    let layers = ServiceBuilder::new()
        // What fails is in the log already, with what a reader of the log needs.
        .layer(TraceLayer::new_for_http().on_failure(()))
        .layer(compression)
        .layer(from_fn_with_state(state.clone(), around));
    router.layer(layers).with_state(state)
}

/// The same address with a slash at its end, for good.
async fn add_slash(request: Request) -> Redirect {
    let uri = request.uri();
    let query = uri
        .query()
        .map(|query| format!("?{query}"))
        .unwrap_or_default();
    Redirect::permanent(&format!("{}/{query}", uri.path()))
}

/// Files of the site, and "not found" for everything else.
async fn elsewhere(State(state): State<AppState>, request: Request) -> Response {
    if let Some(file) = assets::serve(request.method(), request.uri().path(), request.headers()) {
        return file;
    }
    if assets::is_read(request.method()) && negotiate::prefers_html(request.headers()) {
        return match Caller::of(request.headers(), &state).await {
            Ok(Caller(by)) => page::render(&state, &by, request).await,
            Err(error) => error.into_response(),
        };
    }
    Error::from(Refusal::NotFound("page")).into_response()
}

/// What is done before and after every handler: one layer for all of it, since each costs every request.
async fn around(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    proxy::look_through(&state.proxies, &mut request);
    let (asked, secure) = (Asked::of(&request), Secure::of(request.extensions()));
    headers::secure(asked.show(admit(&state, request, next).await), secure)
}

/// Refuses what no handler is to see.
async fn admit(state: &AppState, request: Request, next: Next) -> Response {
    let (path, limits) = (request.uri().path(), &state.limits);
    if state.draining.load(Ordering::Relaxed) && path != "/healthz" {
        return Error::from(Refusal::Draining).into_response();
    }
    match origin::guard(&request).and_then(|()| limits.admit(&request)) {
        Ok(looks) => {
            let answer = next.run(request).await;
            if answer.status() == axum::http::StatusCode::NOT_FOUND {
                looks
                    .into_iter()
                    .for_each(|address| limits.looked_in_vain(address));
            }
            answer
        }
        Err(refusal) => Error::from(refusal).into_response(),
    }
}

/// Pages and JSON are worth compressing; the site's files come compressed, and streams never are.
fn is_text(
    _: axum::http::StatusCode,
    _: axum::http::Version,
    headers: &axum::http::HeaderMap,
    _: &axum::http::Extensions,
) -> bool {
    let kind = headers
        .get(axum::http::header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    kind.starts_with("text/html") || kind.starts_with("application/json")
}
