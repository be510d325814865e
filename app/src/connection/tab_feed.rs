//! What this tab receives: its topics on the one stream of all tabs.
//!
//! # Guarantees
//! - While a part of the page follows a topic, a tab that answers holds a connection for it: this
//!   one or another.
//! - What was missed while the page was hidden or frozen, or the machine asleep, is asked for at
//!   once.
//! - [`TabFeed::state`] is the state of the connection behind this page.
//!
//! Only [`TabFeed::start`] and [`TabFeed::state`] are for the server, too.
//!
//! # Not here
//! The decisions (`sharing/subscriber`), holding the connection (`tab_leader`), noticing gaps and
//! repetitions (`room/log/sequence_tracker`).

use std::rc::Rc;
use std::time::Duration;

use leptos::leptos_dom::helpers::TimeoutHandle;
use leptos::prelude::*;

use crate::browser::dom::{browser_effect, on_unmount, on_window_event, run_after};
use crate::browser::web_lock::{self, WebLock};
pub use crate::connection::sharing::actions::FeedEvent;
use crate::connection::sharing::actions::SubscriberAction;
use crate::connection::sharing::stream_event::ConnectionState;
use crate::connection::sharing::subscriber::Subscriber;
use crate::connection::sharing::tab_message::TabMessage;
use crate::connection::tab_channel::{self, CHANNEL_NAME, TabChannel};
use crate::connection::tab_leader::{TabLeader, tab_lock_name};
use crate::reactive::BrowserCell;
use crate::session::display_name::DisplayName;
use crate::time::clock;

/// How long a leader has to answer before this tab takes its place.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(4);
/// How long after being signed out the page reloads, with the session that the browser has by then.
const RELOAD_DELAY: Duration = Duration::from_secs(1);
/// How often the tab checks the time and the leader.
const TICK: Duration = Duration::from_secs(5);

/// This tab's feed.
#[derive(Clone, Copy)]
pub struct TabFeed {
    state: RwSignal<ConnectionState>,
    name: DisplayName,
    inner: BrowserCell<Inner>,
}

#[derive(Default)]
struct Inner {
    subscriber: Subscriber,
    tab: String,
    channel: Option<Rc<TabChannel>>,
    /// The lock of the leader, which this tab holds or waits for.
    lead: Option<WebLock>,
    parts: Vec<Rc<Part>>,
    answer_timer: Option<TimeoutHandle>,
}

/// A part of the page that follows a topic.
struct Part {
    id: u32,
    topic: String,
    cursor: Box<dyn Fn() -> String>,
    listener: Box<dyn Fn(FeedEvent)>,
}

impl TabFeed {
    /// The feed of a page. It connects once the browser has taken over.
    pub fn start(name: DisplayName) -> Self {
        let inner = BrowserCell::new(Inner::default());
        let feed = Self {
            state: RwSignal::new(ConnectionState::Connecting),
            name,
            inner,
        };
        browser_effect(move || feed.open());
        browser_effect(move || {
            name.get();
            feed.run(|subscriber| subscriber.subscribe_all());
        });
        feed
    }

    /// What the connection is doing; follows it when tracked.
    pub fn state(self) -> ConnectionState {
        self.state.get()
    }

    /// What the connection is doing at this moment.
    pub fn state_now(self) -> ConnectionState {
        self.state.get_untracked()
    }

    /// Follows a topic from now on, as long as the part of the page lives. `cursor` is called for
    /// each subscription. [`TabFeed::state`] is the state of this topic's connection.
    pub fn follow(
        self,
        topic: String,
        cursor: impl Fn() -> String + 'static,
        listener: impl Fn(FeedEvent) + 'static,
    ) {
        self.state.set(ConnectionState::Connecting);
        self.add_part(topic, true, Box::new(cursor), Box::new(listener));
        self.run(|subscriber| subscriber.subscribe_all());
    }

    /// Follows another topic, whose events carry whole states, while it is wanted.
    pub fn also(self, topic: &str, listener: impl Fn(FeedEvent) + 'static) {
        let cursor = Box::new(String::new);
        self.add_part(topic.to_owned(), false, cursor, Box::new(listener));
    }

    fn add_part(
        self,
        topic: String,
        is_main: bool,
        cursor: Box<dyn Fn() -> String>,
        listener: Box<dyn Fn(FeedEvent)>,
    ) {
        let id = self.inner.with(|inner| {
            let id = inner.subscriber.add_part(topic.clone(), is_main);
            inner.parts.push(Rc::new(Part {
                id,
                topic,
                cursor,
                listener,
            }));
            id
        });
        let Some(id) = id else { return };
        on_unmount(move || {
            self.run(|subscriber| subscriber.remove_part(id));
            self.inner
                .with(|inner| inner.parts.retain(|part| part.id != id));
        });
    }

    /// Subscribes again from where the page is now. This also ends a rest.
    pub fn ask(self) {
        self.run(|subscriber| subscriber.wake_main());
    }

    /// Needs nothing of the followed topic until [`TabFeed::ask`].
    pub fn rest(self) {
        self.run(|subscriber| subscriber.rest_main());
    }

    /// Wants a topic of [`TabFeed::also`], or no longer.
    pub fn want(self, topic: &str, wanted: bool) {
        self.run(|subscriber| subscriber.set_wanted(topic, wanted));
    }

    /// Tells all tabs, this one included, that the outbox of a room has changed, and by which
    /// message.
    pub fn announce_outbox_change(self, topic: String, client_id: String) {
        self.send(TabMessage::OutboxChanged { topic, client_id });
    }

    /// The name of a lock that tabs take turns to hold. If they cannot reach each other, it is a
    /// lock of this tab alone.
    pub fn lock(self, what: &str) -> String {
        if is_shared() {
            format!("{CHANNEL_NAME}/{what}")
        } else {
            format!("{CHANNEL_NAME}/{}/{what}", self.tab())
        }
    }

    fn open(self) {
        let tab = random_name();
        let name = self.name;
        let send = move |message| self.send(message);
        let leader = TabLeader::new(tab.clone(), move || name.stored(), send);
        let channel = TabChannel::open(is_shared(), move |message| {
            leader.on_message(&message);
            self.run(|subscriber| subscriber.on_message(&message));
        });
        self.inner.with(|inner| {
            let now = clock::now().millis();
            inner.subscriber.open(tab.clone(), now);
            inner.tab.clone_from(&tab);
            inner.channel = Some(Rc::new(channel));
        });
        let set_present = move |is_present: bool| {
            self.run(|subscriber| subscriber.set_present(is_present));
        };
        WebLock::keep_requesting(
            tab_lock_name(&tab),
            move || set_present(true),
            move || set_present(false),
        );
        let lead = WebLock::keep_requesting(
            self.lock("lead"),
            move || leader.start(),
            move || leader.stop(),
        );
        self.inner.with(|inner| inner.lead = Some(lead));
        self.watch_time();
    }

    fn run(self, decide: impl FnOnce(&mut Subscriber) -> Vec<SubscriberAction>) {
        let actions = self.inner.with(|inner| decide(&mut inner.subscriber));
        self.perform_all(actions.unwrap_or_default());
    }

    fn perform_all(self, actions: Vec<SubscriberAction>) {
        for action in actions {
            self.perform(action);
        }
    }

    fn perform(self, action: SubscriberAction) {
        match action {
            SubscriberAction::Subscribe(id) => self.send_subscription(id),
            SubscriberAction::Send(message) => self.send(message),
            SubscriberAction::AwaitAnswer => self.await_answer(),
            SubscriberAction::StopWaiting => self.stop_waiting(),
            SubscriberAction::StealLead => {
                let lead = self.inner.with(|inner| inner.lead.clone()).flatten();
                lead.iter().for_each(WebLock::steal);
            }
            SubscriberAction::ReloadSoon => {
                run_after(RELOAD_DELAY, || drop(window().location().reload()));
            }
            SubscriberAction::SetState(state) => self.state.set(state),
            SubscriberAction::Deliver(id, event) => {
                if let Some(part) = self.part(id) {
                    (part.listener)(event);
                }
            }
        }
    }

    fn tab(self) -> String {
        self.inner
            .with(|inner| inner.tab.clone())
            .unwrap_or_default()
    }

    fn part(self, id: u32) -> Option<Rc<Part>> {
        self.inner
            .with(|inner| inner.parts.iter().find(|part| part.id == id).cloned())
            .flatten()
    }

    fn send(self, message: TabMessage) {
        if let Some(Some(channel)) = self.inner.with(|inner| inner.channel.clone()) {
            channel.send(message);
        }
    }

    fn send_subscription(self, id: u32) {
        let Some(part) = self.part(id) else { return };
        self.send(TabMessage::Subscribe {
            tab: self.tab(),
            topic: part.topic.clone(),
            cursor: (part.cursor)(),
        });
    }

    fn await_answer(self) {
        self.stop_waiting();
        let timer = run_after(ANSWER_TIMEOUT, move || {
            let is_hidden = document().hidden();
            self.run(|subscriber| subscriber.on_no_answer(is_hidden));
        });
        self.inner.with(|inner| inner.answer_timer = timer);
    }

    fn stop_waiting(self) {
        let timer = self.inner.with(|inner| inner.answer_timer.take()).flatten();
        if let Some(timer) = timer {
            timer.clear();
        }
    }

    /// Notices times in which nothing could be noticed.
    fn watch_time(self) {
        on_window_event("visibilitychange", move |_| {
            let is_hidden = document().hidden();
            let now = clock::now().millis();
            self.run(|subscriber| subscriber.on_visibility(is_hidden, now));
        });
        let tick = move || {
            let is_hidden = document().hidden();
            let now = clock::now().millis();
            self.run(|subscriber| subscriber.on_tick(is_hidden, now));
        };
        let ticking = set_interval_with_handle(tick, TICK);
        on_unmount(move || drop(ticking.map(|ticking| ticking.clear())));
    }
}

/// Whether the browser has all that tabs need to share a connection.
fn is_shared() -> bool {
    web_lock::is_supported() && tab_channel::is_supported()
}

/// A name that no other tab has.
fn random_name() -> String {
    format!("{:x}", (js_sys::Math::random() * 1e18) as u64)
}
