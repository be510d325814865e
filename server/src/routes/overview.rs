//! `/overview/`: the caller's rooms and direct messages.

use std::net::SocketAddr;

use axum::extract::{ConnectInfo, State};
use axum::http::HeaderMap;
use axum::response::Response;
use chat::Person;
use protocol::{PersonOverview, Refusal, RoomId};

use crate::error::Error;
use crate::extract::accept::{self, EVENTS, JSON};
use crate::extract::caller::Caller;
use crate::extract::query::Query;
use crate::limit::stream_places::StreamPlace;
use crate::net::sse_takeover::BEAT;
use crate::openapi::responses::{QueryRefused, StreamRefused, TokenRefused};
use crate::respond::negotiated;
use crate::state::AppState;
use crate::stream::multi_room::MultiRoomStream;
use crate::stream::sse;

/// The most rooms in an overview that the caller does not belong to.
const ALSO_MAX: usize = 16;

/// Shows the caller's rooms and direct messages.
///
/// These are the rooms that the account or the guest's key belongs to, each with its number of
/// unread messages up to 100, those that the caller keeps or has written in, and those of `also`
/// that the caller may see and has not hidden. As an event stream the
/// overview comes at once, and again after each change, at most once a second; when the caller's
/// session ends, the event `signed-out` ends the stream.
#[utoipa::path(get, path = "/overview/", tag = "people",
    params(
        ("also" = Option<String>, Query, pattern = "^([0-9a-f]{16}(,[0-9a-f]{16}){0,15})?$",
            description = "IDs of other rooms to show, separated by commas; at most 16"),
    ),
    responses(
        (status = 200,
            description = "The overview",
            content((PersonOverview = "application/json"), (String = "text/event-stream"))),
        TokenRefused,
        QueryRefused,
        StreamRefused,
    ), security((), ("token" = [])))]
pub(crate) async fn show_overview(
    State(state): State<AppState>,
    Caller(by): Caller,
    headers: HeaderMap,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    query: Query,
) -> Result<Response, Error> {
    let also = parse_also(&query)?;
    let also = state.known_rooms(&by, Some(peer.ip()), &also).await?;
    if accept::choose(&headers, &[JSON, EVENTS]) == EVENTS {
        let place = state.streams.enter(Some(peer.ip()), &by)?;
        return follow_overview(&state, by, also, place).await;
    }
    Ok(negotiated::json(
        state.chat.load_person_overview(&by, &also, &[]).await?,
    ))
}

/// The rooms of the parameter `also`.
pub(crate) fn parse_also(query: &Query) -> Result<Vec<RoomId>, Refusal> {
    let text = query.text("also").unwrap_or_default();
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let ids = text.split(',').map(|id| id.trim().parse().ok());
    let ids: Option<Vec<RoomId>> = ids.collect();
    ids.filter(|ids| ids.len() <= ALSO_MAX).ok_or_else(|| {
        let rule = format!("must be at most {ALSO_MAX} IDs, separated by commas");
        Refusal::invalid("also", rule)
    })
}

/// The overview as an event stream, until the session ends or the server stops.
async fn follow_overview(
    state: &AppState,
    by: Person,
    also: Vec<RoomId>,
    place: StreamPlace,
) -> Result<Response, Error> {
    let mut stream = MultiRoomStream::default();
    stream.add_sign_out(state.chat.watch_session(&by).await?);
    stream.add_overview(state.chat.watch_overview(by, also, Vec::new()));
    Ok(sse::respond(stream.into_events(), BEAT, place))
}
