//! Pages: what the app needs to know is found here, then the app draws it.
//!
//! Promises: every page is fresh, brings the strict policy it works under, and has the status of what it shows. Leaves
//! to others: which addresses are pages (`room`, `home`), and everything one sees (`app`).

use std::net::IpAddr;

use app::{HomeContent, InitialState, PageContent, RoomSnapshot, Route, Visitor};
use axum::extract::Request;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, COOKIE, SET_COOKIE, VARY,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use chat::{Chat, Person, RoomsPage};
use leptos::nonce::use_nonce;
use leptos::prelude::{expect_context, provide_context};
use leptos_axum::ResponseOptions;
use protocol::{Overview, Problem, Refusal, RoomId};

use crate::extract::caller::account_of;
use crate::extract::cookies::guest_cookie;
use crate::extract::payload::Fields;
use crate::limit;
use crate::respond::assets;
use crate::state::AppState;

/// How many open rooms a room's page brings along; the rest comes once it is alive.
const BESIDE: usize = 12;

/// The app's page for an address.
pub async fn render(state: &AppState, by: &Person, request: Request) -> Response {
    let page = Route::from_path(request.uri().path());
    draw(state, by, page, request).await
}

/// A page of the app, wherever it was asked for.
pub async fn draw(state: &AppState, by: &Person, page: Route, request: Request) -> Response {
    // The request's body must not be waited beside.
    let (uri, peer, visitor) = (
        request.uri().clone(),
        limit::peer(&request),
        signed(by, visitor(request.headers())),
    );
    let opening = match opening(state, by, page, &uri, peer, visitor).await {
        Ok(opening) => opening,
        Err(error) => return crate::error::Error::from(error).into_response(),
    };
    let status =
        StatusCode::from_u16(opening.content.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let key = key(state, by);
    let prepare = move || {
        let nonce = use_nonce()
            .map(|nonce| nonce.to_string())
            .unwrap_or_default();
        let options = expect_context::<ResponseOptions>();
        options.set_status(status);
        options.insert_header(CONTENT_SECURITY_POLICY, policy(&nonce));
        options.insert_header(VARY, HeaderValue::from_static("Accept, Cookie"));
        options.insert_header(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(key) = &key {
            options.append_header(SET_COOKIE, key.clone());
        }
        provide_context(opening.clone());
    };
    let draw = || app::app_page(&assets::urls());
    leptos_axum::render_app_async_with_context(prepare, draw)(request).await
}

/// A key for whoever comes with nothing, by which to hold a name and to belong to rooms: as the cookie that it is kept in.
pub(crate) fn key(state: &AppState, by: &Person) -> Option<HeaderValue> {
    let key = if *by == Person::Anonymous {
        state.chat.issue_guest_token().ok()
    } else {
        None
    };
    key.and_then(|key| HeaderValue::from_str(&guest_cookie(&key)).ok())
}

/// A page that says what a problem document says, for browsers that sent a form or asked for `place`.
pub fn problem(problem: &Problem, place: Option<&str>) -> Response {
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let next = place
        .map(|place| format!("?next={}", app::percent_encode(place)))
        .unwrap_or_default();
    let sign_in = (problem.title == Refusal::NotSignedIn.title()).then(|| format!("/login{next}"));
    plain(status, app::problem_page(problem, &assets::urls(), sign_in))
}

/// A page without the app.
pub(crate) fn plain(status: StatusCode, html: String) -> Response {
    let headers = [
        (
            CONTENT_TYPE,
            HeaderValue::from_static("text/html; charset=utf-8"),
        ),
        (CONTENT_SECURITY_POLICY, policy("")),
        (VARY, HeaderValue::from_static("Accept, Cookie")),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (status, headers, html).into_response()
}

/// Everything that a page is drawn from.
async fn opening(
    state: &AppState,
    by: &Person,
    page: Route,
    uri: &Uri,
    peer: Option<IpAddr>,
    visitor: Visitor,
) -> Result<InitialState, chat::Error> {
    let (chat, scene) = (&state.chat, scene(&state.chat, by, page, uri).await?);
    let (mut overview, mut open) = (Overview::default(), Vec::new());
    if page != Route::NotFound {
        let limit = if page == Route::Home {
            RoomsPage::default().limit
        } else {
            BESIDE
        };
        // The cookie says which, so it is a way to guess like any other.
        let mut visits = state.known_rooms(by, peer, &visitor.visits).await?;
        // A room that is entered is one of those visited, and beside itself from the beginning.
        visits.extend(scene.room());
        overview = chat.load_overview(by, &visits).await?;
        open = chat
            .list_public_rooms(RoomsPage { after: None, limit })
            .await?;
    }
    Ok(InitialState {
        now: app::now(),
        visitor,
        overview,
        public_rooms: open,
        route: page,
        content: scene,
    })
}

/// What a page shows.
async fn scene(
    chat: &Chat,
    by: &Person,
    page: Route,
    uri: &Uri,
) -> Result<PageContent, chat::Error> {
    match page {
        Route::Home => Ok(PageContent::Home(home(uri)?)),
        Route::Room(id) => room(chat, by, id).await,
        Route::NotFound => Ok(PageContent::NotFound),
    }
}

fn home(uri: &Uri) -> Result<HomeContent, Refusal> {
    let query = Fields::decode(uri.query().unwrap_or_default())?;
    Ok(HomeContent {
        rejected_link: query.text("room")?.map(str::to_owned),
    })
}

async fn room(chat: &Chat, by: &Person, id: RoomId) -> Result<PageContent, chat::Error> {
    match arrive(chat, by, id).await {
        Ok(arrival) => Ok(PageContent::Room(arrival)),
        Err(chat::Error::Refusal(refusal)) => Ok(PageContent::Refused(refusal.problem())),
        Err(fault) => Err(fault),
    }
}

async fn arrive(chat: &Chat, by: &Person, id: RoomId) -> Result<RoomSnapshot, chat::Error> {
    Ok(RoomSnapshot {
        room: chat.find_room(by, &id).await?,
        messages: chat
            .list_messages(by, &id, chat::MessagesPage::default())
            .await?,
    })
}

/// The visitor with the account of whoever is signed in.
fn signed(by: &Person, visitor: Visitor) -> Visitor {
    match by.account() {
        Some(member) => visitor.signed_in(account_of(member)),
        None => visitor,
    }
}

pub(crate) fn visitor(headers: &HeaderMap) -> Visitor {
    let cookies: Vec<_> = headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .collect();
    // Chooses a friendly name, nothing more.
    let luck = getrandom::u64().unwrap_or_default();
    Visitor::from_cookies(&cookies.join(";"), luck)
}

/// What the page may load and do ([CSP 3](https://www.w3.org/TR/CSP3/)): its own files, and the script with the nonce.
fn policy(nonce: &str) -> HeaderValue {
    let nonce = if nonce.is_empty() {
        String::new()
    } else {
        format!(" 'nonce-{nonce}'")
    };
    // Under `make dev`, pages hear from another port what has been edited.
    let watch = if cfg!(debug_assertions) && std::env::var_os("LEPTOS_WATCH").is_some() {
        " ws:"
    } else {
        ""
    };
    let policy = format!(
        "default-src 'self'; script-src 'self'{nonce} 'wasm-unsafe-eval'; style-src 'self'; connect-src 'self'{watch}; img-src 'self' data:; \
         object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    );
    // A nonce is URL-safe base 64, so this is always a header.
    HeaderValue::from_str(&policy).unwrap_or(HeaderValue::from_static("default-src 'none'"))
}
