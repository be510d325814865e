//! Being in a room: everything its parts share, and how they hear of the room.
//!
//! Promises: the log on the page is the room's log, without holes, from some message to the newest; own messages appear
//! at once and once. Leaves to others: the connection (`stream`), the sending (`delivery`), the drawing (`timeline`,
//! `composer`).

use std::sync::Arc;
use std::time::Duration;

use leptos::prelude::*;
use protocol::{Message, NewMessage, Room, RoomId};
use web_sys::HtmlElement;

use crate::api;
use crate::browser::{find, later, live, spawn};
use crate::delivery::Delivery;
use crate::log::{Log, Window};
use crate::opening::Arrival;
use crate::place;
use crate::stream::{Heard, Stream};
use crate::wire;

/// The ID of what scrolls.
pub const LOG: &str = "log";
/// How close to the edge of what is drawn more of it is drawn, in pixels.
const REACH: i32 = 800;

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
    /// Whether the room is no more.
    pub closed: RwSignal<bool>,
    /// Whether the newest message is in view.
    pub at_end: RwSignal<bool>,
    /// How many messages came below the view.
    pub below: RwSignal<usize>,
    /// How many messages came while the page was out of sight.
    pub unread: RwSignal<usize>,
    /// Whether older messages are on their way.
    pub loading: RwSignal<bool>,
    /// The connection.
    pub stream: Stream,
    /// The own messages on their way.
    pub delivery: Delivery,
    /// The newest message when the page was opened: later ones arrive before the visitor's eyes.
    pub opened_at: u64,
    reader: StoredValue<Reader>,
}

/// How far the stream was read.
#[derive(Default)]
struct Reader {
    seq: u64,
    cursor: String,
    batch: Vec<Message>,
}

impl Visit {
    /// Enters a room. What a browser does is done once it has taken over.
    pub fn enter(arrival: Arrival) -> Self {
        let log = Log::new(arrival.messages);
        let newest = log.newest();
        let id = arrival.room.id;
        let visit = Self {
            id,
            room: RwSignal::new(arrival.room),
            window: RwSignal::new(Window::newest(&log)),
            log: RwSignal::new(log),
            closed: RwSignal::new(false),
            at_end: RwSignal::new(true),
            below: RwSignal::new(0),
            unread: RwSignal::new(0),
            loading: RwSignal::new(false),
            stream: Stream::default(),
            delivery: Delivery::new(id),
            opened_at: newest,
            reader: StoredValue::new(Reader { seq: newest, ..Reader::default() }),
        };
        live(move || visit.start());
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

    fn start(self) {
        self.log.with_untracked(|log| {
            self.delivery.start(log.messages(), move |message| self.take_in(vec![message], false));
        });
        self.stream.open(move || self.address(), move |heard| self.hear(heard));
    }

    fn address(self) -> String {
        let path = api::path(self.id);
        self.reader.with_value(|reader| match reader.cursor.as_str() {
            "" => format!("{path}messages/?after={}", reader.seq),
            cursor => format!("{path}messages/?last_event_id={cursor}"),
        })
    }

    fn hear(self, heard: Heard) {
        match heard {
            Heard::Event(data, cursor) => {
                if let Some(message) = wire::parse(&data) {
                    self.read(message, cursor);
                }
            }
            Heard::Named(name, _) if name == "closed" => self.close(),
            Heard::Named(name, _) if name == "reset" => self.read_anew(),
            Heard::Named(_, data) => self.warned(&data),
            Heard::Lost => self.ask(),
        }
    }

    /// The server says when the room closes, if nobody writes.
    fn warned(self, data: &str) {
        let at = wire::parse(data).and_then(|warning| wire::field(&warning, "expires_at"));
        if let Some(at) = at {
            self.room.update(|room| room.expires_at = at);
        }
    }

    /// Messages that come together are taken in together.
    fn read(self, message: Message, cursor: String) {
        let first = self.reader.try_update_value(|reader| {
            reader.seq = message.id;
            reader.cursor = cursor;
            reader.batch.push(message);
            reader.batch.len() == 1
        });
        if first == Some(true) {
            later(Duration::ZERO, move || self.take_batch());
        }
    }

    fn take_batch(self) {
        if let Some(batch) = self.reader.try_update_value(|reader| std::mem::take(&mut reader.batch)) {
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
            room.message_count = room.message_count.max(latest.id);
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
        self.stream.pause();
        spawn(async move {
            let Ok(messages) = api::newest(self.id).await else { return self.stream.again() };
            let log = Log::new(messages);
            self.reader.try_update_value(|reader| *reader = Reader { seq: log.newest(), ..Reader::default() });
            self.window.try_set(Window::newest(&log));
            self.log.try_set(log);
            self.stream.again();
        });
    }

    /// Asks what became of the room when the stream does not say.
    fn ask(self) {
        spawn(async move {
            match api::room(self.id).await {
                Ok(room) => drop(self.room.try_set(room)),
                Err(failure) if matches!(failure.status(), Some(404 | 410)) => self.close(),
                Err(_) => {}
            }
        });
    }

    fn close(self) {
        if self.closed.try_set(true).is_none() {
            self.stream.end();
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
