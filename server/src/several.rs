//! `/stream`: several rooms on one connection.
//!
//! The same events as the stream of each room, one after the other; each names its room in its data. The cursor is that
//! of all of them together, and opaque to clients.

use std::collections::BTreeMap;
use std::fmt::Write;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use bytes::Bytes;
use chat::{Frames, News};
use futures_util::stream::{BoxStream, SelectAll};
use futures_util::{Stream, StreamExt, stream};
use protocol::{Cursor, Problem, Refusal, RoomId, Start};

use crate::error::Error;
use crate::fields::{Fields, Query};
use crate::{AppState, stream as events};

/// The most rooms on one connection; each event carries a cursor of all of them.
const ROOMS_MAX: usize = 32;

/// Follows several rooms at once.
///
/// A room that is deleted says `closed` and the others go on. A cursor that cannot be honoured resets its room alone.
#[utoipa::path(get, path = "/stream", tag = "messages",
    params(
        ("rooms" = String, Query, pattern = "^[0-9a-f]{16}(,[0-9a-f]{16}){0,31}$", description = "The rooms' IDs, with commas between; at most 32"),
        ("Last-Event-ID" = Option<String>, Header, nullable = false, description = "Follow right after this event; goes before the query"),
        ("last_event_id" = Option<String>, Query, description = "The same, for clients that cannot set headers"),
        ("after" = Option<String>, Query, description = "`latest` follows without any history"),
    ),
    responses(
        (status = 200, description = "The events", body = String, content_type = "text/event-stream"),
        (status = 400, description = "Malformed query", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There never was one of the rooms", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "Invalid parameter", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn follow(
    State(state): State<AppState>,
    headers: HeaderMap,
    Query(query): Query,
) -> Result<Response, Error> {
    let rooms = rooms(&query)?;
    let seen = crate::message::last_event_id(&headers, &query)?.map(Cursors::parse);
    let otherwise = query.text("after")?.map_or(Start::Seq(0), Start::after);
    let (mut all, mut gone) = (SelectAll::new(), Vec::new());
    for room in rooms {
        let start = match &seen {
            Some(cursors) => cursors.0.get(&room).map_or(Start::Unknown, |cursor| Start::Cursor(*cursor)),
            None => otherwise,
        };
        match state.chat.follow(&room, start).await {
            Ok(follow) => all.push(told(room, follow)),
            Err(chat::Error::Refusal(Refusal::Gone)) => gone.push(events::closed(room)),
            Err(other) => return Err(other.into()),
        }
    }
    let cursors = seen.unwrap_or_default();
    Ok(events::respond(stream::iter(gone).chain(merged(all, cursors))))
}

fn rooms(query: &Fields) -> Result<Vec<RoomId>, Refusal> {
    let invalid = || Refusal::invalid("rooms", format!("must be 1 to {ROOMS_MAX} IDs with commas between"));
    let ids: Result<Vec<RoomId>, _> = query.required("rooms")?.split(',').map(|id| id.trim().parse()).collect();
    let mut ids = ids.map_err(|_| invalid())?;
    ids.sort();
    ids.dedup();
    if ids.len() <= ROOMS_MAX { Ok(ids) } else { Err(invalid()) }
}

/// Where a client is in each room.
#[derive(Clone, Debug, Default, PartialEq)]
struct Cursors(BTreeMap<RoomId, Cursor>);

impl Cursors {
    /// Reads what [`Cursors::text`] writes; what cannot be read is left out, so that its room is reset.
    fn parse(text: &str) -> Self {
        let pair =
            |pair: &str| pair.split_once('-').and_then(|(room, at)| Some((room.parse().ok()?, at.parse().ok()?)));
        Self(text.split('_').filter_map(pair).collect())
    }

    fn text(&self) -> String {
        let pairs: Vec<_> = self.0.iter().map(|(room, cursor)| format!("{room}-{cursor}")).collect();
        pairs.join("_")
    }
}

type Told = (RoomId, Result<News, chat::Error>);

/// What is told of one room, to its end.
fn told(room: RoomId, follow: chat::Follow) -> BoxStream<'static, Told> {
    let news = stream::unfold(Some(follow), move |follow| async move {
        let mut follow = follow?;
        let news = follow.next().await;
        let last = matches!(news, Ok(News::Closed | News::Draining) | Err(_));
        Some(((room, news), (!last).then_some(follow)))
    });
    news.boxed()
}

/// Everything that is told, as bytes on the wire; ends when the server stops or the last room is gone.
fn merged(all: SelectAll<BoxStream<'static, Told>>, cursors: Cursors) -> impl Stream<Item = Bytes> + Send {
    stream::unfold(Some((all, cursors)), |state| async move {
        let (mut all, mut cursors) = state?;
        let (room, news) = all.next().await?;
        let text = match news {
            Ok(News::Messages(frames)) => messages(&frames, room, &mut cursors),
            Ok(News::Reset) => format!("event: reset\ndata: {{\"room\":\"{room}\"}}\n\n").into(),
            Ok(News::Closing(at)) => {
                format!("event: closing\ndata: {{\"room\":\"{room}\",\"expires_at\":\"{at}\"}}\n\n").into()
            }
            Ok(News::Closed) => events::closed(room),
            Ok(News::Draining) => return Some((events::come_back(), None)),
            Err(error) => {
                tracing::error!(%room, %error, "a stream ends early");
                return None;
            }
        };
        Some((text, Some((all, cursors))))
    })
}

fn messages(frames: &Frames, room: RoomId, cursors: &mut Cursors) -> Bytes {
    let mut text = String::new();
    for (cursor, json) in frames.cursors().zip(frames.json()) {
        cursors.0.insert(room, cursor);
        let json = String::from_utf8_lossy(&json);
        // Writing to a text cannot fail.
        let _ = write!(text, "id: {}\ndata: {json}\n\n", cursors.text());
    }
    text.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_are_read_as_they_are_written() {
        let text = "0000000000000001-000000ab.5_0123456789abcdef-000000ab.17";
        let cursors = Cursors::parse(text);
        assert_eq!((cursors.0.len(), cursors.text()), (2, text.to_owned()));
        assert_eq!(Cursors::parse("x_0000000000000001-zz_-"), Cursors::default());
    }
}
