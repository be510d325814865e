//! `/rooms/{id}/socket` and `/room`: a room over WebSocket.

use std::net::SocketAddr;

use axum::extract::{ConnectInfo, State};
use axum::http::HeaderMap;
use axum::response::Response;
use protocol::schema::{RoomName, Username};
use protocol::{Problem, Refusal, Start, text};

use crate::error::Error;
use crate::extract::caller::Caller;
use crate::extract::payload::Query;
use crate::extract::room_path::RoomPath;
use crate::middleware::csrf;
use crate::routes::rooms;
use crate::state::AppState;
use crate::stream::websocket::{Dialect, Talk, Upgrade};

/// Opens a WebSocket to a room.
///
/// Text frames sent are messages by `username`; without it the socket only listens. Frames received are messages as JSON,
/// oldest first, then live. One that is refused, because it breaks a rule or is one too many at once, is answered with problem
/// details (`retry_after` says when to go on), and the socket stays open. `{"event":"edit",…}` and `{"event":"deletion",…}` change an earlier message. `{"event":"reset"}` comes before everything when `after` cannot be honoured. With
/// `presence=on` also who is here and who types, as in the event stream: `{"event":"presence",…}`, `{"event":"typing",…}`.
#[utoipa::path(get, path = "/rooms/{id}/socket", tag = "messages",
    params(
        ("id" = String, Path, description = "The room's ID", pattern = "^[0-9a-f]{16}$"),
        ("username" = Option<Username>, Query, description = "Who writes, and is here as long as the socket is open"),
        ("presence" = Option<String>, Query, pattern = "^(true|on|1|false|off|0|)$", description = "Whether to be told who is here and who types; not unless asked for"),
        ("after" = Option<String>, Query, description = "Only messages after this sequence; `latest` for none of the history"),
    ),
    responses(
        (status = 101, description = "The socket"),
        (status = 401, description = "The token is not good", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "Somebody else has the name", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Banned, or the page is of another site", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There never was such a room", body = Problem, content_type = "application/problem+json"),
        (status = 410, description = "The room was deleted", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "Invalid parameter", body = Problem, content_type = "application/problem+json"),
        (status = 426, description = "Not a WebSocket", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too many requests for rooms that do not exist", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn open_room_socket(
    State(state): State<AppState>,
    Caller(by): Caller,
    RoomPath(room): RoomPath,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Query(query): Query,
    upgrade: Upgrade,
) -> Result<Response, Error> {
    let username = query.text("username")?.map(text::username).transpose()?;
    let start = query.text("after")?.map_or(Start::Seq(0), Start::after);
    let presence = query.flag("presence")?.unwrap_or(false);
    let follow = state
        .chat
        .follow_room(&by, &room, start)
        .await?
        .with_username(username.as_deref())
        .await?;
    Talk {
        state,
        by,
        room,
        username,
        peer,
        dialect: Dialect::Room { presence },
    }
    .open(follow, &headers, upgrade)
}

/// Opens a WebSocket to the room of a name, which is created when it is first asked for.
#[utoipa::path(get, path = "/room", tag = "messages",
    params(
        ("room" = RoomName, Query, description = "The room's name"),
        ("username" = Username, Query, description = "Who writes"),
    ),
    responses(
        (status = 101, description = "The socket"),
        (status = 401, description = "The token is not good", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "Somebody else has the name", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Banned, or the page is of another site", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "Invalid parameter", body = Problem, content_type = "application/problem+json"),
        (status = 426, description = "Not a WebSocket", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too many new rooms", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn open_named_room_socket(
    State(state): State<AppState>,
    Caller(by): Caller,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Query(query): Query,
    upgrade: Upgrade,
) -> Result<Response, Error> {
    let name = text::name_of_room(query.required("room")?)?;
    let username = Some(text::username(query.required("username")?)?);
    csrf::check(&headers)?;
    let upgrade = Ok(upgrade.map_err(|_| Refusal::UpgradeRequired)?);
    let room = rooms::of_name(&state, &by, peer, &name).await?.id;
    let follow = state
        .chat
        .follow_room(&by, &room, Start::Seq(0))
        .await?
        .with_username(username.as_deref())
        .await?;
    Talk {
        state,
        by,
        room,
        username,
        peer,
        dialect: Dialect::Named,
    }
    .open(follow, &headers, upgrade)
}
