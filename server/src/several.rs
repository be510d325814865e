//! `/stream`: several rooms on one connection, and the list of public rooms if asked for.
//!
//! The same events as the stream of each room, one after the other; each names its room in its data. The cursor is that
//! of all of them together, and opaque to clients. The same over WebSocket (`carried`), where a proxy lets no event
//! stream through.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::net::SocketAddr;

use axum::extract::{ConnectInfo, State};
use axum::http::HeaderMap;
use axum::response::Response;
use bytes::Bytes;
use chat::{Frames, News, Person, SignedIn, Watch};
use futures_util::stream::{BoxStream, SelectAll};
use futures_util::{Stream, StreamExt, stream};
use protocol::schema::Username;
use protocol::{Cursor, Problem, Refusal, RoomId, Start, text};

use crate::caller::Caller;
use crate::error::Error;
use crate::fields::{Fields, Query};
use crate::live::{BEAT, SEEN};
use crate::socket::Upgrade;
use crate::{AppState, carried, origin, overview, stream as events};

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
pub(crate) async fn follow(
    State(state): State<AppState>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Caller(by): Caller,
    headers: HeaderMap,
    Query(query): Query,
    upgrade: Upgrade,
) -> Result<Response, Error> {
    if upgrade.is_ok() {
        origin::check(&headers)?;
    }
    let username = query.text("username")?;
    username.map(text::username).transpose()?;
    let list = query.flag("list")?.unwrap_or(false);
    let overview = query.flag("overview")?.unwrap_or(false);
    let also = overview::known(&state, &by, Some(peer.ip()), &overview::also(&query)?).await?;
    let seen_beat = query.flag("beat")?.unwrap_or(false);
    let seen = crate::message::last_event_id(&headers, &query)?.map(Cursors::parse);
    let (mut all, mut cursors) = (SelectAll::new(), Cursors::default());
    let (mut gone, mut refused) = (Vec::new(), None);
    for (room, after) in rooms(&query, list || overview)? {
        let start = match &seen {
            Some(cursors) => cursors
                .0
                .get(&room)
                .map_or(Start::Unknown, |cursor| Start::Cursor(*cursor)),
            None => after,
        };
        match state.chat.follow(&by, &room, start).await {
            Ok(mut follow) => {
                if let Some(username) = username {
                    join(&mut follow, username).await?;
                }
                cursors
                    .0
                    .extend(follow.cursor().map(|cursor| (room, cursor)));
                all.push(told(room, follow));
            }
            Err(chat::Error::Refusal(Refusal::Gone)) => gone.push(events::closed(room)),
            Err(chat::Error::Refusal(refusal)) if refusal != Refusal::NotSignedIn => {
                if matches!(refusal, Refusal::NotFound(_)) {
                    state.limits.looked_in_vain(peer.ip());
                }
                gone.push(events::removed(room));
                refused = Some(refusal);
            }
            Err(other) => return Err(other.into()),
        }
    }
    // One that is refused is no reason to hear nothing of the others.
    if let Some(refusal) = refused.filter(|_| all.is_empty() && !list && !overview) {
        return Err(refusal.into());
    }
    if list {
        all.push(listed(state.chat.watch()));
    }
    if overview {
        all.push(glances(&state, by.clone(), also));
    }
    if list || overview {
        // Without a room nobody else would say so.
        all.push(signed_out(state.chat.signed_in(&by).await?));
    }
    let beat = if seen_beat { SEEN } else { BEAT };
    let first = stream::iter(seen_beat.then_some(Bytes::from_static(SEEN)));
    let events = first.chain(stream::iter(gone)).chain(merged(all, cursors));
    Ok(match upgrade {
        Ok(upgrade) => carried::respond(&state, upgrade, events.boxed(), beat),
        Err(_) => events::respond(events, beat),
    })
}

/// Somebody's overview alone, as it is and whenever it changes.
pub(crate) async fn overview(
    state: &AppState,
    by: Person,
    also: Vec<RoomId>,
) -> Result<Response, Error> {
    let over = signed_out(state.chat.signed_in(&by).await?);
    let told = stream::select_all([glances(state, by, also), over]);
    Ok(events::respond(merged(told, Cursors::default()), BEAT))
}

/// Follows under a name, where that is not somebody else's: one such room is no reason to hear nothing of the others.
async fn join(follow: &mut chat::Follow, username: &str) -> Result<(), chat::Error> {
    match follow.join(username).await {
        Err(chat::Error::Refusal(Refusal::Taken(_))) => Ok(()),
        other => other,
    }
}

/// The rooms that are asked for, and where each begins; `without` says whether there may be none.
fn rooms(query: &Fields, without: bool) -> Result<BTreeMap<RoomId, Start>, Refusal> {
    let invalid = || {
        Refusal::invalid(
            "rooms",
            format!("must be 1 to {ROOMS_MAX} IDs with commas between"),
        )
    };
    let text = if without {
        query.text("rooms")?.unwrap_or_default()
    } else {
        query.required("rooms")?
    };
    let ids = text
        .split(',')
        .filter(|_| !(without && text.is_empty()))
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

/// Where a client is in each room.
#[derive(Clone, Debug, Default, PartialEq)]
struct Cursors(BTreeMap<RoomId, Cursor>);

impl Cursors {
    /// Reads what [`Cursors::text`] writes; what cannot be read is left out, so that its room is reset.
    fn parse(text: &str) -> Self {
        let pair = |pair: &str| {
            pair.split_once('-')
                .and_then(|(room, at)| Some((room.parse().ok()?, at.parse().ok()?)))
        };
        Self(text.split('_').filter_map(pair).collect())
    }

    fn text(&self) -> String {
        let pairs: Vec<_> = self
            .0
            .iter()
            .map(|(room, cursor)| format!("{room}-{cursor}"))
            .collect();
        pairs.join("_")
    }
}

/// What is told on the connection.
enum Told {
    Of(RoomId, News),
    /// An event that tells a whole state of something else than a room.
    Whole(Bytes),
    /// Whoever listens is no longer signed in.
    SignedOut,
    Draining,
}

type Tellers = SelectAll<BoxStream<'static, Result<Told, chat::Error>>>;

/// What is told of one room, to its end.
fn told(room: RoomId, follow: chat::Follow) -> BoxStream<'static, Result<Told, chat::Error>> {
    let news = stream::unfold(Some(follow), move |follow| async move {
        let mut follow = follow?;
        let news = follow.next().await;
        let last = matches!(
            news,
            Ok(News::Closed | News::Removed | News::SignedOut | News::Draining) | Err(_)
        );
        let told = news.map(|news| match news {
            News::Draining => Told::Draining,
            News::SignedOut => Told::SignedOut,
            news => Told::Of(room, news),
        });
        Some((told, (!last).then_some(follow)))
    });
    news.boxed()
}

/// The public rooms, until the server stops.
fn listed(watch: Watch) -> BoxStream<'static, Result<Told, chat::Error>> {
    let pages = stream::unfold(Some(watch), |watch| async move {
        let mut watch = watch?;
        match watch.next().await {
            Ok(Some(rooms)) => Some((
                Ok(Told::Whole([b"event: rooms\n", &rooms[..]].concat().into())),
                Some(watch),
            )),
            Ok(None) => Some((Ok(Told::Draining), None)),
            Err(error) => Some((Err(error), None)),
        }
    });
    pages.boxed()
}

/// Somebody's overview, until the server stops.
fn glances(
    state: &AppState,
    by: Person,
    also: Vec<RoomId>,
) -> BoxStream<'static, Result<Told, chat::Error>> {
    let told = overview::watch(state, by, also).map(|glance| glance.map(Told::Whole));
    told.chain(stream::once(async { Ok(Told::Draining) }))
        .boxed()
}

/// That whoever listens is no longer signed in, once it is so.
fn signed_out(mut signed_in: SignedIn) -> BoxStream<'static, Result<Told, chat::Error>> {
    let over = async move {
        signed_in.over().await;
        Ok(Told::SignedOut)
    };
    stream::once(over).boxed()
}

/// Everything that is told, as bytes on the wire; ends when the server stops or the last room is gone.
fn merged(all: Tellers, cursors: Cursors) -> impl Stream<Item = Bytes> + Send {
    stream::unfold(Some((all, cursors)), |state| async move {
        let (mut all, mut cursors) = state?;
        match all.next().await? {
            Ok(Told::Of(room, news)) => {
                Some((event(room, news, &mut cursors), Some((all, cursors))))
            }
            Ok(Told::Whole(event)) => Some((event, Some((all, cursors)))),
            Ok(Told::SignedOut) => Some((events::signed_out(), None)),
            Ok(Told::Draining) => Some((events::come_back(), None)),
            Err(error) => {
                // The client comes back with its cursor and misses nothing.
                tracing::error!(%error, "a stream ends early");
                None
            }
        }
    })
}

/// What is told of one room, as bytes on the wire.
fn event(room: RoomId, news: News, cursors: &mut Cursors) -> Bytes {
    match news {
        News::Messages(frames) => messages(&frames, room, cursors),
        News::Ephemeral(event) => event.bytes().clone(),
        News::Reset => format!("event: reset\ndata: {{\"room\":\"{room}\"}}\n\n").into(),
        News::Closing(at) => {
            format!("event: closing\ndata: {{\"room\":\"{room}\",\"expires_at\":\"{at}\"}}\n\n")
                .into()
        }
        News::Closed => events::closed(room),
        News::Removed => events::removed(room),
        News::SignedOut => events::signed_out(),
        News::Draining => events::come_back(),
    }
}

fn messages(frames: &Frames, room: RoomId, cursors: &mut Cursors) -> Bytes {
    let mut text = String::new();
    for frame in frames.frames() {
        cursors.0.insert(room, frame.cursor);
        let json = String::from_utf8_lossy(&frame.json);
        let event = frame
            .change
            .map(|change| format!("event: {}\n", change.name()))
            .unwrap_or_default();
        // Writing to a text cannot fail.
        let _ = write!(text, "id: {}\n{event}data: {json}\n\n", cursors.text());
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
        assert_eq!(
            Cursors::parse("x_0000000000000001-zz_-"),
            Cursors::default()
        );
    }
}
