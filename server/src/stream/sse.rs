//! Event streams: what followers are told, as bytes on the wire.
//!
//! Promises: a stream holds one page at the most and is paced by its reader; it ends with the last thing there is to say.
//! Leaves to others: the socket, and showing that the connection is alive (`live`).

use std::time::Duration;

use axum::Extension;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use chat::lobby::{self, Listener};
use chat::{FollowEvent, Follower, Frames, PublicRoomsWatch};
use futures_util::stream::BoxStream;
use futures_util::{Stream, StreamExt, stream};
use protocol::RoomId;
use tokio::time::{Instant, timeout_at};

use crate::net::sse_takeover::{BEAT, Events, Live};

/// How long a client waits before it comes back, in milliseconds.
const RETRY: &str = "retry: 2000\n\n";

/// A stream that may be silent for longer never ends by it; there are no moments any later.
const AGES: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

/// Tells a client to forget what it has.
const RESET: &[u8] = b"event: reset\ndata: {}\n\n";

/// The messages of a room, as they are and as they come.
pub(crate) fn messages(follow: Follower, room: RoomId) -> Response {
    answer(
        Box::new(move |sink| begun(news(follow.with_sink(sink), room))),
        BEAT,
    )
}

fn news(follow: Follower, room: RoomId) -> impl Stream<Item = Bytes> + Send + 'static {
    stream::unfold(Some(follow), move |follow| async move {
        let mut follow = follow?;
        match follow.next().await {
            Ok(FollowEvent::Messages(frames)) => Some((frames.bytes().clone(), Some(follow))),
            Ok(FollowEvent::Ephemeral(event)) => Some((event.bytes().clone(), Some(follow))),
            Ok(FollowEvent::Reset) => Some((Bytes::from_static(RESET), Some(follow))),
            Ok(FollowEvent::Closing(at)) => Some((
                format!("event: closing\ndata: {{\"expires_at\":\"{at}\"}}\n\n").into(),
                Some(follow),
            )),
            Ok(FollowEvent::Closed) => Some((closed(room), None)),
            Ok(FollowEvent::Removed) => Some((removed(room), None)),
            Ok(FollowEvent::SignedOut) => Some((signed_out(), None)),
            Ok(FollowEvent::Draining) => Some((come_back(), None)),
            Err(error) => {
                // The client comes back with its cursor and misses nothing.
                tracing::error!(%room, %error, "a stream ends early");
                None
            }
        }
    })
}

/// The public rooms, as they are and whenever they change.
pub(crate) fn rooms(watch: PublicRoomsWatch) -> Response {
    let pages = stream::unfold(Some(watch), |watch| async move {
        let mut watch = watch?;
        match watch.next().await {
            Ok(Some(rooms)) => Some((rooms, Some(watch))),
            Ok(None) => Some((come_back(), None)),
            Err(error) => {
                tracing::error!(%error, "a stream ends early");
                None
            }
        }
    });
    respond(pages, BEAT)
}

/// The lines of the lobby that somebody hears, until they leave or nothing is said for so long.
pub(crate) fn lobby(listener: Listener, idle: Duration) -> Response {
    let idle = idle.min(AGES);
    let start = Some((listener, Instant::now() + idle));
    let lines = stream::unfold(start, move |state| async move {
        let (mut listener, end) = state?;
        match timeout_at(end, listener.follow.next()).await.ok()? {
            Ok(FollowEvent::Messages(frames)) => {
                let (text, left) = lines(&frames, &listener);
                Some((text, (!left).then(|| (listener, Instant::now() + idle))))
            }
            Ok(FollowEvent::Reset) => Some((Bytes::from_static(RESET), Some((listener, end)))),
            // The lobby begins anew when somebody joins; nobody needs a warning. Its people say when they come.
            Ok(FollowEvent::Closing(_) | FollowEvent::Ephemeral(_)) => {
                Some((Bytes::new(), Some((listener, end))))
            }
            Ok(FollowEvent::Closed | FollowEvent::Removed | FollowEvent::SignedOut) => None,
            Ok(FollowEvent::Draining) => Some((come_back(), None)),
            Err(error) => {
                tracing::error!(%error, "a stream ends early");
                None
            }
        }
    });
    respond(lines, BEAT)
}

/// Messages of the lobby as events of plain text, up to the one that says that who listens has left, if there is one.
fn lines(frames: &Frames, listener: &Listener) -> (Bytes, bool) {
    let mut text = String::new();
    for frame in frames.frames() {
        // What was heard stays heard: the lobby's lines are not changed afterwards.
        let Some(message) = frame.message() else {
            continue;
        };
        text.push_str(&format!("id: {}\n", frame.cursor));
        for line in lobby::line(&message).split('\n') {
            text.push_str(&format!("data: {line}\n"));
        }
        text.push('\n');
        if listener.ends_with(&message) {
            return (text.into(), true);
        }
    }
    (text.into(), false)
}

/// The last thing that is said of a room.
pub(crate) fn closed(room: RoomId) -> Bytes {
    format!("event: closed\ndata: {{\"room\":\"{room}\"}}\n\n").into()
}

/// The last thing that is said to somebody who may not listen any longer.
pub(crate) fn removed(room: RoomId) -> Bytes {
    format!("event: removed\ndata: {{\"room\":\"{room}\"}}\n\n").into()
}

/// The last thing that is said to somebody who is no longer signed in.
pub(crate) fn signed_out() -> Bytes {
    Bytes::from_static(b"event: signed-out\ndata: {}\n\n")
}

/// Events as an answer; `beat` is what is said only to be heard.
pub(crate) fn respond(
    events: impl Stream<Item = Bytes> + Send + 'static,
    beat: &'static [u8],
) -> Response {
    answer(Box::new(|_| begun(events)), beat)
}

/// Events, after what every stream begins with.
fn begun(events: impl Stream<Item = Bytes> + Send + 'static) -> BoxStream<'static, Bytes> {
    stream::iter([Bytes::from_static(RETRY.as_bytes())])
        .chain(events)
        .boxed()
}

fn answer(events: Events, beat: &'static [u8]) -> Response {
    let headers = [
        (header::CONTENT_TYPE.as_str(), "text/event-stream"),
        (header::CACHE_CONTROL.as_str(), "no-cache, no-transform"),
        (header::VARY.as_str(), "Accept"),
        ("x-accel-buffering", "no"),
    ];
    (headers, Extension(Live::new(events, beat))).into_response()
}

/// Spreads the clients of a server that stops over two seconds, so that they do not all knock at once.
pub(crate) fn come_back() -> Bytes {
    let spread = getrandom::u32().unwrap_or(0) % 2_000;
    format!("retry: {}\n\n", 1_000 + spread).into()
}
