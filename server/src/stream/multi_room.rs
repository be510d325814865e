//! Several rooms, the public rooms and an overview as one event stream.
//!
//! # Guarantees
//! The events of each room are those of its own stream, in order; each names its room in its data.
//! The cursor of an event covers all rooms of the stream. A room that ends does not end the others.
//!
//! # Not here
//! The query that asks for the rooms (`routes::events`), and the connection (`sse`,
//! `sse_over_websocket`).

use std::collections::BTreeMap;
use std::fmt::Write;

use bytes::Bytes;
use chat::{FollowEvent, Follower, Frames, OverviewWatch, PublicRoomsWatch, SessionWatch};
use futures_util::stream::{BoxStream, SelectAll};
use futures_util::{Stream, StreamExt, stream};
use protocol::{Cursor, EventName, Refusal, RoomId, Start};
use texts::Language;

use crate::stream::sse;

/// A client's cursor in each room.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Cursors(BTreeMap<RoomId, Cursor>);

impl Cursors {
    /// Parses the text of [`Cursors::text`]. A part that is invalid is left out, so that its room
    /// is reset.
    pub(crate) fn parse(text: &str) -> Self {
        let parse_pair = |pair: &str| {
            let (room, cursor) = pair.split_once('-')?;
            Some((room.parse().ok()?, cursor.parse().ok()?))
        };
        Self(text.split('_').filter_map(parse_pair).collect())
    }

    /// Where a follower of this room starts; a room without a cursor is reset.
    pub(crate) fn start(&self, room: RoomId) -> Start {
        self.0
            .get(&room)
            .map_or(Start::Unknown, |cursor| Start::Cursor(*cursor))
    }

    /// The text for an event's `id:`, as in `ROOM-CURSOR_ROOM-CURSOR`.
    pub(crate) fn text(&self) -> String {
        let pairs: Vec<_> = self
            .0
            .iter()
            .map(|(room, cursor)| format!("{room}-{cursor}"))
            .collect();
        pairs.join("_")
    }
}

/// One piece of the merged stream.
enum Piece {
    /// An event of one room.
    Room(RoomId, FollowEvent),
    /// An encoded event that is not about one room: the public rooms, or the overview.
    State(Bytes),
    /// The reader's session has ended.
    SignedOut,
    /// The server is stopping.
    Draining,
}

type Source = BoxStream<'static, Result<Piece, chat::Error>>;

/// An event stream of several sources.
#[derive(Default)]
pub(crate) struct MultiRoomStream {
    sources: SelectAll<Source>,
    cursors: Cursors,
    /// The last events of rooms that cannot be followed.
    ended: Vec<Bytes>,
}

impl MultiRoomStream {
    /// Adds the events of a room, until the room ends.
    pub fn add_room(&mut self, room: RoomId, follower: Follower) {
        if let Some(cursor) = follower.cursor() {
            self.cursors.0.insert(room, cursor);
        }
        self.sources.push(room_events(room, follower));
    }

    /// Adds the last event of a room that cannot be followed.
    pub fn add_ended_room(&mut self, event: Bytes) {
        self.ended.push(event);
    }

    /// Adds the public rooms, until the server stops.
    pub fn add_public_rooms(&mut self, watch: PublicRoomsWatch) {
        self.sources.push(public_rooms(watch));
    }

    /// Adds the reader's overview, until the server stops.
    pub fn add_overview(&mut self, watch: OverviewWatch) {
        self.sources.push(overview(watch));
    }

    /// Adds the event that ends the stream with the reader's session.
    pub fn add_sign_out(&mut self, session: SessionWatch) {
        self.sources.push(sign_out(session));
    }

    /// Whether no room is followed, and nothing else was added.
    pub fn is_empty(&self) -> bool {
        self.sources.is_empty()
    }

    /// The events as bytes. The stream ends when the server stops or the last source has ended.
    pub fn into_events(self) -> impl Stream<Item = Bytes> + Send + 'static {
        let language = Language::current();
        let start = Some((self.sources, self.cursors));
        let merged = stream::unfold(start, move |state| async move {
            let (mut sources, mut cursors) = state?;
            match sources.next().await? {
                Ok(Piece::Room(room, event)) => {
                    let event = language.run(|| room_event(room, event, &mut cursors));
                    Some((event, Some((sources, cursors))))
                }
                Ok(Piece::State(event)) => Some((event, Some((sources, cursors)))),
                Ok(Piece::SignedOut) => Some((sse::without_data(EventName::SignedOut), None)),
                Ok(Piece::Draining) => Some((sse::reconnect_later(), None)),
                Err(error) => {
                    // The client reconnects with its cursor and misses nothing.
                    tracing::error!(%error, "an event stream ended early");
                    None
                }
            }
        });
        stream::iter(self.ended).chain(merged)
    }
}

/// The events of one room, until the room ends.
fn room_events(room: RoomId, follower: Follower) -> Source {
    let events = stream::unfold(Some(follower), move |follower| async move {
        let mut follower = follower?;
        let event = follower.next().await;
        let is_last = matches!(
            event,
            Ok(FollowEvent::Closed(_)
                | FollowEvent::Removed(_)
                | FollowEvent::SignedOut
                | FollowEvent::Draining)
                | Err(_)
        );
        let piece = event.map(|event| match event {
            FollowEvent::Draining => Piece::Draining,
            FollowEvent::SignedOut => Piece::SignedOut,
            event => Piece::Room(room, event),
        });
        Some((piece, (!is_last).then_some(follower)))
    });
    events.boxed()
}

/// The public rooms, until the server stops.
fn public_rooms(watch: PublicRoomsWatch) -> Source {
    let lists = stream::unfold(Some(watch), |watch| async move {
        let mut watch = watch?;
        match watch.next().await {
            Ok(Some(rooms)) => {
                let event = [EventName::Rooms.line().as_bytes(), &rooms[..]].concat();
                Some((Ok(Piece::State(event.into())), Some(watch)))
            }
            Ok(None) => Some((Ok(Piece::Draining), None)),
            Err(error) => Some((Err(error), None)),
        }
    });
    lists.boxed()
}

/// The reader's overview, until the server stops.
fn overview(watch: OverviewWatch) -> Source {
    let states = stream::unfold(Some(watch), |watch| async move {
        let mut watch = watch?;
        match watch.next().await {
            Ok(Some(json)) => {
                let event = EventName::Overview.encode(&String::from_utf8_lossy(&json));
                Some((Ok(Piece::State(event.into())), Some(watch)))
            }
            Ok(None) => None,
            Err(error) => Some((Err(error), None)),
        }
    });
    states
        .chain(stream::once(async { Ok(Piece::Draining) }))
        .boxed()
}

/// One piece, when the reader's session ends.
fn sign_out(session: SessionWatch) -> Source {
    let ended = async move {
        session.ended().await;
        Ok(Piece::SignedOut)
    };
    stream::once(ended).boxed()
}

/// An event of one room as bytes.
fn room_event(room: RoomId, event: FollowEvent, cursors: &mut Cursors) -> Bytes {
    match event {
        FollowEvent::Messages(frames) => message_events(&frames, room, cursors),
        FollowEvent::Ephemeral(event) if event.name() == EventName::Name => {
            let json = event.json();
            let fields = String::from_utf8_lossy(&json);
            let fields = fields.trim_start_matches('{');
            let data = format!(r#"{{"room":"{room}",{fields}"#);
            EventName::Name.encode(&data).into()
        }
        FollowEvent::Ephemeral(event) => event.bytes().clone(),
        FollowEvent::Reset => sse::about_room(EventName::Reset, room),
        FollowEvent::Closing(at) => {
            let data = format!(r#"{{"room":"{room}","expires_at":"{at}"}}"#);
            EventName::Closing.encode(&data).into()
        }
        FollowEvent::Closed(end) => sse::last(room, &Refusal::Gone(end)),
        FollowEvent::Removed(refusal) => sse::last(room, &refusal),
        FollowEvent::SignedOut => sse::without_data(EventName::SignedOut),
        FollowEvent::Draining => sse::reconnect_later(),
    }
}

/// Messages as events whose `id:` covers all rooms of the stream.
pub(crate) fn message_events(frames: &Frames, room: RoomId, cursors: &mut Cursors) -> Bytes {
    let mut text = String::new();
    for frame in frames.frames() {
        cursors.0.insert(room, frame.cursor);
        let json = String::from_utf8_lossy(&frame.json);
        let event = (!frame.is_message).then(|| EventName::Change.line());
        let event = event.unwrap_or_default();
        // Writing to a string cannot fail.
        let _ = write!(text, "id: {}\n{event}data: {json}\n\n", cursors.text());
    }
    text.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_are_parsed_from_their_own_text_and_invalid_parts_are_left_out() {
        let text = "0000000000000001-000000ab.5_0123456789abcdef-000000ab.17";
        let cursors = Cursors::parse(text);
        assert_eq!((cursors.0.len(), cursors.text()), (2, text.to_owned()));
        assert_eq!(
            Cursors::parse("x_0000000000000001-zz_-"),
            Cursors::default()
        );
    }
}
