//! `/chats/`: direct messages between two accounts.

use std::net::SocketAddr;

use app::DirectChatsPage;
use axum::RequestPartsExt;
use axum::extract::{ConnectInfo, FromRequestParts, Path, Request, State};
use axum::http::HeaderMap;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Redirect, Response};
use chat::{AccountsPage, Person};
use protocol::schema::AccountName;
use protocol::{DirectChat, Refusal, Start};
use texts::refusal;

use crate::error::Error;
use crate::extract::accept::{self, HTML, JSON};
use crate::extract::caller::{Caller, account_of};
use crate::extract::query::Query;
use crate::middleware::csrf::Navigation;
use crate::openapi::responses::{QueryRefused, SignInRefused};
use crate::respond::envelope::EnvelopedChatRefused;
use crate::respond::form_page;
use crate::respond::negotiated::{self, Format};
use crate::state::AppState;
use crate::stream::websocket::{Dialect, Talk, Upgrade};

/// The largest number of conversations in a list.
const CONVERSATIONS: usize = 1_000;

/// How many people one page shows.
const PEOPLE: usize = 50;

/// The account in an address.
pub(crate) struct AccountPath(String);

impl<S: Send + Sync> FromRequestParts<S> for AccountPath {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        let name = parts.extract::<Path<String>>().await;
        Ok(Self(
            name.map_err(|_| Refusal::NotFound(refusal::NO_PERSON))?.0,
        ))
    }
}

/// Lists the caller's direct messages by conversation, the most recent first. As a page: the
/// accounts that the caller can write to.
#[utoipa::path(get, path = "/chats/", tag = "people",
    params(
        ("search" = Option<String>, Query, description = "For the page: which people it shows"),
        ("after" = Option<String>, Query,
            description = "For the page: only people with usernames after this one"),
    ),
    responses(
        (status = 200, description = "The conversations that have a message",
            content((Vec<DirectChat> = "application/json"), (String = "text/html"))),
        QueryRefused,
        SignInRefused,
    ), security(("token" = [])))]
pub(crate) async fn list_direct_chats(
    State(state): State<AppState>,
    Caller(by): Caller,
    format: Format,
    headers: HeaderMap,
    query: Query,
) -> Result<Response, Error> {
    match format {
        Format::Html => show_page(&state, &by, &headers, &query).await,
        Format::Json => {
            let conversations = state.chat.list_conversations(&by, CONVERSATIONS).await?;
            Ok(negotiated::json(conversations))
        }
    }
}

async fn show_page(
    state: &AppState,
    by: &Person,
    headers: &HeaderMap,
    query: &Query,
) -> Result<Response, Error> {
    let text = |name| query.text(name).unwrap_or_default().to_owned();
    let wanted = AccountsPage {
        search: text("search"),
        after: text("after"),
        limit: PEOPLE,
    };
    let people = state.chat.list_accounts(by, &wanted).await?;
    let more = people
        .last()
        .filter(|_| people.len() == PEOPLE)
        .map(|last| last.username.clone());
    let chats = DirectChatsPage {
        me: account_of(by.require_account()?),
        search: wanted.search,
        people,
        more,
    };
    let sheet = form_page::sheet_of(state, by, headers, None).await?;
    Ok(form_page::show(app::direct_chats_page(&sheet, &chats)))
}

/// Opens a WebSocket for direct messages to and from another account.
///
/// A text frame from the client is a message to the other account. Frames from the server are
/// `{"from","body","sent_at"}`, the time in seconds since the Unix epoch: first the messages that
/// none of the caller's devices has received, or all messages after `after`; then the messages of
/// both accounts, from any device. The server sends a frame again until a pong confirms it. Without
/// an upgrade the answer is the room of the conversation as JSON, or a redirect to its page.
#[utoipa::path(get, path = "/chats/{username}", tag = "people",
    params(
        ("username" = AccountName, Path, description = "The other account"),
        ("after" = Option<String>, Query,
            description = "Messages after this sequence number, read or not; `latest` for no history"),
    ),
    responses(
        (status = 101, description = "The WebSocket"),
        (status = 200, description = "The room of the conversation", body = protocol::Room),
        (status = 303, description = "To the room's page, for clients that prefer pages"),
        EnvelopedChatRefused,
    ), security(("token" = [])))]
pub(crate) async fn open_direct_chat(
    State(state): State<AppState>,
    _: Navigation,
    Caller(by): Caller,
    AccountPath(other): AccountPath,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    upgrade: Upgrade,
    request: Request,
) -> Result<Response, Error> {
    let query = Query::parse(request.uri())?;
    let room = state.chat.open_direct_room(&by, &other).await?;
    if upgrade.is_err() {
        return Ok(match accept::choose(request.headers(), &[JSON, HTML]) {
            HTML => Redirect::to(&format!("/rooms/{}/", room.id)).into_response(),
            _ => negotiated::json(room),
        });
    }
    let start = match query.text("after") {
        Some(after) => Start::parse_after(after),
        None => Start::Seq(state.chat.load_read_marker(&by, &room.id).await?),
    };
    let username = by.require_account()?.username().to_owned();
    let follow = state.chat.follow_room(&by, &room.id, start).await?;
    let follow = follow.with_username(Some(&username)).await?;
    let talk = Talk {
        state,
        by,
        room: room.id,
        username: Some(username),
        peer,
        dialect: Dialect::Direct,
    };
    talk.open(follow, upgrade)
}
