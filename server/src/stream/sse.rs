//! Event streams (Server-Sent Events): the events of a follower as bytes.
//!
//! # Guarantees
//! A stream holds one page of history at most, and its reader sets the pace. The stream of a room
//! ends with an event that names the reason, unless the server stops or fails. Every block that
//! ends in an empty line carries data: some clients take a block without data for an event.
//!
//! # Not here
//! The socket and the heartbeats (`net::sse_takeover`).

use std::time::Duration;

use axum::Extension;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use chat::lobby::{self, Listener};
use chat::{FollowEvent, Follower, Frames, PublicRoomsWatch};
use futures_util::stream::BoxStream;
use futures_util::{Stream, StreamExt, stream};
use protocol::{EventName, Refusal, RoomId, Time};
use serde_json::json;
use texts::Language;
use tokio::time::{Instant, timeout_at};

use crate::limit::stream_places::StreamPlace;
use crate::net::sse_takeover::{BEAT, Events, StreamResponse};

/// The first line of every stream: how long a client waits before it reconnects, in milliseconds.
/// No empty line follows, so the line belongs to the block of the first event, whenever that comes.
const RETRY: &str = "retry: 2000\n";

/// Reconnections after a shutdown are spread over this time, in milliseconds, so that the clients
/// do not all come at once.
const RECONNECT_SPREAD: u32 = 500;

/// A longer idle timeout of the lobby counts as this one, because the clock has no later times.
const IDLE_MAX: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

/// The events of a room, from the follower's cursor on.
pub(crate) fn messages(follower: Follower, room: RoomId, place: StreamPlace) -> Response {
    let language = Language::current();
    stream_response(
        Box::new(move |sink| with_retry(room_events(follower.with_sink(sink), room, language))),
        BEAT,
        place,
    )
}

fn room_events(
    follower: Follower,
    room: RoomId,
    language: Language,
) -> impl Stream<Item = Bytes> + Send + 'static {
    let last = move |refusal: &Refusal| language.run(|| last(room, refusal));
    stream::unfold(Some(follower), move |follower| async move {
        let mut follower = follower?;
        match follower.next().await {
            Ok(FollowEvent::Messages(frames)) => Some((frames.bytes().clone(), Some(follower))),
            Ok(FollowEvent::Ephemeral(event)) => Some((event.bytes().clone(), Some(follower))),
            Ok(FollowEvent::Reset) => Some((without_data(EventName::Reset), Some(follower))),
            Ok(FollowEvent::Closing(at)) => Some((closing(at), Some(follower))),
            Ok(FollowEvent::Closed(end)) => Some((last(&Refusal::Gone(end)), None)),
            Ok(FollowEvent::Removed(refusal)) => Some((last(&refusal), None)),
            Ok(FollowEvent::SignedOut) => Some((without_data(EventName::SignedOut), None)),
            Ok(FollowEvent::Draining) => Some((reconnect_later(), None)),
            Err(error) => {
                // The client reconnects with its cursor and misses nothing.
                tracing::error!(%room, %error, "an event stream ended early");
                None
            }
        }
    })
}

/// The list of public rooms, now and after each change.
pub(crate) fn rooms(watch: PublicRoomsWatch, place: StreamPlace) -> Response {
    let lists = stream::unfold(Some(watch), |watch| async move {
        let mut watch = watch?;
        match watch.next().await {
            Ok(Some(rooms)) => Some((rooms, Some(watch))),
            Ok(None) => Some((reconnect_later(), None)),
            Err(error) => {
                tracing::error!(%error, "an event stream ended early");
                None
            }
        }
    });
    respond(lists, BEAT, place)
}

/// The lines of the lobby, until the listener leaves, or there is no message for the time `idle`.
pub(crate) fn lobby(listener: Listener, idle: Duration, place: StreamPlace) -> Response {
    let idle = idle.min(IDLE_MAX);
    let start = LobbyStream {
        listener,
        deadline: Instant::now() + idle,
    };
    let events = stream::unfold(Some(start), move |stream| async move {
        let LobbyStream {
            mut listener,
            deadline,
        } = stream?;
        match timeout_at(deadline, listener.follow.next()).await.ok()? {
            Ok(FollowEvent::Messages(frames)) => {
                let lines = lobby_lines(&frames, &listener);
                let deadline = Instant::now() + idle;
                let next = LobbyStream { listener, deadline };
                Some((lines.text, (!lines.is_last).then_some(next)))
            }
            Ok(FollowEvent::Reset) => {
                let next = LobbyStream { listener, deadline };
                Some((without_data(EventName::Reset), Some(next)))
            }
            // The lobby is created again when a person joins, so its end needs no warning. Joining
            // and leaving are messages, so presence is not sent.
            Ok(FollowEvent::Closing(_) | FollowEvent::Ephemeral(_)) => {
                let next = LobbyStream { listener, deadline };
                Some((Bytes::new(), Some(next)))
            }
            Ok(FollowEvent::Closed(_) | FollowEvent::Removed(_) | FollowEvent::SignedOut) => None,
            Ok(FollowEvent::Draining) => Some((reconnect_later(), None)),
            Err(error) => {
                tracing::error!(%error, "an event stream ended early");
                None
            }
        }
    });
    respond(events, BEAT, place)
}

/// A stream of the lobby, between two events.
struct LobbyStream {
    listener: Listener,
    /// When the stream ends if there is no message before.
    deadline: Instant,
}

/// Messages of the lobby as events of plain text.
struct LobbyLines {
    text: Bytes,
    /// Whether the last line says that the listener has left.
    is_last: bool,
}

fn lobby_lines(frames: &Frames, listener: &Listener) -> LobbyLines {
    let mut text = String::new();
    for frame in frames.frames() {
        // Edits and deletions are not sent: a line of the lobby is not changed afterwards.
        let Some(message) = frame.message() else {
            continue;
        };
        text.push_str(&format!("id: {}\n", frame.cursor));
        for line in lobby::line(&message).split('\n') {
            text.push_str(&format!("data: {line}\n"));
        }
        text.push('\n');
        if listener.ends_with(&message) {
            return LobbyLines {
                text: text.into(),
                is_last: true,
            };
        }
    }
    LobbyLines {
        text: text.into(),
        is_last: false,
    }
}

/// An event whose data is its room alone.
pub(crate) fn about_room(event: EventName, room: RoomId) -> Bytes {
    event.encode(&format!(r#"{{"room":"{room}"}}"#)).into()
}

/// The last event of a room: the reader may not follow it (any longer), or it has been deleted. Its
/// data has what a request for the room answers, so that no reader needs to ask.
pub(crate) fn last(room: RoomId, refusal: &Refusal) -> Bytes {
    let event = match refusal {
        Refusal::Gone(_) => EventName::Closed,
        _ => EventName::Removed,
    };
    let data = json!({"room": room, "problem": refusal.problem()});
    event.encode(&data.to_string()).into()
}

/// An event that says everything by its name.
pub(crate) fn without_data(event: EventName) -> Bytes {
    event.encode("{}").into()
}

/// The warning that the room ends at this time.
fn closing(at: Time) -> Bytes {
    let data = format!(r#"{{"expires_at":"{at}"}}"#);
    EventName::Closing.encode(&data).into()
}

/// A response with these events; `beat` is the heartbeat of the stream.
pub(crate) fn respond(
    events: impl Stream<Item = Bytes> + Send + 'static,
    beat: &'static [u8],
    place: StreamPlace,
) -> Response {
    stream_response(Box::new(|_| with_retry(events)), beat, place)
}

/// Events after the first line of every stream.
fn with_retry(events: impl Stream<Item = Bytes> + Send + 'static) -> BoxStream<'static, Bytes> {
    stream::iter([Bytes::from_static(RETRY.as_bytes())])
        .chain(events)
        .boxed()
}

fn stream_response(events: Events, beat: &'static [u8], place: StreamPlace) -> Response {
    let headers = [
        (header::CONTENT_TYPE.as_str(), "text/event-stream"),
        (header::CACHE_CONTROL.as_str(), "no-cache, no-transform"),
        (header::VARY.as_str(), "Accept"),
        ("x-accel-buffering", "no"),
    ];
    (headers, Extension(StreamResponse::new(events, beat, place))).into_response()
}

/// The last line of a stream when the server stops: when to reconnect. No empty line follows, so
/// that the line is no event.
pub(crate) fn reconnect_later() -> Bytes {
    let spread = getrandom::u32().unwrap_or(0) % RECONNECT_SPREAD;
    format!("retry: {}\n", 1_000 + spread).into()
}
