//! Being in a room: everything its parts share, and how they hear of the room.
//!
//! Promises: the log on the page is the room's log, without holes, from some message to the newest; own messages appear
//! at once and once. Leaves to others: the connection (`stream`), the sending (`delivery`), the drawing (`timeline`,
//! `composer`).

use std::sync::Arc;
use std::time::Duration;

use leptos::prelude::*;
use protocol::{Message, NewMessage, Role, Room, RoomId};
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
use crate::wire;

/// The ID of what scrolls.
pub const LOG: &str = "log";
/// How long after a failure the log is asked for again.
const AGAIN: Duration = Duration::from_secs(3);
/// How close to the edge of what is drawn more of it is drawn, in pixels.
const REACH: i32 = 800;
/// How often it is said how far a room has been read.
const SAY_SEEN: Duration = Duration::from_secs(3);

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
    pub loading: RwSignal<bool>,
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
    /// The newest message when the page was opened: later ones arrive before the visitor's eyes.
    pub opened_at: u64,
    reader: Own<Reader>,
    /// Up to where it was said that the room has been read; the greatest of all numbers while that is about to be said.
    seen: Own<u64>,
}

/// How far the room was heard without a hole.
#[derive(Default)]
struct Reader {
    seq: u64,
    cursor: String,
    /// The sequence after which a hole was found and asked for.
    hole: Option<u64>,
    batch: Vec<Message>,
}

impl Reader {
    /// Takes a message; says whether it is new, and whether there is a hole before it that nobody has asked for yet.
    fn take(&mut self, message: Message, cursor: String) -> (bool, bool) {
        let (fresh, hole) = self.pass(message.id, cursor);
        if fresh {
            self.batch.push(message);
        }
        (fresh && self.batch.len() == 1, hole)
    }

    /// Takes the change of a message; gives that back if it is not among those that just came.
    fn change(&mut self, id: u64, message: Message, cursor: String) -> (Option<Message>, bool) {
        let (_, hole) = self.pass(id, cursor);
        match self.batch.iter_mut().find(|held| held.id == message.id) {
            Some(held) => {
                *held = message;
                (None, hole)
            }
            None => (Some(message), hole),
        }
    }

    /// Passes a sequence; says whether it is new, and whether there is a hole before it.
    fn pass(&mut self, id: u64, cursor: String) -> (bool, bool) {
        let fresh = id > self.seq;
        let hole = id > self.seq + 1 && self.hole != Some(self.seq);
        if hole {
            self.hole = Some(self.seq);
        }
        if id == self.seq + 1 {
            (self.seq, self.cursor) = (id, cursor);
        }
        (fresh, hole)
    }

    fn cursor(&self) -> String {
        if self.cursor.is_empty() { self.seq.to_string() } else { self.cursor.clone() }
    }
}

impl Visit {
    /// Enters a room. What a browser does is done once it has taken over.
    pub fn enter(arrival: Arrival) -> Self {
        let log = Log::new(arrival.messages);
        let newest = log.newest();
        let (id, feed, glance) = (arrival.room.id, expect_context(), expect_context());
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
            chosen: RwSignal::new(0),
            editing: RwSignal::new(0),
            trouble: RwSignal::new(None),
            notice: RwSignal::new(String::new()),
            feed,
            delivery: Delivery::new(id, log, feed),
            opened_at: newest,
            reader: Own::new(Reader { seq: newest, ..Reader::default() }),
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
        self.delivery.put(message, self.log.with_untracked(Log::newest));
    }

    /// Brings the newest message into view.
    pub fn to_newest(self) {
        self.log.with_untracked(|log| self.window.set(Window::newest(log)));
        self.below.set(0);
        later(Duration::ZERO, || scroller().iter().for_each(|scroller| scroller.set_scroll_top(0)));
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
        let held = self.log.with_untracked(|log| self.window.get_untracked().has_before(log));
        if held {
            return self.hold(move || self.log.with_untracked(|log| self.window.update(|w| *w = w.up(log))));
        }
        if self.loading.get_untracked() || !self.log.with_untracked(Log::has_older) || self.closed.get_untracked() {
            return;
        }
        self.loading.set(true);
        spawn(self.fetch_older());
    }

    async fn fetch_older(self) {
        let older = api::before(self.id, self.log.with_untracked(Log::oldest)).await;
        // Long enough for it to be drawn, as what comes in above is not announced; and not again at once if it failed.
        let pause = Duration::from_millis(if older.is_ok() { 150 } else { 3_000 });
        if let (Ok(older), false) = (older, self.log.is_disposed()) {
            self.hold(move || {
                let window = self.window.get_untracked();
                self.log.update(|log| drop(log.add(older)));
                self.log.with_untracked(|log| self.window.set(window.up(log)));
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
            self.hold(move || self.log.with_untracked(|log| self.window.update(|w| *w = w.down(log))));
        }
    }

    /// Takes note that all of the room is read, if its end is in view.
    fn see(self) {
        let (newest, at_end) = (self.log.with(Log::newest), self.at_end.get());
        if !at_end || document().hidden() {
            return;
        }
        let (direct, belongs, messages) = self.room.with_untracked(|room| {
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
        later(if direct || before == Some(0) { Duration::ZERO } else { SAY_SEEN }, move || {
            let newest = self.log.try_with_untracked(Log::newest);
            if let Some(newest) = newest.filter(|newest| self.seen.with(|seen| *seen = *newest).is_some()) {
                spawn(async move { api::seen(self.id, newest).await });
            }
        });
    }

    fn start(self) {
        self.delivery.start(move |heard| match heard {
            Some(message) => self.take_in(vec![message], false),
            // What may be done here is no longer what it was.
            None => self.ask(),
        });
        let cursor = move || self.reader.with(|reader| reader.cursor()).unwrap_or_default();
        self.feed.follow(self.id.to_string(), cursor, move |news| self.hear(news));
    }

    fn hear(self, news: News) {
        let (name, data, cursor) = match news {
            News::Event(name, data, cursor) => (name, data, cursor),
            News::Lost => return self.ask(),
            News::Changed => return self.delivery.look(),
        };
        match name.as_str() {
            "message" => wire::parse(&data).into_iter().for_each(|message| self.read(message, cursor.clone())),
            "edit" | "deletion" => self.changed(&data, cursor),
            "presence" => wire::parse(&data).into_iter().for_each(|people| self.here.set(people)),
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
        let change = change.and_then(|change| Some((wire::field(&change, "id")?, wire::field(&change, "message")?)));
        let Some((id, message)) = change else { return };
        let (message, hole) = self.reader.with(|reader| reader.change(id, message, cursor)).unwrap_or_default();
        message.into_iter().for_each(|message| self.replace(message));
        if hole {
            self.feed.ask();
        }
    }

    /// Shows a message as it is now.
    pub fn replace(self, message: Message) {
        self.hold(move || self.log.try_update(|log| log.replace(message)).unwrap_or_default());
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
        if let Some(batch) = self.reader.with(|reader| std::mem::take(&mut reader.batch)) {
            self.take_in(batch, true);
        }
    }

    fn take_in(self, batch: Vec<Message>, from_stream: bool) {
        if from_stream {
            self.delivery.outbox().update(|outbox| batch.iter().for_each(|message| outbox.arrived(message)));
        }
        self.hold(move || {
            if let Some(fresh) = self.log.try_update(|log| log.add(batch)) {
                self.noticed(&fresh, from_stream);
            }
        });
    }

    fn noticed(self, fresh: &[Arc<Message>], from_stream: bool) {
        let Some(latest) = fresh.last() else { return };
        self.room.update(|room| {
            let timeout = room.expires_at.since(room.last_active_at);
            if latest.sent_at > room.last_active_at {
                room.last_active_at = latest.sent_at;
                room.expires_at = latest.sent_at.after(timeout);
            }
            room.message_count += u64::try_from(fresh.len()).unwrap_or_default();
        });
        if from_stream && document().hidden() {
            self.unread.update(|count| *count += fresh.len());
        }
        if self.at_end.get_untracked() {
            self.log.with_untracked(|log| self.window.update(|window| *window = window.trimmed(log)));
        } else if from_stream {
            self.below.update(|count| *count += fresh.len());
        }
    }

    /// The server does not know how far this page has read: the log is taken anew.
    fn read_anew(self) {
        spawn(async move {
            let Ok(messages) = api::newest(self.id).await else {
                later(AGAIN, move || self.read_anew());
                return;
            };
            let log = Log::new(messages);
            self.reader.with(|reader| *reader = Reader { seq: log.newest(), ..Reader::default() });
            self.window.try_set(Window::newest(&log));
            if self.log.try_set(log).is_none() {
                self.feed.ask();
            }
        });
    }

    /// Takes over what others have changed about the room, as the overview has it; not from one that is behind the stream.
    fn renew(self, glance: Glance) {
        let told = glance.own.with(|own| own.rooms.iter().find(|room| room.id == self.id).cloned());
        let current = self.room.get_untracked();
        if let Some(room) = told.filter(|room| room.last_active_at >= current.last_active_at && *room != current) {
            self.room.set(room);
        }
    }

    /// Asks what became of the room, and of the visitor in it, when the stream does not say.
    pub fn ask(self) {
        spawn(async move {
            match api::room(self.id).await {
                Ok(room) => drop(self.room.try_set(room)),
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
            role if room.read_only && role < Some(Role::Moderator) => Some("Only moderators write here."),
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
            Some(scroller) if !self.log.is_disposed() && !self.look(&scroller) => place::hold(&scroller, change),
            _ => change(),
        }
    }
}

fn scroller() -> Option<HtmlElement> {
    find(LOG)
}
