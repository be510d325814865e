//! What this tab hears: its share in the one connection of all tabs.
//!
//! Promises: as long as a part of the page follows a topic, somebody holds a connection for it: this tab, or another one
//! that answers. Whatever was missed while the page was out of sight, put away, or the machine asleep is asked for at
//! once. [`TabFeed::state`] is the truth about the connection behind this page. Leaves to others: holding the connection
//! (`leader`), and noticing what is missing or came twice (`visit`). Only [`TabFeed::start`] and [`TabFeed::state`] are for the
//! server, too.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use leptos::leptos_dom::helpers::TimeoutHandle;
use leptos::prelude::*;

use crate::browser::dom::{browser_effect, on_unmount, on_window_event, run_after};
use crate::browser::web_lock::WebLock;
use crate::connection::event_stream::ConnectionState;
use crate::connection::tab_channel::{self, CHANNEL_NAME, TabChannel, TabMessage};
use crate::connection::tab_leader::{TabLeader, tab_lock_name};
use crate::reactive::BrowserCell;
use crate::session::display_name::DisplayName;
use crate::time::clock;

/// How long a leader has to answer before this tab takes its place.
const PATIENCE: Duration = Duration::from_secs(4);
/// How long after being signed out the page comes anew, as whoever this browser is by then.
const SOON: Duration = Duration::from_secs(1);
/// How often the clock is looked at.
const TICK: Duration = Duration::from_secs(5);
/// Away for longer than this, in milliseconds, a connection may be dead without anybody having been told.
const DOUBTFUL: i64 = 15_000;

/// What happened to a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FeedEvent {
    /// An event: its name, its data and the place after it.
    Event(String, String, String),
    /// The connection was lost or refused; why is not known here.
    Lost,
    /// What waits to be sent there has changed.
    Changed,
}

/// This tab's feed.
#[derive(Clone, Copy)]
pub struct TabFeed {
    state: RwSignal<ConnectionState>,
    name: DisplayName,
    inner: BrowserCell<Inner>,
}

#[derive(Default)]
struct Inner {
    tab: String,
    channel: Option<Rc<TabChannel>>,
    /// The stand for leading.
    leads: Option<WebLock>,
    /// Whether the others can notice when this tab ends.
    present: bool,
    parts: Vec<Rc<Part>>,
    patience: Option<TimeoutHandle>,
    away_since: Option<i64>,
}

/// A part of the page that follows something.
struct Part {
    topic: String,
    /// Whether the state of its connection is the feed's.
    main: bool,
    cursor: Box<dyn Fn() -> String>,
    listener: Box<dyn Fn(FeedEvent)>,
    resting: Cell<bool>,
}

impl TabFeed {
    /// The feed of a page; it comes alive once the browser has taken over.
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
            feed.say_need();
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

    /// Follows a topic from now on, as long as the part of the page lives. `cursor` is asked anew each time. What its
    /// connection is doing is what [`TabFeed::state`] says.
    pub fn follow(
        self,
        topic: String,
        cursor: impl Fn() -> String + 'static,
        listener: impl Fn(FeedEvent) + 'static,
    ) {
        self.state.set(ConnectionState::Connecting);
        self.add(topic, true, Box::new(cursor), Box::new(listener));
        self.say_need();
    }

    /// Follows a topic that tells whole states besides, whenever it is wanted.
    pub fn also(self, topic: &str, listener: impl Fn(FeedEvent) + 'static) {
        self.add(
            topic.to_owned(),
            false,
            Box::new(String::new),
            Box::new(listener),
        );
    }

    fn add(
        self,
        topic: String,
        main: bool,
        cursor: Box<dyn Fn() -> String>,
        listener: Box<dyn Fn(FeedEvent)>,
    ) {
        let part = Rc::new(Part {
            topic,
            main,
            cursor,
            listener,
            resting: Cell::new(!main),
        });
        let mine = BrowserCell::new(part.clone());
        self.inner.with(|inner| inner.parts.push(part));
        on_unmount(move || {
            mine.with(|mine| {
                self.rest_part(mine);
                self.inner
                    .with(|inner| inner.parts.retain(|part| !Rc::ptr_eq(part, mine)));
            });
        });
    }

    /// Asks for what comes after where the page is now; also ends a rest.
    pub fn ask(self) {
        self.parts()
            .iter()
            .filter(|part| part.main)
            .for_each(|part| part.resting.set(false));
        self.say_need();
    }

    /// Needs nothing of the followed topic until [`TabFeed::ask`].
    pub fn rest(self) {
        self.parts()
            .iter()
            .filter(|part| part.main)
            .for_each(|part| self.rest_part(part));
    }

    /// Needs a topic that is followed besides, or no longer.
    pub fn want(self, topic: &str, wanted: bool) {
        let Some(part) = self.parts().into_iter().find(|part| part.topic == topic) else {
            return;
        };
        if wanted && part.resting.replace(false) {
            self.say_need();
        } else if !wanted {
            self.rest_part(&part);
        }
    }

    fn rest_part(self, part: &Part) {
        if !part.resting.replace(true) {
            self.say(TabMessage::Enough {
                tab: self.tab(),
                topic: part.topic.clone(),
            });
        }
    }

    /// Tells all tabs, this one too, that what waits to be sent in a room has changed.
    pub fn changed(self, topic: String) {
        self.say(TabMessage::Changed { topic });
    }

    /// The name of a lock that tabs take turns to hold. Without a way to the others it is one that only this tab knows of.
    pub fn lock(self, what: &str) -> String {
        if shared() {
            format!("{CHANNEL_NAME}/{what}")
        } else {
            format!("{CHANNEL_NAME}/{}/{what}", self.tab())
        }
    }

    fn open(self) {
        let tab = random();
        let shared = shared();
        let name = self.name;
        let leader = TabLeader::new(
            tab.clone(),
            move || name.stored(),
            move |word| self.say(word),
        );
        let channel = TabChannel::open(shared, move |word| {
            leader.take(&word);
            self.take(word);
        });
        self.inner
            .with(|inner| (inner.tab, inner.channel) = (tab.clone(), Some(Rc::new(channel))));
        WebLock::keep_requesting(
            tab_lock_name(&tab),
            move || self.present(true),
            move || self.present(false),
        );
        let leads = WebLock::keep_requesting(
            self.lock("lead"),
            move || leader.begin(),
            move || leader.end(),
        );
        self.inner.with(|inner| inner.leads = Some(leads));
        self.watch();
    }

    fn present(self, present: bool) {
        self.inner.with(|inner| inner.present = present);
        self.say_need();
    }

    fn tab(self) -> String {
        self.inner
            .with(|inner| inner.tab.clone())
            .unwrap_or_default()
    }

    fn parts(self) -> Vec<Rc<Part>> {
        self.inner
            .with(|inner| inner.parts.clone())
            .unwrap_or_default()
    }

    /// The parts of the page that follow something, unless they rest.
    fn awake(self) -> Vec<Rc<Part>> {
        let present = self.inner.with(|inner| inner.present) == Some(true);
        self.parts()
            .into_iter()
            .filter(|part| present && !part.resting.get())
            .collect()
    }

    fn say(self, word: TabMessage) {
        if let Some(Some(channel)) = self.inner.with(|inner| inner.channel.clone()) {
            channel.say(word);
        }
    }

    fn say_need(self) {
        for part in self.awake() {
            self.expect_answer();
            self.say(TabMessage::Need {
                tab: self.tab(),
                topic: part.topic.clone(),
                cursor: (part.cursor)(),
            });
        }
    }

    fn ping(self) {
        for part in self.awake() {
            self.expect_answer();
            self.say(TabMessage::Ping {
                topic: part.topic.clone(),
            });
        }
    }

    /// A leader that does not answer is no leader: this tab takes its place, if somebody is looking at it.
    fn expect_answer(self) {
        self.answered();
        let patience = run_after(PATIENCE, move || {
            if !document().hidden() {
                let leads = self.inner.with(|inner| inner.leads.clone()).flatten();
                leads.iter().for_each(WebLock::steal);
            }
        });
        self.inner.with(|inner| inner.patience = patience);
    }

    fn answered(self) {
        let patience = self.inner.with(|inner| inner.patience.take()).flatten();
        patience.iter().for_each(TimeoutHandle::clear);
    }

    fn take(self, word: TabMessage) {
        match &word {
            TabMessage::Hail => return self.say_need(),
            // Also of a page out of sight, that needs nothing. Another password ends sessions, too: by then the browser has
            // been given its new one.
            TabMessage::Heard { name, .. } if name == "signed-out" => {
                run_after(SOON, || drop(window().location().reload()));
            }
            _ => {}
        }
        self.awake().iter().for_each(|part| self.pass(part, &word));
    }

    fn pass(self, part: &Part, word: &TabMessage) {
        match word {
            TabMessage::State { state, topics }
                if topics.split(',').any(|topic| topic == part.topic) =>
            {
                self.answered();
                if part.main && self.state.get_untracked() != *state {
                    self.state.set(*state);
                    if matches!(state, ConnectionState::Waiting(_)) {
                        (part.listener)(FeedEvent::Lost);
                    }
                }
            }
            TabMessage::Changed { topic } if *topic == part.topic => {
                (part.listener)(FeedEvent::Changed)
            }
            TabMessage::Heard {
                topic,
                name,
                data,
                cursor,
            } if *topic == part.topic => {
                (part.listener)(FeedEvent::Event(name.clone(), data.clone(), cursor.clone()));
            }
            _ => {}
        }
    }

    /// Looks out for times in which nothing could be noticed.
    fn watch(self) {
        on_window_event("visibilitychange", move |_| {
            let now = clock::now().millis();
            let hidden = document().hidden();
            let since = self.inner.with(|inner| {
                std::mem::replace(&mut inner.away_since, hidden.then_some(now)) //
            });
            if let (false, Some(since)) = (hidden, since.flatten()) {
                self.back(now - since);
            }
        });
        let last = Cell::new(clock::now().millis());
        let tick = move || {
            let now = clock::now().millis();
            let before = last.replace(now);
            if !document().hidden() {
                self.back(now - before);
            }
        };
        let ticking = set_interval_with_handle(tick, TICK);
        on_unmount(move || drop(ticking.map(|ticking| ticking.clear())));
    }

    /// This tab could notice nothing for so many milliseconds.
    fn back(self, away: i64) {
        if away > DOUBTFUL {
            self.say_need();
            self.say(TabMessage::Check);
        } else {
            self.ping();
        }
    }
}

/// Whether there is all that tabs need to share things.
fn shared() -> bool {
    crate::browser::web_lock::is_supported() && tab_channel::is_supported()
}

/// A name that no other tab has.
fn random() -> String {
    format!("{:x}", (js_sys::Math::random() * 1e18) as u64)
}
