//! `/stream`: several rooms on one connection, with the public rooms and an overview if the client
//! asks for them.
//!
//! The same over WebSocket (`stream::sse_over_websocket`), for clients behind a proxy that holds
//! back event streams.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use axum::extract::{ConnectInfo, State};
use axum::http::HeaderMap;
use axum::response::Response;
use bytes::Bytes;
use chat::{Follower, Person};
use futures_util::{StreamExt, stream};
use protocol::schema::Username;
use protocol::{Refusal, RoomId, Start, text};

use crate::error::Error;
use crate::extract::caller::Caller;
use crate::extract::query::Query;
use crate::extract::resume_point;
use crate::net::sse_takeover::{BEAT, SEEN};
use crate::openapi::responses::{QueryRefused, RoomRefused};
use crate::routes::overview;
use crate::state::AppState;
use crate::stream::multi_room::{Cursors, MultiRoomStream};
use crate::stream::websocket::Upgrade;
use crate::stream::{sse, sse_over_websocket};

/// The most rooms on one connection; the cursor of each event covers all of them.
const ROOMS_MAX: usize = 32;

/// Follows several rooms on one connection.
///
/// The events are those of the rooms' own streams; each names its room in its data. The cursor
/// covers all rooms and is opaque to clients. A deleted room ends with the event `closed`, a room
/// that the caller may not follow (any longer) with `removed`, and the other rooms go on. When the
/// caller's session ends, the event `signed-out` ends the stream. A cursor that the server cannot
/// honour resets its room alone. With `list=on` the events `rooms` carry the public rooms, as in
/// the event stream of `GET /rooms/`; with `overview=on` the events `overview` carry the caller's
/// rooms, as in that of `GET /overview/`, and in `open` those of `rooms` that are not among them. With `beat=on` an event `beat` without an `id` comes at
/// once and at least every 15 seconds, so that a page notices a silent connection.
///
/// The same over WebSocket: each text frame is a piece of the stream as it is written there, whole
/// events (`id: …`, `event: …`, `data: …`, an empty line) or lines between them (`: heartbeat`,
/// `retry: …`); the server ignores frames from the client.
#[utoipa::path(get, path = "/stream", tag = "messages",
    params(
        ("rooms" = Option<String>, Query, pattern = "^([0-9a-f]{16}(,[0-9a-f]{16}){0,31})?$",
            description = "The rooms' IDs, separated by commas; at most 32, and at least one unless `list=on` or `overview=on`"),
        ("Last-Event-ID" = Option<String>, Header, nullable = false,
            description = "Follow right after this event; takes precedence over the query"),
        ("last_event_id" = Option<String>, Query,
            description = "The same, for clients that cannot set headers"),
        ("after" = Option<String>, Query,
            description = "Only messages after this sequence number or cursor, `latest` for no history; one for all rooms, or one for each in their order, separated by commas"),
        ("username" = Option<Username>, Query,
            description = "The reader's name: present in each of the rooms while the stream lasts"),
        ("beat" = Option<String>, Query, pattern = "^(true|on|1|false|off|0|)$",
            description = "Whether heartbeats are events that a page can see; off by default"),
        ("list" = Option<String>, Query, pattern = "^(true|on|1|false|off|0|)$",
            description = "Whether to send the public rooms; off by default"),
        ("overview" = Option<String>, Query, pattern = "^(true|on|1|false|off|0|)$",
            description = "Whether to send the caller's rooms and direct messages; off by default"),
        ("also" = Option<String>, Query, pattern = "^([0-9a-f]{16}(,[0-9a-f]{16}){0,15})?$",
            description = "IDs of other rooms in the overview, separated by commas; at most 16"),
    ),
    responses(
        (status = 101, description = "The same events over WebSocket"),
        (status = 200,
            description = "The events", body = String, content_type = "text/event-stream"),
        RoomRefused,
        QueryRefused,
    ))]
pub(crate) async fn follow_rooms(
    State(state): State<AppState>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Caller(by): Caller,
    headers: HeaderMap,
    query: Query,
    upgrade: Upgrade,
) -> Result<Response, Error> {
    let username = query.text("username");
    username.map(text::parse_username).transpose()?;
    let with_public_rooms = query.flag("list")?;
    let with_overview = query.flag("overview")?;
    let is_only_rooms = !with_public_rooms && !with_overview;
    let also = overview::parse_also(&query)?;
    let also = state.known_rooms(&by, Some(peer.ip()), &also).await?;
    let has_visible_beat = query.flag("beat")?;
    let starts = parse_starts(&headers, &query, !is_only_rooms)?;
    let followed = starts.keys().copied().collect();
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
        merged.add_overview(state.chat.watch_overview(by.clone(), also, followed));
    }
    if !is_only_rooms {
        // A room's follower notices the end of the session by itself; the other sources do not.
        merged.add_sign_out(state.chat.watch_session(&by).await?);
    }
    let visible_beat = SEEN.as_bytes();
    let beat = if has_visible_beat { visible_beat } else { BEAT };
    let first = stream::iter(has_visible_beat.then_some(Bytes::from_static(visible_beat)));
    let events = first.chain(merged.into_events());
    let place = state.streams.enter(Some(peer.ip()), &by)?;
    Ok(match upgrade {
        Ok(upgrade) => sse_over_websocket::respond(&state, upgrade, events.boxed(), beat, place),
        Err(_) => sse::respond(events, beat, place),
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
            Err(chat::Error::Refusal(gone @ Refusal::Gone(_))) => {
                merged.add_ended_room(sse::last(room, &gone))
            }
            Err(chat::Error::Refusal(refusal)) if refusal != Refusal::NotSignedIn => {
                if matches!(refusal, Refusal::NotFound(_)) {
                    state.limits.record_missing_room(peer.ip());
                }
                merged.add_ended_room(sse::last(room, &refusal));
                refused = Some(refusal);
            }
            Err(other) => return Err(other.into()),
        }
    }
    Ok(refused)
}

/// Joins a room under a name, unless another person holds the name there: the caller still receives
/// the room's events.
async fn join(follow: &mut Follower, username: &str) -> Result<(), chat::Error> {
    match follow.set_username(username).await {
        Err(chat::Error::Refusal(Refusal::Taken(_))) => Ok(()),
        other => other,
    }
}

/// Where the caller starts in each room: after the last event that it has received, or where
/// `after` says.
fn parse_starts(
    headers: &HeaderMap,
    query: &Query,
    may_be_empty: bool,
) -> Result<BTreeMap<RoomId, Start>, Refusal> {
    let ids = parse_rooms(query, may_be_empty)?;
    let after = parse_after(query, ids.len())?;
    // A room that is named twice is one room.
    let mut starts: BTreeMap<RoomId, Start> = ids.into_iter().zip(after).collect();
    if starts.len() > ROOMS_MAX {
        return Err(invalid_rooms());
    }
    if let Some(id) = resume_point::last_event_id(headers, query) {
        let cursors = Cursors::parse(id);
        for (room, start) in &mut starts {
            *start = cursors.start(*room);
        }
    }
    Ok(starts)
}

/// The rooms of the query.
fn parse_rooms(query: &Query, may_be_empty: bool) -> Result<Vec<RoomId>, Refusal> {
    let text = if may_be_empty {
        query.text("rooms").unwrap_or_default()
    } else {
        query.required("rooms")?
    };
    if text.is_empty() && may_be_empty {
        return Ok(Vec::new());
    }
    let ids = text.split(',').map(|id| id.trim().parse());
    ids.collect::<Result<_, _>>().map_err(|_| invalid_rooms())
}

fn invalid_rooms() -> Refusal {
    let rule = format!("must be 1 to {ROOMS_MAX} IDs, separated by commas");
    Refusal::invalid("rooms", rule)
}

/// The start in each of `count` rooms: one for all of them, or one for each in their order.
fn parse_after(query: &Query, count: usize) -> Result<Vec<Start>, Refusal> {
    let text = query.text("after").unwrap_or("0");
    let starts: Vec<Start> = text
        .split(',')
        .map(|one| Start::parse_after(one.trim()))
        .collect();
    match starts[..] {
        [start] => Ok(vec![start; count]),
        _ if starts.len() == count => Ok(starts),
        _ => Err(Refusal::invalid(
            "after",
            "must be one for all rooms, or one for each of them in their order",
        )),
    }
}
