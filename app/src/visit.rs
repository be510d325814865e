//! Being in a room: everything its parts share, and how they hear of the room.
//!
//! Promises: the log on the page is the room's log, without holes, from some message to the newest; own messages appear
//! at once and once. Leaves to others: the connection (`feed`), the sending (`delivery`), the drawing (`timeline`,
//! `composer`).

use std::sync::Arc;
use std::time::Duration;

use leptos::prelude::*;
use protocol::{Message, NewMessage, Role, Room, RoomId, Time};
use web_sys::HtmlElement;

use crate::api::{self, Failure};
use crate::browser::{find, later, listen, live, spawn};
use crate::delivery::Delivery;
use crate::feed::{Feed, News};
use crate::here::People;
use crate::log::{Log, Window};
use crate::opening::Arrival;
use crate::overview::{Glance, keep_count};
use crate::part::Own;
use crate::place;
use crate::reader::Reader;
use crate::{walk, wire};

/// The ID of what scrolls.
pub const LOG: &str = "log";
/// How long after a failure the log is asked for again.
const AGAIN: Duration = Duration::from_secs(3);
/// How close to the edge of what is drawn more of it is drawn, in pixels.
const REACH: i32 = 800;
/// How often it is said how far a room has been read.
const SAY_SEEN: Duration = Duration::from_secs(3);
/// Long enough for something to be drawn, and to have been seen to come.
const DRAWING: Duration = Duration::from_millis(200);

/// A visit to a room.
#[derive(Clone, Copy)]
pub struct Visit {
    /// Which room.
    pub id: RoomId,
    /// The room as last heard of.
    pub room: RwSignal<Room>,
    /// What this page holds of its log.
    pub log: RwSignal<Log>,
    /// What of that is drawn.
    pub window: RwSignal<Window>,
    /// Whether the room is no more, for this visitor at least.
    pub closed: RwSignal<bool>,
    /// Whether that is because the visitor is no longer let in.
    pub removed: RwSignal<bool>,
    /// Who is here.
    pub here: RwSignal<People>,
    /// Who is typing.
    pub typing: RwSignal<Vec<String>>,
    /// Whether the newest message is in view.
    pub at_end: RwSignal<bool>,
    /// How many messages came below the view.
    pub below: RwSignal<usize>,
    /// How many messages came while the page was out of sight.
    pub unread: RwSignal<usize>,
    /// Whether older messages are on their way.
    loading: RwSignal<bool>,
    /// How many pages of what was there before are being drawn: meanwhile nothing is announced.
    pub turning: RwSignal<u32>,
    /// The message whose menu is open, or was.
    pub chosen: RwSignal<u64>,
    /// The message that is written anew; 0 if none is.
    pub editing: RwSignal<u64>,
    /// What went wrong, to be said where one writes.
    pub trouble: RwSignal<Option<String>>,
    /// What has been done, likewise.
    pub notice: RwSignal<String>,
    /// The connection.
    pub feed: Feed,
    /// The own messages on their way.
    pub delivery: Delivery,
    /// The newest message of those that have been here for a while: what is later arrives before the visitor's eyes.
    pub settled: RwSignal<u64>,
    reader: Own<Reader>,
    /// The last activity that the server told of: what is later it has not counted.
    told: Own<Time>,
    /// Up to where it was said that the room has been read; the greatest of all numbers while that is about to be said.
    seen: Own<u64>,
}

impl Visit {
    /// Enters a room. What a browser does is done once it has taken over.
    pub fn enter(arrival: Arrival) -> Self {
        let log = Log::new(arrival.messages);
        let newest = log.newest();
        let (id, feed, glance) = (arrival.room.id, expect_context(), expect_context());
        let told = Own::new(arrival.room.last_active_at);
        let window = RwSignal::new(Window::newest(&log));
        let log = RwSignal::new(log);
        let visit = Self {
            id,
            room: RwSignal::new(arrival.room),
            window,
            log,
            closed: RwSignal::new(false),
            removed: RwSignal::new(false),
            here: RwSignal::new(People::default()),
            typing: RwSignal::new(Vec::new()),
            at_end: RwSignal::new(true),
            below: RwSignal::new(0),
            unread: RwSignal::new(0),
            loading: RwSignal::new(false),
            turning: RwSignal::new(0),
            chosen: RwSignal::new(0),
            editing: RwSignal::new(0),
            trouble: RwSignal::new(None),
            notice: RwSignal::new(String::new()),
            feed,
            delivery: Delivery::new(id, log, feed),
            settled: RwSignal::new(newest),
            reader: Own::new(Reader::at(newest)),
            told,
            seen: Own::new(0),
        };
        live(move || visit.start());
        live(move || visit.renew(glance));
        live(move || visit.see());
        live(move || listen("visibilitychange", move |_| visit.see()));
        visit
    }

    /// Puts a message on its way, and the view at the newest.
    pub fn say(self, message: NewMessage) {
        self.to_newest();
        self.delivery
            .put(message, self.log.with_untracked(Log::newest));
    }

    /// Brings the newest message into view.
    pub fn to_newest(self) {
        if !self.window.get_untracked().at_end() {
            self.turn();
        }
        self.log
            .with_untracked(|log| self.window.set(Window::newest(log)));
        self.below.set(0);
        later(Duration::ZERO, || {
            scroller()
                .iter()
                .for_each(|scroller| scroller.set_scroll_top(0))
        });
    }

    /// Takes note of where the view is now.
    pub fn scrolled(self) {
        let Some(scroller) = scroller() else { return };
        if self.look(&scroller) {
            self.below.set(0);
        }
        if place::above(&scroller) < REACH {
            self.look_up();
        } else if place::below(&scroller) < REACH {
            self.look_down();
        }
    }

    /// Looks whether the newest message is in view. The browser tells of scrolling later, and by then a message may have
    /// come: what was seen last is never taken for what is.
    fn look(self, scroller: &HtmlElement) -> bool {
        let at_end = self.window.get_untracked().at_end() && place::at_end(scroller);
        if self.at_end.get_untracked() != at_end {
            self.at_end.set(at_end);
        }
        at_end
    }

    /// Draws what comes before what is drawn, fetching it if need be.
    fn look_up(self) {
        let held = self
            .log
            .with_untracked(|log| self.window.get_untracked().has_before(log));
        if held {
            self.turn();
            return self.hold(move || {
                self.log
                    .with_untracked(|log| self.window.update(|w| *w = w.up(log)))
            });
        }
        if self.loading.get_untracked()
            || !self.log.with_untracked(Log::has_older)
            || self.closed.get_untracked()
        {
            return;
        }
        self.loading.set(true);
        spawn(self.fetch_older());
    }

    async fn fetch_older(self) {
        let older = api::before(self.id, self.log.with_untracked(Log::oldest)).await;
        // Not again before it is drawn, nor at once if it failed.
        let pause = if older.is_ok() { DRAWING } else { AGAIN };
        if let (Ok(older), false) = (older, self.log.is_disposed()) {
            self.turn();
            self.hold(move || {
                let window = self.window.get_untracked();
                self.log.update(|log| drop(log.add(older)));
                self.log
                    .with_untracked(|log| self.window.set(window.up(log)));
            });
        }
        // By then the view may be at the upper edge again, where nothing more moves to tell of it.
        later(pause, move || {
            if self.loading.try_set(false).is_none() {
                self.scrolled();
            }
        });
    }

    /// Draws what comes after what is drawn.
    fn look_down(self) {
        if !self.window.get_untracked().at_end() {
            self.turn();
            self.hold(move || {
                self.log
                    .with_untracked(|log| self.window.update(|w| *w = w.down(log)))
            });
        }
    }

    /// Announces nothing until what is about to be drawn is there.
    fn turn(self) {
        self.turning.update(|count| *count += 1);
        later(DRAWING, move || {
            self.turning
                .try_update(|count| *count -= 1)
                .unwrap_or_default()
        });
    }

    /// Takes note that all of the room is read, if its end is in view.
    fn see(self) {
        let (newest, at_end) = (self.log.with(Log::newest), self.at_end.get());
        if !at_end || document().hidden() {
            return;
        }
        let (direct, belongs, messages) = self.room.with(|room| {
            (room.with.is_some(), room.role.is_some(), room.message_count) //
        });
        if !direct && !belongs {
            return keep_count(self.id, messages);
        }
        if newest <= self.seen.with(|seen| *seen).unwrap_or(newest) {
            return;
        }
        // What comes in the meantime is read with it. Of two people neither waits.
        let before = self.seen.with(|seen| std::mem::replace(seen, u64::MAX));
        later(
            if direct || before == Some(0) {
                Duration::ZERO
            } else {
                SAY_SEEN
            },
            move || {
                let newest = self.log.try_with_untracked(Log::newest);
                if let Some(newest) =
                    newest.filter(|newest| self.seen.with(|seen| *seen = *newest).is_some())
                {
                    spawn(async move { api::seen(self.id, newest).await });
                }
            },
        );
    }

    fn start(self) {
        self.delivery.start(move |heard| match heard {
            Some(message) => self.take_in(vec![message], false),
            // What may be done here is no longer what it was.
            None => self.ask(),
        });
        let cursor = move || {
            self.reader
                .with(|reader| reader.cursor())
                .unwrap_or_default()
        };
        self.feed
            .follow(self.id.to_string(), cursor, move |news| self.hear(news));
    }

    fn hear(self, news: News) {
        let (name, data, cursor) = match news {
            News::Event(name, data, cursor) => (name, data, cursor),
            News::Lost => return self.ask(),
            News::Changed => return self.delivery.look(),
        };
        match name.as_str() {
            "message" => wire::parse(&data)
                .into_iter()
                .for_each(|message| self.read(message, cursor.clone())),
            "edit" | "deletion" => self.changed(&data, cursor),
            "presence" => wire::parse(&data)
                .into_iter()
                .for_each(|people| self.here.set(people)),
            "typing" => self.type_there(&data),
            "closing" => self.warned(&data),
            "closed" => self.close(),
            "removed" => self.shut(),
            "reset" => self.read_anew(),
            _ => {}
        }
    }

    fn type_there(self, data: &str) {
        let names = wire::parse(data).and_then(|typing| wire::field(&typing, "usernames"));
        names.into_iter().for_each(|names| self.typing.set(names));
    }

    /// The server says when the room closes, if nobody writes.
    fn warned(self, data: &str) {
        let at = wire::parse(data).and_then(|warning| wire::field(&warning, "expires_at"));
        if let Some(at) = at {
            self.room.update(|room| room.expires_at = at);
        }
    }

    /// A message is no longer what it was.
    fn changed(self, data: &str, cursor: String) {
        let change = wire::parse(data);
        let change = change.and_then(|change| {
            Some((
                wire::field(&change, "id")?,
                wire::field(&change, "message")?,
            ))
        });
        let Some((id, message)) = change else { return };
        let (fresh, hole) = self
            .reader
            .with(|reader| reader.pass(id, cursor))
            .unwrap_or_default();
        // What was heard in its turn is told again to others only, who were further back. What came before it goes first.
        if fresh {
            self.take_batch();
            self.replace(message);
        }
        if hole {
            self.feed.ask();
        }
    }

    /// Shows a message as it is now.
    pub fn replace(self, message: Message) {
        self.hold(move || {
            self.log
                .try_update(|log| log.replace(message))
                .unwrap_or_default()
        });
        walk::name_anew();
    }

    /// Says what went wrong, where one writes.
    pub fn complain(self, failure: &Failure) {
        self.trouble.try_set(Some(failure.words()));
    }

    /// Messages that come together are taken in together. One that comes early is taken in as well, and what is
    /// missing before it is asked for: the page's place is before the first hole.
    fn read(self, message: Message, cursor: String) {
        let taken = self.reader.with(|reader| reader.take(message, cursor));
        let (first, hole) = taken.unwrap_or_default();
        if first {
            later(Duration::ZERO, move || self.take_batch());
        }
        if hole {
            self.feed.ask();
        }
    }

    fn take_batch(self) {
        let batch = self
            .reader
            .with(Reader::batch)
            .filter(|batch| !batch.is_empty());
        if let Some(batch) = batch {
            self.take_in(batch, true);
        }
    }

    fn take_in(self, batch: Vec<Message>, from_stream: bool) {
        if from_stream {
            self.delivery
                .outbox()
                .update(|outbox| batch.iter().for_each(|message| outbox.arrived(message)));
        }
        self.hold(move || {
            if let Some(fresh) = self.log.try_update(|log| log.add(batch)) {
                self.noticed(&fresh, from_stream);
            }
        });
    }

    fn noticed(self, fresh: &[Arc<Message>], from_stream: bool) {
        let Some(latest) = fresh.iter().map(|message| message.id).max() else {
            return;
        };
        let told = self.told.with(|told| *told);
        self.room.update(|room| said_in(room, told, fresh));
        let settle = move |settled: &mut u64| *settled = latest.max(*settled);
        later(DRAWING, move || {
            self.settled.try_update(settle).unwrap_or_default()
        });
        if from_stream && document().hidden() {
            self.unread.update(|count| *count += fresh.len());
        }
        if self.at_end.get_untracked() {
            self.log
                .with_untracked(|log| self.window.update(|window| *window = window.trimmed(log)));
        } else if from_stream {
            self.below.update(|count| *count += fresh.len());
        }
    }

    /// The server does not know how far this page has read: the log is taken anew.
    fn read_anew(self) {
        spawn(async move {
            match api::newest(self.id).await {
                Ok(messages) => self.begin_anew(Log::new(messages)),
                Err(failure) if matches!(failure.status(), Some(403 | 404 | 410)) => self.ask(),
                Err(_) => drop(later(AGAIN, move || self.read_again())),
            }
        });
    }

    fn read_again(self) {
        if !self.log.is_disposed() {
            self.read_anew();
        }
    }

    fn begin_anew(self, log: Log) {
        if self.log.is_disposed() {
            return;
        }
        self.turn();
        self.reader
            .with(|reader| *reader = Reader::at(log.newest()));
        self.delivery
            .outbox()
            .update(|outbox| outbox.begin_anew(log.newest()));
        self.settled.set(log.newest());
        self.window.set(Window::newest(&log));
        self.log.set(log);
        self.feed.ask();
    }

    /// Takes over what others have changed about the room, as the overview has it; not from one that is behind the stream.
    fn renew(self, glance: Glance) {
        let told = glance
            .own
            .with(|own| own.rooms.iter().find(|room| room.id == self.id).cloned());
        let current = self.room.get_untracked();
        if let Some(room) =
            told.filter(|room| room.last_active_at >= current.last_active_at && *room != current)
        {
            self.told_of(room);
        }
    }

    /// The room is as the server says.
    fn told_of(self, room: Room) {
        self.told.with(|told| *told = room.last_active_at);
        self.room.try_set(room);
    }

    /// Asks what became of the room, and of the visitor in it, when the stream does not say.
    pub fn ask(self) {
        spawn(async move {
            match api::room(self.id).await {
                Ok(room) => self.told_of(room),
                Err(failure) if failure.status() == Some(410) => self.close(),
                Err(failure) if matches!(failure.status(), Some(403 | 404)) => self.shut(),
                Err(_) => {}
            }
        });
    }

    /// Whether only members may know of the room; follows it.
    pub fn is_private(self) -> bool {
        self.room.with(|room| room.private)
    }

    /// Whether the visitor may invite others; follows it.
    pub fn invites(self) -> bool {
        self.room.with(|room| room.role >= Some(Role::Moderator))
    }

    /// Whether the visitor keeps order here, as long as the room is open; follows it.
    pub fn moderates(self) -> bool {
        self.invites() && !self.closed.get()
    }

    /// Why the visitor cannot write here, if that is so; follows it.
    pub fn silence(self) -> Option<&'static str> {
        self.room.with(|room| match room.role {
            Some(Role::Reader) => Some("You read along here: readers do not write."),
            role if room.read_only && role < Some(Role::Moderator) => {
                Some("Only moderators write here.")
            }
            _ => None,
        })
    }

    fn shut(self) {
        self.removed.try_set(true);
        self.close();
    }

    fn close(self) {
        if self.closed.try_set(true).is_none() {
            self.feed.rest();
        }
    }

    /// Makes a change while what is in view stays where it is, unless that is the newest message.
    fn hold(self, change: impl FnOnce()) {
        match scroller() {
            Some(scroller) if !self.log.is_disposed() && !self.look(&scroller) => {
                place::hold(&scroller, change)
            }
            _ => change(),
        }
    }
}

fn scroller() -> Option<HtmlElement> {
    find(LOG)
}

/// Takes note in the room of messages that were said there. What the server has `told` of it counts those up to then.
fn said_in(room: &mut Room, told: Option<Time>, messages: &[Arc<Message>]) {
    let later = messages
        .iter()
        .filter(|message| Some(message.sent_at) > told);
    room.message_count += u64::try_from(later.count()).unwrap_or_default();
    let timeout = room.expires_at.since(room.last_active_at);
    if let Some(latest) = messages
        .iter()
        .map(|message| message.sent_at)
        .max()
        .filter(|at| *at > room.last_active_at)
    {
        room.last_active_at = latest;
        room.expires_at = latest.after(timeout);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    fn room(last: i64, message_count: u64) -> Room {
        let [last_active_at, expires_at] = [last, last + 1_000].map(Time::from_millis);
        Room {
            last_active_at,
            expires_at,
            message_count,
            ..sample::room()
        }
    }

    fn message(id: u64, sent_at: i64) -> Arc<Message> {
        Arc::new(Message {
            sent_at: Time::from_millis(sent_at),
            ..sample::message(id)
        })
    }

    #[test]
    fn what_is_said_counts_and_keeps_the_room_open() {
        let mut told = room(10, 2);
        let before = Some(told.last_active_at);
        said_in(&mut told, before, &[message(3, 20), message(4, 20)]);
        assert_eq!(told, room(20, 4));
        said_in(&mut told, before, &[message(6, 30)]);
        said_in(&mut told, before, &[message(5, 25)]);
        assert_eq!(told, room(30, 6), "an own one may come before earlier ones");
    }

    #[test]
    fn what_the_server_has_counted_is_not_counted_again() {
        let mut told = room(30, 4);
        let before = Some(told.last_active_at);
        said_in(&mut told, before, &[message(3, 20), message(4, 30)]);
        assert_eq!(
            told,
            room(30, 4),
            "the room was told of before its messages came"
        );
        said_in(&mut told, before, &[]);
        assert_eq!(told, room(30, 4));
    }
}
