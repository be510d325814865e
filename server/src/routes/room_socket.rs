//! `/rooms/{id}/socket` and `/room`: a room over WebSocket.

use std::net::SocketAddr;

use axum::extract::{ConnectInfo, State};
use axum::response::Response;
use protocol::schema::{RoomName, Username};
use protocol::{Refusal, Start, text};

use crate::error::Error;
use crate::extract::caller::Caller;
use crate::extract::query::Query;
use crate::extract::room_path::RoomPath;
use crate::openapi::responses::{RoomRefused, SocketRefused, StorageRefused};
use crate::routes::rooms::find_or_create_room;
use crate::state::AppState;
use crate::stream::websocket::{Dialect, Talk, Upgrade};

/// Opens a WebSocket to a room.
///
/// A text frame from the client is a message by `username`; without a username the socket is
/// read-only. Frames from the server are messages as JSON, the oldest first, then live. A message
/// that breaks a rule or exceeds a limit is answered with a problem document (`retry_after` names
/// the waiting time), and the socket stays open. A frame with a field `event` is no message:
/// `{"event":"change","kind","id","room","target","message"}` changes an earlier message (ignore
/// kinds that you do not know), and `{"event":"reset"}` precedes every message when the server
/// cannot honour `after`. With `presence=on` the server also sends who is present and who is typing,
/// as in the event stream: `{"event":"presence",…}`, `{"event":"typing",…}`.
#[utoipa::path(get, path = "/rooms/{id}/socket", tag = "messages",
    params(
        ("id" = String, Path, description = "The room's ID", pattern = "^[0-9a-f]{16}$"),
        ("username" = Option<Username>, Query,
            description = "The writer's name: present in the room while the socket is open"),
        ("presence" = Option<String>, Query, pattern = "^(true|on|1|false|off|0|)$",
            description = "Whether to send who is present and who is typing; off by default"),
        ("after" = Option<String>, Query,
            description = "Only messages after this sequence number; `latest` for no history"),
    ),
    responses(
        (status = 101, description = "The WebSocket"),
        RoomRefused,
        SocketRefused,
    ))]
pub(crate) async fn open_room_socket(
    State(state): State<AppState>,
    Caller(by): Caller,
    RoomPath(room): RoomPath,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    query: Query,
    upgrade: Upgrade,
) -> Result<Response, Error> {
    let username = query
        .text("username")
        .map(text::parse_username)
        .transpose()?;
    let start = query
        .text("after")
        .map_or(Start::Seq(0), Start::parse_after);
    let presence = query.flag("presence")?;
    let follow = state.chat.follow_room(&by, &room, start).await?;
    let follow = follow.with_username(username.as_deref()).await?;
    let talk = Talk {
        state,
        by,
        room,
        username,
        peer,
        dialect: Dialect::Room { presence },
    };
    talk.open(follow, upgrade)
}

/// Opens a WebSocket to the room of a name, and creates the room for the first request.
#[utoipa::path(get, path = "/room", tag = "messages",
    params(
        ("room" = RoomName, Query, description = "The room's name"),
        ("username" = Username, Query, description = "The writer's name"),
    ),
    responses(
        (status = 101, description = "The WebSocket"),
        SocketRefused,
        StorageRefused,
    ))]
pub(crate) async fn open_named_room_socket(
    State(state): State<AppState>,
    Caller(by): Caller,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    query: Query,
    upgrade: Upgrade,
) -> Result<Response, Error> {
    let name = text::parse_room_alias(query.required("room")?)?;
    let username = Some(text::parse_username(query.required("username")?)?);
    let upgrade = Ok(upgrade.map_err(|_| Refusal::UpgradeRequired)?);
    let room = find_or_create_room(&state, &by, peer, &name).await?.id;
    let follow = state.chat.follow_room(&by, &room, Start::Seq(0)).await?;
    let follow = follow.with_username(username.as_deref()).await?;
    let talk = Talk {
        state,
        by,
        room,
        username,
        peer,
        dialect: Dialect::Named,
    };
    talk.open(follow, upgrade)
}
