//! Holds the connection for all tabs of a browser, while this tab leads. In the browser only.
//!
//! # Guarantees
//! - While this tab leads, the topics of all tabs are on one stream (on more beyond 32 rooms), each
//!   room from the earliest cursor that any tab asked for.
//! - Every event is passed on to all tabs.
//!
//! # Not here
//! The decisions (`sharing/leader`), which tab leads (`browser/web_lock`), reopening a connection
//! (`event_stream`).

use std::rc::Rc;
use std::time::Duration;

use leptos::prelude::*;
use serde::Deserialize;

use crate::browser::dom::{browser_effect, run_after};
use crate::browser::json;
use crate::browser::web_lock::LockClaim;
use crate::connection::event_stream::EventStream;
use crate::connection::sharing::actions::LeaderAction;
use crate::connection::sharing::leader::Leader;
use crate::connection::sharing::stream_event::{ConnectionState, StreamEvent};
use crate::connection::sharing::tab_message::TabMessage;
use crate::connection::sharing::topic::topic_without_room;
use crate::connection::tab_channel::CHANNEL_NAME;
use crate::reactive::BrowserCell;
use crate::session::visitor;
use crate::time::clock;

/// Subscriptions that come within this time are served together.
const ASSIGN_DELAY: Duration = Duration::from_millis(20);

/// The leader in a tab; idle while another tab leads.
#[derive(Clone, Copy)]
pub struct TabLeader {
    inner: BrowserCell<Inner>,
}

struct Inner {
    leader: Leader,
    /// The owner of the streams.
    owner: Option<Owner>,
    streams: Vec<EventStream>,
    /// For each other tab, a claim on the lock that the tab holds as long as it lives.
    watched_tabs: Vec<WatchedTab>,
    /// The visitor's display name.
    name: Rc<dyn Fn() -> String>,
    /// Sends to all tabs.
    send: Rc<dyn Fn(TabMessage)>,
}

struct WatchedTab {
    tab: String,
    _claim: LockClaim,
}

impl TabLeader {
    /// An idle leader.
    pub fn new(
        tab: String,
        name: impl Fn() -> String + 'static,
        send: impl Fn(TabMessage) + 'static,
    ) -> Self {
        let inner = Inner {
            leader: Leader::new(tab),
            owner: Owner::current(),
            streams: Vec::new(),
            watched_tabs: Vec::new(),
            name: Rc::new(name),
            send: Rc::new(send),
        };
        Self {
            inner: BrowserCell::new(inner),
        }
    }

    /// Leads from now on.
    pub fn start(self) {
        self.run(|leader| leader.start());
    }

    /// No longer leads.
    pub fn stop(self) {
        self.run(|leader| leader.stop());
    }

    /// Handles a message of any tab.
    pub fn on_message(self, message: &TabMessage) {
        self.run(|leader| leader.on_message(message, clock::now().millis()));
    }

    fn run(self, decide: impl FnOnce(&mut Leader) -> Vec<LeaderAction>) {
        let actions = self.inner.with(|inner| decide(&mut inner.leader));
        self.perform_all(actions.unwrap_or_default());
    }

    fn perform_all(self, actions: Vec<LeaderAction>) {
        for action in actions {
            self.perform(action);
        }
    }

    fn perform(self, action: LeaderAction) {
        match action {
            LeaderAction::Send(message) => self.send(message),
            LeaderAction::SendState { stream, topic } => self.send_state(stream, topic),
            LeaderAction::WatchTab(tab) => self.watch_tab(tab),
            LeaderAction::UnwatchTab(tab) => self.unwatch_tabs(&|watched| watched.tab == tab),
            LeaderAction::UnwatchAllTabs => self.unwatch_tabs(&|_| true),
            LeaderAction::AssignSoon => {
                run_after(ASSIGN_DELAY, move || self.assign_streams());
            }
            LeaderAction::OpenStream(stream) => self.open_stream(stream),
            LeaderAction::CloseStream(stream) => {
                if let Some(stream) = self.stream(stream) {
                    stream.close();
                }
            }
        }
    }

    fn send(self, message: TabMessage) {
        if let Some(send) = self.inner.with(|inner| inner.send.clone()) {
            send(message);
        }
    }

    fn send_state(self, stream: Option<usize>, topics: String) {
        let stream = stream.and_then(|stream| self.stream(stream));
        let state = stream.map_or(ConnectionState::Connecting, EventStream::state_now);
        self.send(TabMessage::State { state, topics });
    }

    /// Notices when another tab ends, however it ends.
    fn watch_tab(self, tab: String) {
        let name = tab.clone();
        let on_ended = move || self.run(|leader| leader.on_tab_ended(&name));
        let claim = LockClaim::request(&tab_lock_name(&tab), false, on_ended, drop);
        if let Some(claim) = claim {
            self.inner.with(|inner| {
                inner.watched_tabs.push(WatchedTab { tab, _claim: claim });
            });
        }
    }

    fn unwatch_tabs(self, ends: &dyn Fn(&WatchedTab) -> bool) {
        self.inner
            .with(|inner| inner.watched_tabs.retain(|watched| !ends(watched)));
    }

    fn assign_streams(self) {
        if let Some(name) = self.inner.with(|inner| inner.name.clone()) {
            let name = name();
            self.run(|leader| leader.assign_streams(&name));
        }
    }

    fn stream(self, stream: usize) -> Option<EventStream> {
        self.inner
            .with(|inner| inner.streams.get(stream).copied())
            .flatten()
    }

    fn open_stream(self, index: usize) {
        while self.stream(index).is_none() {
            let owner = self.inner.with(|inner| inner.owner.clone()).flatten();
            let Some(owner) = owner else { return };
            let next = self.inner.with(|inner| inner.streams.len());
            let stream = owner.with(|| self.new_stream(next.unwrap_or_default()));
            self.inner.with(|inner| inner.streams.push(stream));
        }
        if let Some(stream) = self.stream(index) {
            stream.reopen();
        }
    }

    fn new_stream(self, index: usize) -> EventStream {
        let list_visits = || visitor::list_visits(",");
        let address = move || {
            self.inner
                .with(|inner| inner.leader.address(index, &list_visits))
                .unwrap_or_default()
        };
        let stream = EventStream::new(address, move |event| self.on_stream_event(event));
        browser_effect(move || {
            stream.state();
            self.run(|leader| leader.on_stream_state(index, stream.state_now()));
        });
        stream
    }

    fn on_stream_event(self, event: StreamEvent) {
        let topic = topic_of(&event).unwrap_or_default();
        self.run(|leader| leader.on_stream_event(topic, event));
    }
}

/// What every event of a room says.
#[derive(Deserialize)]
struct RoomEvent {
    room: String,
}

/// The topic that an event is about, if it is about one.
fn topic_of(event: &StreamEvent) -> Option<String> {
    if let Some(topic) = topic_without_room(event.name) {
        return Some(topic.to_owned());
    }
    let event: RoomEvent = json::parse(&event.data)?;
    Some(event.room)
}

/// The name of the lock that a tab holds as long as it lives.
pub fn tab_lock_name(tab: &str) -> String {
    format!("{CHANNEL_NAME}/{tab}")
}
