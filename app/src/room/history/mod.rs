//! The messages that a room's page holds and shows: loading more, and keeping the scroll position.
//!
//! # Guarantees
//! The messages have no gaps. Nothing in view moves unless the newest message is in view.
//!
//! # Not here
//! Where messages come from (`events`), and how they are shown (`timeline`).

mod edge;

use std::sync::Arc;
use std::time::Duration;

use leptos::prelude::*;
use protocol::{Message, RoomId};
use web_sys::HtmlElement;

use self::edge::Edge;
use crate::api;
use crate::browser::dom::{element_by_id, run_after, spawn_task, when_idle};
use crate::browser::startup;
use crate::room::ids::LOG;
use crate::room::log::message_log::MessageLog;
use crate::room::log::window::LogWindow;
use crate::room::viewport::place::{self, Place};
use crate::room::viewport::{keyboard_nav, scroll};

/// How many messages a page is taken over with: about those of the first screen.
const FIRST_DRAWN: usize = 24;
/// How many earlier messages are drawn at a time.
const DRAWN_LATER: usize = 4;
/// How long to wait after a failed request for older messages.
const RETRY_AFTER: Duration = Duration::from_secs(3);
/// At this distance from the first or the last shown message, more are shown, in pixels.
const EDGE_DISTANCE: i32 = 800;
/// How long to wait after scrolling until the place is stored.
const PLACE_AFTER: Duration = Duration::from_millis(200);
/// The time in which a change is rendered and its animation ends.
const RENDER_TIME: Duration = Duration::from_millis(200);

/// The messages of a room on this page.
#[derive(Clone, Copy)]
pub struct History {
    id: RoomId,
    closed: RwSignal<bool>,
    /// The messages that this page holds.
    pub log: RwSignal<MessageLog>,
    /// Which of them are shown.
    pub window: RwSignal<LogWindow>,
    /// The earlier ones of them wait until the browser is idle: the sequence of the first message
    /// that is drawn; 0 if none wait.
    pub drawn_from: RwSignal<u64>,
    /// Whether the newest message is in view.
    pub at_end: RwSignal<bool>,
    /// How many messages arrived below the view.
    pub unseen_below: RwSignal<usize>,
    /// How many changes are being rendered that screen readers must not announce.
    pub unannounced: RwSignal<u32>,
    /// The newest sequence that has been on the page for a while: newer messages are animated.
    pub settled: RwSignal<u64>,
    /// The sequence up to which the visitor had read when they came, if that is known.
    pub read_until: RwSignal<Option<u64>>,
    /// Whether the first unread message is above the view.
    pub unread_above: RwSignal<bool>,
    /// Whether older or newer messages are being fetched.
    is_loading: RwSignal<bool>,
    /// Whether the place will be stored.
    is_storing_place: RwSignal<bool>,
}

impl History {
    /// Starts with the newest messages of a room; while `closed` is true, none are fetched.
    pub fn new(
        id: RoomId,
        messages: Vec<Message>,
        read_until: Option<u64>,
        closed: RwSignal<bool>,
    ) -> Self {
        let log = MessageLog::new(messages);
        Self {
            id,
            closed,
            window: RwSignal::new(LogWindow::newest(&log)),
            drawn_from: RwSignal::new(first_drawn(&log)),
            at_end: RwSignal::new(true),
            unseen_below: RwSignal::new(0),
            unannounced: RwSignal::new(0),
            settled: RwSignal::new(log.newest()),
            read_until: RwSignal::new(read_until),
            unread_above: RwSignal::new(false),
            is_loading: RwSignal::new(false),
            is_storing_place: RwSignal::new(false),
            log: RwSignal::new(log),
        }
    }

    /// Draws the messages that wait while the browser is idle, a few at a time.
    pub fn draw_later(self) {
        when_idle(move || {
            let earlier = |log: &MessageLog| {
                let first = log.index(self.drawn_from.get_untracked());
                Some(log.messages().get(first.checked_sub(DRAWN_LATER)?)?.id)
            };
            let Some(earlier) = self.log.try_with_untracked(earlier) else {
                return;
            };
            if self.draw_from(earlier.unwrap_or_default()) && earlier.is_some() {
                self.draw_later();
            }
        });
    }

    /// Scrolls to the newest message.
    pub fn scroll_to_newest(self) {
        if !self.window.get_untracked().at_end() {
            self.suppress_announcements();
        }
        self.close_gap_before(u64::MAX);
        self.log
            .with_untracked(|log| self.window.set(LogWindow::newest(log)));
        self.unseen_below.set(0);
        run_after(Duration::ZERO, || {
            if let Some(scroller) = scroller() {
                scroller.set_scroll_top(0);
            }
        });
    }

    /// Shows more where the reader has scrolled to an edge.
    pub fn on_scroll(self) {
        let Some(scroller) = scroller() else { return };
        if self.update_at_end(&scroller) {
            self.unseen_below.set(0);
        }
        self.store_place();
        if scroll::pixels_above(&scroller) < EDGE_DISTANCE {
            self.show_older();
        }
        if scroll::pixels_below(&scroller) < EDGE_DISTANCE {
            self.show_newer();
        }
    }

    /// Shows the place in the log, wherever that is: fetches it if the page does not hold it.
    pub fn go_to(self, place: Place) {
        if self.log.with_untracked(|log| log.find(place.seq).is_some()) {
            self.close_gap_before(place.seq);
            return self.show(place);
        }
        spawn_task(async move {
            let page = api::fetch_around(self.id, place.seq).await;
            if let Ok(page) = page
                && self.log.try_update(|log| log.go_to(page)).is_some()
            {
                self.show(place);
            }
        });
    }

    /// Drops the earlier part of the log if a message to show is after it.
    fn close_gap_before(self, seq: u64) {
        let until = self.log.with_untracked(MessageLog::earlier_until);
        if until.is_some_and(|until| until < seq) {
            self.log.update(MessageLog::drop_earlier_part);
        }
    }

    /// Shows the place, or the next message that is held.
    fn show(self, place: Place) {
        let found = self.log.with_untracked(|log| {
            let index = log.index(place.seq).min(log.part_end().checked_sub(1)?);
            let seq = log.messages()[index].id;
            let window = self.window.get_untracked();
            let is_shown = window.contains(log, seq);
            Some((seq, (!is_shown).then(|| LogWindow::around(log, seq))))
        });
        let Some((seq, window)) = found else { return };
        self.draw_from(0);
        if let Some(window) = window {
            self.suppress_announcements();
            self.window.set(window);
        }
        run_after(Duration::ZERO, move || place::show(Place { seq, ..place }));
    }

    /// Draws the messages that wait, from this one on. Returns whether there were any.
    fn draw_from(self, seq: u64) -> bool {
        let is_waiting = self.drawn_from.get_untracked() != 0;
        if is_waiting {
            self.suppress_announcements();
            self.drawn_from.set(seq);
        }
        is_waiting
    }

    /// Stores the place of the reader soon.
    fn store_place(self) {
        if !self.is_storing_place.get_untracked() {
            self.is_storing_place.set(true);
            run_after(PLACE_AFTER, move || {
                if self.is_storing_place.try_set(false).is_none() {
                    place::store(scroller().filter(|_| !self.at_end.get_untracked()));
                }
            });
        }
    }

    /// Adds messages that arrived; returns the new ones.
    pub fn add(self, batch: Vec<Message>, from_stream: bool) -> Vec<Arc<Message>> {
        let mut fresh = Vec::new();
        self.preserve_scroll(|| {
            fresh = self
                .log
                .try_update(|log| log.add(batch))
                .unwrap_or_default();
            self.record_arrival(&fresh, from_stream);
        });
        fresh
    }

    /// Shows the current version of a message.
    pub fn replace(self, message: Message) {
        self.preserve_scroll(move || {
            self.log
                .try_update(|log| log.replace(message))
                .unwrap_or_default()
        });
        keyboard_nav::refresh_label();
    }

    /// Shows another display name at all messages of an account.
    pub fn rename(self, username: &str, name: &str) {
        self.suppress_announcements();
        self.preserve_scroll(|| {
            self.log
                .try_update(|log| log.rename(username, name))
                .unwrap_or_default()
        });
    }

    /// Marks a message that a tab of this browser wrote as the visitor's own, now or when it
    /// arrives.
    pub fn mark_own(self, client_id: &str) {
        self.log
            .maybe_update(|log| log.mark_own_by_client_id(client_id));
    }

    /// Starts again with these messages.
    pub fn reset(self, log: MessageLog) {
        self.suppress_announcements();
        self.settled.set(log.newest());
        self.window.set(LogWindow::newest(&log));
        self.log.set(log);
    }

    fn record_arrival(self, fresh: &[Arc<Message>], from_stream: bool) {
        let Some(latest) = fresh.iter().map(|message| message.id).max() else {
            return;
        };
        let settle = move |settled: &mut u64| *settled = latest.max(*settled);
        run_after(RENDER_TIME, move || {
            self.settled.try_update(settle).unwrap_or_default()
        });
        if self.at_end.get_untracked() {
            self.log
                .with_untracked(|log| self.window.update(|window| *window = window.trimmed(log)));
        } else if from_stream {
            self.unseen_below.update(|count| *count += fresh.len());
        }
    }

    /// Reads from the page whether the newest message is in view. Scroll events come late: by then
    /// a message may have arrived, so the signal alone may be out of date.
    fn update_at_end(self, scroller: &HtmlElement) -> bool {
        let at_end = self.window.get_untracked().at_end() && scroll::is_at_end(scroller);
        if self.at_end.get_untracked() != at_end {
            self.at_end.set(at_end);
        }
        at_end
    }

    /// Shows the messages before the shown ones, and fetches them if the page does not hold them.
    fn show_older(self) {
        if self.draw_from(0) {
            return;
        }
        let is_held = self
            .log
            .with_untracked(|log| self.window.get_untracked().has_before(log));
        if is_held {
            self.suppress_announcements();
            return self.preserve_scroll(move || {
                self.log
                    .with_untracked(|log| self.window.update(|window| *window = window.up(log)))
            });
        }
        if self.log.with_untracked(MessageLog::has_older) {
            self.load(Edge::Start);
        }
    }

    /// Shows the messages after the shown ones, and fetches them if the page does not hold them.
    fn show_newer(self) {
        let window = self.window.get_untracked();
        if self.log.with_untracked(|log| window.at_gap(log)) {
            self.load(Edge::End);
        } else if !window.at_end() {
            self.suppress_announcements();
            self.preserve_scroll(move || {
                self.log
                    .with_untracked(|log| self.window.update(|window| *window = window.down(log)))
            });
        }
    }

    /// Fetches the messages beyond an edge of the log's earlier part, or of the log if that has no
    /// gap, and shows them.
    fn load(self, edge: Edge) {
        let seq = self.log.with_untracked(|log| edge.seq(log));
        if self.is_loading.get_untracked() || self.closed.get_untracked() {
            return;
        }
        self.is_loading.set(true);
        spawn_task(async move {
            let page = edge.fetch(self.id, seq).await;
            // The next request waits until this answer is rendered, and longer if the request
            // failed.
            let pause = if page.is_ok() {
                RENDER_TIME
            } else {
                RETRY_AFTER
            };
            // The reader may have gone to another place in the meantime.
            let current = self.log.try_with_untracked(|log| edge.seq(log));
            if let Ok(page) = page
                && current == Some(seq)
            {
                self.suppress_announcements();
                self.preserve_scroll(move || {
                    let window = self.window.get_untracked();
                    self.log.update(|log| edge.add(log, page));
                    self.log
                        .with_untracked(|log| self.window.set(edge.extend(window, log)));
                });
            }
            // By then the edge may be in view again; no scroll event follows there.
            run_after(pause, move || {
                if self.is_loading.try_set(false).is_none() {
                    self.on_scroll();
                }
            });
        });
    }

    /// Keeps screen readers from announcing the next change.
    fn suppress_announcements(self) {
        self.unannounced.update(|count| *count += 1);
        run_after(RENDER_TIME, move || {
            self.unannounced
                .try_update(|count| *count -= 1)
                .unwrap_or_default()
        });
    }

    /// Makes a change that moves nothing in view, unless the newest message is in view.
    fn preserve_scroll(self, change: impl FnOnce()) {
        match scroller() {
            Some(scroller) if !self.log.is_disposed() && !self.update_at_end(&scroller) => {
                scroll::preserve_scroll(&scroller, change)
            }
            _ => change(),
        }
    }
}

/// The first message that is drawn when the server draws a page, and when the app takes it over.
fn first_drawn(log: &MessageLog) -> u64 {
    let messages = log.messages();
    let waiting = messages.len().checked_sub(FIRST_DRAWN);
    waiting
        .filter(|_| cfg!(feature = "ssr") || startup::is_pending())
        .map_or(0, |first| messages[first].id)
}

/// The scrolling message log.
pub fn scroller() -> Option<HtmlElement> {
    element_by_id(LOG)
}
