//! `/chats/`: direct chats of two people with accounts.

use std::net::SocketAddr;

use app::DirectChatsPage;
use axum::RequestPartsExt;
use axum::extract::{ConnectInfo, FromRequestParts, Path, Request, State};
use axum::http::HeaderMap;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Redirect, Response};
use chat::AccountsPage;
use protocol::schema::AccountName;
use protocol::{Conversation, Problem, Refusal, Start};
use serde_json::Value;

use crate::error::Error;
use crate::extract::accept;
use crate::extract::accept::{HTML, JSON};
use crate::extract::caller::{Caller, account_of};
use crate::extract::payload::Query;
use crate::respond::envelope::Envelope;
use crate::respond::form_page;
use crate::state::AppState;
use crate::stream::websocket::{Dialect, Talk, Upgrade};

/// How many conversations are listed.
const CONVERSATIONS: usize = 1_000;

/// How many people one page shows.
const PEOPLE: usize = 50;

/// The one that an address names.
pub(crate) struct With(String);

impl<S: Send + Sync> FromRequestParts<S> for With {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        let name = parts.extract::<Path<String>>().await;
        Ok(Self(name.map_err(|_| Refusal::NotFound("such person"))?.0))
    }
}

/// The direct chats of whoever is signed in, the latest first.
#[utoipa::path(get, path = "/chats/", tag = "people",
    params(
        ("search" = Option<String>, Query, description = "For the page: which people to show"),
        ("after" = Option<String>, Query, description = "For the page: only people with usernames behind this one"),
    ),
    responses(
        (status = 200, description = "The conversations in which something was said",
            content((Vec<Conversation> = "application/json"), (String = "text/html"))),
        (status = 400, description = "Malformed query", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "Not signed in", body = Problem, content_type = "application/problem+json"),
    ), security(("token" = [])))]
pub(crate) async fn list_direct_chats(
    State(state): State<AppState>,
    Caller(by): Caller,
    headers: HeaderMap,
    Query(query): Query,
) -> Result<Response, Error> {
    let conversations = state.chat.list_conversations(&by, CONVERSATIONS).await?;
    if !accept::prefers_html(&headers) {
        return Ok(accept::json(conversations));
    }
    let text = |field| {
        query
            .text(field)
            .map(|text| text.unwrap_or_default().to_owned())
    };
    let found = AccountsPage {
        search: text("search")?,
        after: text("after")?,
        limit: PEOPLE,
    };
    let people = state.chat.list_accounts(&by, &found).await?;
    let more = people
        .last()
        .filter(|_| people.len() == PEOPLE)
        .map(|last| last.username.clone());
    let (me, search) = (account_of(by.require_account()?), found.search);
    let chats = DirectChatsPage {
        me,
        conversations,
        search,
        people,
        more,
        now: app::now(),
    };
    Ok(form_page::fresh(app::direct_chats_page(
        &form_page::sheet(&headers, None),
        &chats,
    )))
}

/// Opens a WebSocket to a direct chat.
///
/// Text frames sent are messages to the other one. Frames received are `{"from","body","sent_at"}`, the time in seconds since
/// the Unix epoch: first what came while none of one's devices was there, or all after `after`; then what either of the two
/// says, on whatever device. A frame that is not confirmed by a pong is told again. Without an upgrade: the room that the
/// conversation is, as JSON, or the way to its page.
#[utoipa::path(get, path = "/chats/{username}", tag = "people",
    params(
        ("username" = AccountName, Path, description = "The other one"),
        ("after" = Option<String>, Query, description = "Messages after this sequence, read or not; `latest` for none of the history"),
    ),
    responses(
        (status = 101, description = "The socket"),
        (status = 200, description = "The room that the conversation is", body = protocol::Room),
        (status = 303, description = "To the room's page, for clients that ask for pages"),
        (status = 400, description = "Malformed query", body = Envelope<Value>),
        (status = 401, description = "Not signed in", body = Envelope<Value>),
        (status = 403, description = "The page is of another site", body = Envelope<Value>),
        (status = 404, description = "Nobody has that name", body = Envelope<Value>),
    ), security(("token" = [])))]
pub(crate) async fn open_direct_chat(
    State(state): State<AppState>,
    Caller(by): Caller,
    With(other): With,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Query(query): Query,
    upgrade: Upgrade,
    request: Request,
) -> Result<Response, Error> {
    let room = state.chat.open_direct_room(&by, &other).await?;
    if upgrade.is_err() {
        return Ok(match accept::choose(request.headers(), &[JSON, HTML]) {
            HTML => Redirect::to(&format!("/rooms/{}/", room.id)).into_response(),
            _ => accept::json(room),
        });
    }
    let start = match query.text("after")? {
        Some(after) => Start::after(after),
        None => Start::Seq(state.chat.load_read_marker(&by, &room.id).await?),
    };
    let username = by.require_account()?.username().to_owned();
    let follow = state
        .chat
        .follow_room(&by, &room.id, start)
        .await?
        .with_username(Some(&username))
        .await?;
    let talk = Talk {
        state,
        by,
        room: room.id,
        username: Some(username),
        peer,
        dialect: Dialect::Direct,
    };
    talk.open(follow, request.headers(), upgrade)
}
