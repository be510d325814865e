//! `/overview/`: the caller's rooms and direct chats.

use std::net::SocketAddr;

use axum::extract::{ConnectInfo, State};
use axum::http::HeaderMap;
use axum::response::Response;
use chat::Person;
use protocol::{Overview, Problem, Refusal, RoomId};

use crate::error::Error;
use crate::extract::accept::{self, EVENTS, JSON};
use crate::extract::caller::Caller;
use crate::extract::payload::{Fields, Query};
use crate::net::sse_takeover::BEAT;
use crate::state::AppState;
use crate::stream::multi_room::MultiRoomStream;
use crate::stream::sse;

/// The most rooms that may be asked for besides one's own.
const ALSO_MAX: usize = 16;

/// The rooms and the direct chats of whoever asks.
///
/// The rooms that an account or a guest's key belongs to, with how many messages are unread up to 100, and those of `also` that
/// may be known. As an event stream at once, and again whenever something has changed, at most once a second;
/// whoever is no longer signed in is told `signed-out`, and the stream ends.
#[utoipa::path(get, path = "/overview/", tag = "people",
    params(
        ("also" = Option<String>, Query, pattern = "^([0-9a-f]{16}(,[0-9a-f]{16}){0,15})?$",
            description = "IDs of other rooms to show, with commas between; at most 16"),
    ),
    responses(
        (status = 200, description = "The overview", content((Overview = "application/json"), (String = "text/event-stream"))),
        (status = 400, description = "Malformed query", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "The token is not good", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "Invalid parameter", body = Problem, content_type = "application/problem+json"),
    ), security((), ("token" = [])))]
pub(crate) async fn show_overview(
    State(state): State<AppState>,
    Caller(by): Caller,
    headers: HeaderMap,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Query(query): Query,
) -> Result<Response, Error> {
    let also = state
        .known_rooms(&by, Some(peer.ip()), &also(&query)?)
        .await?;
    if accept::choose(&headers, &[JSON, EVENTS]) == EVENTS {
        return follow_overview(&state, by, also).await;
    }
    Ok(accept::json(state.chat.load_overview(&by, &also).await?))
}

/// The rooms that are asked for besides one's own.
pub(crate) fn also(query: &Fields) -> Result<Vec<RoomId>, Refusal> {
    let text = query.text("also")?.unwrap_or_default();
    let ids = text
        .split(',')
        .filter(|_| !text.is_empty())
        .map(|id| id.trim().parse().ok());
    let ids: Option<Vec<RoomId>> = ids.collect();
    let invalid = || {
        Refusal::invalid(
            "also",
            format!("must be at most {ALSO_MAX} IDs with commas between"),
        )
    };
    ids.filter(|ids| ids.len() <= ALSO_MAX).ok_or_else(invalid)
}

/// The overview as an event stream, until the session ends or the server stops.
async fn follow_overview(
    state: &AppState,
    by: Person,
    also: Vec<RoomId>,
) -> Result<Response, Error> {
    let mut stream = MultiRoomStream::default();
    stream.add_sign_out(state.chat.watch_session(&by).await?);
    stream.add_overview(state.chat.watch_overview(by, also));
    Ok(sse::respond(stream.into_events(), BEAT))
}
