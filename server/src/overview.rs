//! `/overview/`: what somebody has on this server, at a glance; `/rooms/{id}/seen/`: what of it they have read.

use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use bytes::Bytes;
use chat::{Glance, Person};
use futures_util::{Stream, stream as streams};
use protocol::{Overview, Problem, Refusal, RoomId};

use crate::caller::Caller;
use crate::error::Error;
use crate::fields::{Fields, Query};
use crate::message::SEQ_MAX;
use crate::negotiate::{self, EVENTS, JSON};
use crate::refused::{BodyRefused, RoomRefused};
use crate::room::InRoom;
use crate::{AppState, several};

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
pub(crate) async fn show(
    State(state): State<AppState>,
    Caller(by): Caller,
    headers: HeaderMap,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Query(query): Query,
) -> Result<Response, Error> {
    let also = known(&state, &by, Some(peer.ip()), &also(&query)?).await?;
    if negotiate::choose(&headers, &[JSON, EVENTS]) == EVENTS {
        return several::overview(&state, by, also).await;
    }
    Ok(negotiate::json(state.chat.overview(&by, &also).await?))
}

/// Says up to where a room has been read, by whoever belongs to it.
///
/// `seen` is the sequence of the last message that was read; what was read stays read.
#[utoipa::path(post, path = "/rooms/{id}/seen/", tag = "people",
    params(("id" = String, Path, description = "The room's ID", pattern = "^[0-9a-f]{16}$")),
    request_body(content((Seen = "application/json"), (Seen = "application/x-www-form-urlencoded"))),
    responses(
        (status = 204, description = "Read"),
        BodyRefused,
        RoomRefused,
    ), security((), ("token" = [])))]
pub(crate) async fn seen(
    State(state): State<AppState>,
    Caller(by): Caller,
    InRoom(room): InRoom,
    fields: Fields,
) -> Result<StatusCode, Error> {
    let seen = fields
        .number("seen", 0, SEQ_MAX)?
        .ok_or_else(|| Refusal::invalid("seen", "is missing"))?;
    state.chat.mark_seen(&by, &room, seen).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Up to where a room has been read.
#[derive(Debug, utoipa::ToSchema)]
#[expect(dead_code, reason = "describes what `seen` reads field by field")]
pub(crate) struct Seen {
    /// The sequence of the last message that was read.
    #[schema(minimum = 0, maximum = 9223372036854775807u64)]
    seen: u64,
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

/// Those of these rooms that somebody may know of. Rooms that never were count as guesses, and whoever has guessed too often
/// learns of none.
pub(crate) async fn known(
    state: &AppState,
    by: &Person,
    peer: Option<IpAddr>,
    also: &[RoomId],
) -> Result<Vec<RoomId>, chat::Error> {
    let mut known = Vec::with_capacity(also.len());
    for id in also {
        if peer.is_some_and(|peer| state.limits.check_look(peer).is_err()) {
            break;
        }
        match (state.chat.room(by, id).await, peer) {
            (Ok(_), _) => known.push(*id),
            (Err(chat::Error::Refusal(Refusal::NotFound(_))), Some(peer)) => {
                state.limits.looked_in_vain(peer)
            }
            (Err(chat::Error::Refusal(_)), _) => {}
            (Err(fault), _) => return Err(fault),
        }
    }
    Ok(known)
}

/// The overview as events, until the server stops.
pub(crate) fn watch(
    state: &AppState,
    by: Person,
    also: Vec<RoomId>,
) -> impl Stream<Item = Result<Bytes, chat::Error>> + Send + use<> {
    let glance = state.chat.watch_overview(by, also);
    streams::unfold(Some(glance), |glance: Option<Glance>| async move {
        let mut glance = glance?;
        match glance.next().await {
            Ok(Some(json)) => Some((
                Ok([b"event: overview\ndata: ", &json[..], b"\n\n"]
                    .concat()
                    .into()),
                Some(glance),
            )),
            Ok(None) => None,
            Err(error) => Some((Err(error), None)),
        }
    })
}
