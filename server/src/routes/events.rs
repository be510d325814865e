//! `/stream`: several rooms on one connection, with the public rooms and an overview if the client asks for them.
//!
//! The same over WebSocket (`stream::sse_over_websocket`), for clients behind a proxy that holds back event streams.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use axum::extract::{ConnectInfo, State};
use axum::http::HeaderMap;
use axum::response::Response;
use bytes::Bytes;
use chat::{Follower, Person};
use futures_util::{StreamExt, stream};
use protocol::schema::Username;
use protocol::{Problem, Refusal, RoomId, Start, text};

use crate::error::Error;
use crate::extract::caller::Caller;
use crate::extract::payload::{Fields, Query};
use crate::extract::resume_point;
use crate::middleware::csrf;
use crate::net::sse_takeover::{BEAT, SEEN};
use crate::routes::overview;
use crate::state::AppState;
use crate::stream::multi_room::{Cursors, MultiRoomStream};
use crate::stream::websocket::Upgrade;
use crate::stream::{sse, sse_over_websocket};

/// The most rooms on one connection; each event carries a cursor of all of them.
const ROOMS_MAX: usize = 32;

/// Follows several rooms at once.
///
/// A room that is deleted says `closed`, one that may not be heard (any longer) `removed`, and the others go on. Whoever is no
/// longer signed in is told `signed-out`, and the stream ends. A cursor that cannot be honoured resets its room alone. With
/// `list=on` events `rooms` carry the public rooms, as `GET /rooms/` does as an event stream; with `overview=on` events `overview`
/// carry one's own, as `GET /overview/` does. With `beat=on` an event `beat` without an `id` comes at once and at least every 15
/// seconds, so that pages notice silence.
///
/// The same over WebSocket: each text frame is a piece of the stream, one event or several just as they are written there
/// (`id: …`, `event: …`, `data: …`, an empty line); frames that are sent are not read.
#[utoipa::path(get, path = "/stream", tag = "messages",
    params(
        ("rooms" = Option<String>, Query, pattern = "^([0-9a-f]{16}(,[0-9a-f]{16}){0,31})?$",
            description = "The rooms' IDs, with commas between; at most 32, and at least one unless `list=on` or `overview=on`"),
        ("Last-Event-ID" = Option<String>, Header, nullable = false, description = "Follow right after this event; goes before the query"),
        ("last_event_id" = Option<String>, Query, description = "The same, for clients that cannot set headers"),
        ("after" = Option<String>, Query,
            description = "Only messages after this sequence or cursor, `latest` for none of the history; one for all rooms, or one for each in their order, with commas between"),
        ("username" = Option<Username>, Query, description = "Who listens: here in all of these rooms, as long as the stream lasts"),
        ("beat" = Option<String>, Query, pattern = "^(true|on|1|false|off|0|)$", description = "Whether heartbeats are events that a page sees; not unless asked for"),
        ("list" = Option<String>, Query, pattern = "^(true|on|1|false|off|0|)$", description = "Whether to be told the public rooms; not unless asked for"),
        ("overview" = Option<String>, Query, pattern = "^(true|on|1|false|off|0|)$", description = "Whether to be told one's own rooms and chats; not unless asked for"),
        ("also" = Option<String>, Query, pattern = "^([0-9a-f]{16}(,[0-9a-f]{16}){0,15})?$",
            description = "IDs of other rooms to show in the overview, with commas between; at most 16"),
    ),
    responses(
        (status = 101, description = "The same, over WebSocket"),
        (status = 200, description = "The events", body = String, content_type = "text/event-stream"),
        (status = 400, description = "Malformed query", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "The token is not good", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Banned from all of the rooms, or the page is of another site", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is none of the rooms", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "Invalid parameter", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too many requests for rooms that do not exist", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn follow_rooms(
    State(state): State<AppState>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Caller(by): Caller,
    headers: HeaderMap,
    Query(query): Query,
    upgrade: Upgrade,
) -> Result<Response, Error> {
    if upgrade.is_ok() {
        csrf::check(&headers)?;
    }
    let username = query.text("username")?;
    username.map(text::username).transpose()?;
    let with_public_rooms = query.flag("list")?.unwrap_or(false);
    let with_overview = query.flag("overview")?.unwrap_or(false);
    let is_only_rooms = !with_public_rooms && !with_overview;
    let also = overview::also(&query)?;
    let also = state.known_rooms(&by, Some(peer.ip()), &also).await?;
    let visible_beat = query.flag("beat")?.unwrap_or(false);
    let starts = starts(&headers, &query, !is_only_rooms)?;
    let mut merged = MultiRoomStream::default();
    let refused = follow_each(&state, &by, peer, username, starts, &mut merged).await?;
    // A refused room is no reason to withhold the others.
    if let Some(refusal) = refused.filter(|_| merged.is_empty() && is_only_rooms) {
        return Err(refusal.into());
    }
    if with_public_rooms {
        merged.add_public_rooms(state.chat.watch_public_rooms());
    }
    if with_overview {
        merged.add_overview(state.chat.watch_overview(by.clone(), also));
    }
    if !is_only_rooms {
        // A room's follower notices the end of the session by itself; the other sources do not.
        merged.add_sign_out(state.chat.watch_session(&by).await?);
    }
    let beat = if visible_beat { SEEN } else { BEAT };
    let first = stream::iter(visible_beat.then_some(Bytes::from_static(SEEN)));
    let events = first.chain(merged.into_events());
    Ok(match upgrade {
        Ok(upgrade) => sse_over_websocket::respond(&state, upgrade, events.boxed(), beat),
        Err(_) => sse::respond(events, beat),
    })
}

/// Follows each room, and returns the last refusal among those that the caller may not follow.
async fn follow_each(
    state: &AppState,
    by: &Person,
    peer: SocketAddr,
    username: Option<&str>,
    starts: BTreeMap<RoomId, Start>,
    merged: &mut MultiRoomStream,
) -> Result<Option<Refusal>, Error> {
    let mut refused = None;
    for (room, start) in starts {
        match state.chat.follow_room(by, &room, start).await {
            Ok(mut follow) => {
                if let Some(username) = username {
                    join(&mut follow, username).await?;
                }
                merged.add_room(room, follow);
            }
            Err(chat::Error::Refusal(Refusal::Gone)) => merged.add_ended_room(sse::closed(room)),
            Err(chat::Error::Refusal(refusal)) if refusal != Refusal::NotSignedIn => {
                if matches!(refusal, Refusal::NotFound(_)) {
                    state.limits.record_missing_room(peer.ip());
                }
                merged.add_ended_room(sse::removed(room));
                refused = Some(refusal);
            }
            Err(other) => return Err(other.into()),
        }
    }
    Ok(refused)
}

/// Joins a room under a name, unless another person holds the name there: the caller still receives the room's events.
async fn join(follow: &mut Follower, username: &str) -> Result<(), chat::Error> {
    match follow.set_username(username).await {
        Err(chat::Error::Refusal(Refusal::Taken(_))) => Ok(()),
        other => other,
    }
}

/// Where the caller starts in each room: after the last event that it has seen, or where `after` says.
fn starts(
    headers: &HeaderMap,
    query: &Fields,
    may_be_empty: bool,
) -> Result<BTreeMap<RoomId, Start>, Refusal> {
    let seen = resume_point::last_event_id(headers, query)?.map(Cursors::parse);
    let mut starts = rooms(query, may_be_empty)?;
    if let Some(cursors) = seen {
        for (room, start) in &mut starts {
            *start = cursors.start(*room);
        }
    }
    Ok(starts)
}

/// The rooms that are asked for, and where each begins; `may_be_empty` says whether there may be none.
fn rooms(query: &Fields, may_be_empty: bool) -> Result<BTreeMap<RoomId, Start>, Refusal> {
    let invalid = || {
        Refusal::invalid(
            "rooms",
            format!("must be 1 to {ROOMS_MAX} IDs with commas between"),
        )
    };
    let text = if may_be_empty {
        query.text("rooms")?.unwrap_or_default()
    } else {
        query.required("rooms")?
    };
    let ids = text
        .split(',')
        .filter(|_| !(may_be_empty && text.is_empty()))
        .map(|id| id.trim().parse());
    let ids: Vec<RoomId> = ids.collect::<Result<_, _>>().map_err(|_| invalid())?;
    let after: Vec<&str> = query
        .text("after")?
        .unwrap_or("0")
        .split(',')
        .map(str::trim)
        .collect();
    let place = |n: usize| if after.len() == 1 { 0 } else { n };
    if ![1, ids.len()].contains(&after.len()) {
        return Err(Refusal::invalid(
            "after",
            "must be one for all rooms, or one for each of them in their order",
        ));
    }
    // A room that is named twice is one room.
    let rooms: BTreeMap<_, _> = ids
        .iter()
        .enumerate()
        .map(|(n, id)| (*id, Start::after(after[place(n)])))
        .collect();
    if rooms.len() <= ROOMS_MAX {
        Ok(rooms)
    } else {
        Err(invalid())
    }
}
