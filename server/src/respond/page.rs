//! Pages of the app: loads the data of a page, and lets the app draw it.
//!
//! # Guarantees
//! Every page is current (`no-cache`, or `no-store` without the app) and reaches the browser unchanged (`no-transform`), carries a
//! strict content security policy, and has the status of its content.
//!
//! # Not here
//! Which addresses are pages (`routes`), and the look of the pages (`app`).

use std::net::IpAddr;

use app::{HomeContent, InitialState, PageContent, RoomSnapshot, Route, Visitor};
use axum::body::to_bytes;
use axum::extract::Request;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_LANGUAGE, CONTENT_SECURITY_POLICY, CONTENT_TYPE, COOKIE, SET_COOKIE,
    VARY,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use chat::{Chat, Person, RoomsPage};
use leptos::nonce::use_nonce;
use leptos::prelude::{expect_context, provide_context};
use leptos_axum::ResponseOptions;
use protocol::{Overview, Problem, Refusal, RoomId};
use texts::Language;

use crate::error::Error;
use crate::extract::caller::account_of;
use crate::extract::cookies::guest_cookie;
use crate::extract::query::Query;
use crate::limit;
use crate::respond::assets;
use crate::state::AppState;

/// The longest lifetime in the data of a page, in seconds: JavaScript has no greater whole numbers.
const LIFETIME_MAX: u64 = 1 << 53;

/// How many public rooms the page of a room carries; the app loads the rest.
const BESIDE: usize = 12;

/// Proxies must not rewrite pages: the app takes over the HTML as it is. A browser asks for a page
/// each time, but may go back to one that it still has: the app then follows the room again, or
/// reloads the page if someone else is signed in.
const CACHING: &str = "private, no-cache, no-transform";

/// Without the app, nothing would notice who is signed in.
const CACHING_WITHOUT_APP: &str = "no-store, no-transform";

/// The headers of a request on which a page depends.
const VARIES: &str = "Accept, Accept-Language, Cookie";

/// The app's page for the address of a request.
pub async fn render(state: &AppState, by: &Person, request: Request) -> Response {
    let page = Route::from_path(request.uri().path());
    draw(state, by, page, request).await
}

/// A page of the app, at any address.
pub async fn draw(state: &AppState, by: &Person, page: Route, request: Request) -> Response {
    // The future must not borrow the request across an await, because the request's body is not
    // `Sync`.
    let visit = Visit {
        page,
        uri: request.uri().clone(),
        peer: limit::peer(request.extensions()),
        visitor: with_account(by, visitor(request.headers())),
    };
    let opening = match load_opening(state, by, visit).await {
        Ok(opening) => opening,
        Err(error) => return Error::from(error).into_response(),
    };
    let status =
        StatusCode::from_u16(opening.content.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let key = new_guest_cookie(state, by);
    let prepare = move || {
        set_page_headers(status, key.as_ref());
        provide_context(opening.clone());
    };
    let suffix = state.cookie_suffix.clone();
    let takes_files = state.chat.file_limits().is_some();
    let draw = move || app::app_page(&assets::urls(), &suffix, takes_files);
    let answer = leptos_axum::render_app_async_with_context(prepare, draw)(request).await;
    // The page is drawn whole, but Leptos keeps all that it was drawn from until its body is read.
    let (head, body) = answer.into_parts();
    match to_bytes(body, usize::MAX).await {
        Ok(html) => Response::from_parts(head, html.into()),
        Err(error) => Error::from(chat::Error::fault(error)).into_response(),
    }
}

/// Sets the status and the headers of the page that Leptos is rendering.
fn set_page_headers(status: StatusCode, key: Option<&HeaderValue>) {
    let nonce = use_nonce().map(|nonce| nonce.to_string());
    let options = expect_context::<ResponseOptions>();
    options.set_status(status);
    options.insert_header(CONTENT_SECURITY_POLICY, policy(&nonce.unwrap_or_default()));
    options.insert_header(VARY, HeaderValue::from_static(VARIES));
    options.insert_header(CACHE_CONTROL, HeaderValue::from_static(CACHING));
    options.insert_header(CONTENT_LANGUAGE, current_language());
    if let Some(key) = key {
        options.append_header(SET_COOKIE, key.clone());
    }
}

/// For a caller without a key: a cookie with a new one, by which the guest holds a name and belongs
/// to rooms.
pub(crate) fn new_guest_cookie(state: &AppState, by: &Person) -> Option<HeaderValue> {
    if *by != Person::Anonymous {
        return None;
    }
    let key = state.chat.issue_guest_token().ok()?;
    HeaderValue::from_str(&guest_cookie(&key)).ok()
}

/// A page that shows a problem document, to a browser that sent a form or requested `path`.
pub fn problem(problem: &Problem, path: Option<&str>) -> Response {
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let next = path
        .map(|path| format!("?next={}", app::percent_encode(path)))
        .unwrap_or_default();
    let sign_in = (problem.title == Refusal::NotSignedIn.title()).then(|| format!("/login{next}"));
    let was_written = path.is_none();
    plain(
        status,
        app::problem_page(problem, &assets::urls(), sign_in, was_written),
    )
}

/// A page without the app.
pub(crate) fn plain(status: StatusCode, html: String) -> Response {
    let headers = [
        (
            CONTENT_TYPE,
            HeaderValue::from_static("text/html; charset=utf-8"),
        ),
        (CONTENT_SECURITY_POLICY, policy("")),
        (VARY, HeaderValue::from_static(VARIES)),
        (CACHE_CONTROL, HeaderValue::from_static(CACHING_WITHOUT_APP)),
        (CONTENT_LANGUAGE, current_language()),
    ];
    (status, headers, html).into_response()
}

/// The language of this answer, as a header.
fn current_language() -> HeaderValue {
    HeaderValue::from_static(Language::current().tag())
}

/// A request for a page of the app.
struct Visit {
    page: Route,
    uri: Uri,
    peer: Option<IpAddr>,
    visitor: Visitor,
}

/// The data from which the app draws a page.
async fn load_opening(
    state: &AppState,
    by: &Person,
    visit: Visit,
) -> Result<InitialState, chat::Error> {
    let chat = &state.chat;
    let page = visit.page;
    let scene = load_scene(chat, by, page, &visit.uri).await?;
    let mut overview = Overview::default();
    let mut open = Vec::new();
    if page != Route::NotFound {
        let limit = if page == Route::Home {
            RoomsPage::default().limit
        } else {
            BESIDE
        };
        // The cookie names the visited rooms, so a client could use it to guess rooms.
        let visited = &visit.visitor.visits;
        let mut visits = state.known_rooms(by, visit.peer, visited).await?;
        // The room of this page is among the visited ones from the beginning, unless it is public.
        visits.extend(scene.visited_room());
        overview = chat.load_overview(by, &visits).await?;
        open = chat
            .list_public_rooms(RoomsPage { after: None, limit })
            .await?;
    }
    Ok(InitialState {
        now: app::now(),
        visitor: visit.visitor,
        overview,
        public_rooms: open,
        longest_lifetime: chat.room_timeout().as_secs().clamp(1, LIFETIME_MAX),
        route: page,
        content: scene,
    })
}

/// The main content of a page.
async fn load_scene(
    chat: &Chat,
    by: &Person,
    page: Route,
    uri: &Uri,
) -> Result<PageContent, chat::Error> {
    match page {
        Route::Home => Ok(PageContent::Home(HomeContent {
            rejected_link: Query::parse(uri)?.text("room").map(str::to_owned),
        })),
        Route::Room(id) => load_room(chat, by, id).await,
        Route::NotFound => Ok(PageContent::NotFound),
    }
}

async fn load_room(chat: &Chat, by: &Person, id: RoomId) -> Result<PageContent, chat::Error> {
    match load_arrival(chat, by, id).await {
        Ok(arrival) => Ok(PageContent::Room(arrival)),
        Err(chat::Error::Refusal(refusal)) => Ok(PageContent::Refused(refusal.problem())),
        Err(fault) => Err(fault),
    }
}

async fn load_arrival(chat: &Chat, by: &Person, id: RoomId) -> Result<RoomSnapshot, chat::Error> {
    Ok(RoomSnapshot {
        room: chat.find_room(by, &id).await?,
        messages: chat
            .list_messages(by, &id, chat::MessagesPage::default())
            .await?,
    })
}

/// The visitor with the caller's account, if the caller is signed in.
fn with_account(by: &Person, visitor: Visitor) -> Visitor {
    match by.account() {
        Some(member) => visitor.signed_in(account_of(member)),
        None => visitor,
    }
}

/// The visitor that the cookies of a request describe.
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

/// What a page may load and do ([CSP 3](https://www.w3.org/TR/CSP3/)): its own files, and the
/// script with the nonce.
fn policy(nonce: &str) -> HeaderValue {
    let nonce = if nonce.is_empty() {
        String::new()
    } else {
        format!(" 'nonce-{nonce}'")
    };
    // Under `make dev`, pages receive edits from another port.
    let watch = if cfg!(debug_assertions) && std::env::var_os("LEPTOS_WATCH").is_some() {
        " ws:"
    } else {
        ""
    };
    let policy = format!(
        "default-src 'self'; script-src 'self'{nonce} 'wasm-unsafe-eval'; style-src 'self'; connect-src 'self'{watch}; img-src 'self' data: blob:; \
         object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    );
    // A nonce is URL-safe base 64, so this is always a header.
    HeaderValue::from_str(&policy).unwrap_or(HeaderValue::from_static("default-src 'none'"))
}
