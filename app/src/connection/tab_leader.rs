//! Leading: one tab of a browser holds the connection for all of its tabs.
//!
//! Promises: while this tab leads, whatever any tab needs is on one connection (on more beyond 32 rooms), each room from
//! the earliest place that any tab asked for, and everything that comes is told to all tabs. Tabs come, go and die at any
//! time; a new leader asks them all. Leaves to others: who leads (`lock`), the tabs' own places and what is missing
//! there (`feed`), healing a connection (`stream`). In the browser only.

use std::rc::Rc;
use std::time::Duration;

use leptos::prelude::*;

use crate::browser::dom::{browser_effect, run_after};
use crate::browser::web_lock::LockClaim;
use crate::connection::event_stream::{ConnectionState, EventStream, StreamEvent};
use crate::connection::subscriptions::{SubscriptionTable, TYPING, cursor_of, topic_of};
use crate::connection::tab_channel::{CHANNEL_NAME, TabMessage};
use crate::reactive::BrowserCell;
use crate::time::clock;

/// The data of the event that says that nobody types.
const NOBODY: &str = r#"{"usernames":[]}"#;
/// Needs that come together are served together.
const PAUSE: Duration = Duration::from_millis(20);
/// Checks that come this soon after another are the same.
const SAME: i64 = 2_000;

/// The leader in a tab; idle while another tab leads.
#[derive(Clone, Copy)]
pub struct TabLeader {
    inner: BrowserCell<Inner>,
}

struct Inner {
    /// Where connections belong.
    owner: Option<Owner>,
    /// The tab it is in, which needs no watch.
    tab: String,
    /// Who the tabs' visitor is.
    name: Rc<dyn Fn() -> String>,
    /// Tells all tabs.
    say: Rc<dyn Fn(TabMessage)>,
    leads: bool,
    settling: bool,
    checked_at: i64,
    needs: SubscriptionTable,
}

impl TabLeader {
    /// An idle leader.
    pub fn new(
        tab: String,
        name: impl Fn() -> String + 'static,
        say: impl Fn(TabMessage) + 'static,
    ) -> Self {
        let inner = Inner {
            owner: Owner::current(),
            tab,
            name: Rc::new(name),
            say: Rc::new(say),
            leads: false,
            settling: false,
            checked_at: 0,
            needs: SubscriptionTable::default(),
        };
        Self {
            inner: BrowserCell::new(inner),
        }
    }

    /// Leads from now on.
    pub fn begin(self) {
        self.inner.with(|inner| inner.leads = true);
        self.say(TabMessage::Hail);
    }

    /// No longer leads.
    pub fn end(self) {
        let streams = self.inner.with(|inner| {
            inner.leads = false;
            inner.needs.end()
        });
        streams.into_iter().flatten().for_each(EventStream::pause);
    }

    /// Hears what any tab says.
    pub fn take(self, word: &TabMessage) {
        if self.inner.with(|inner| inner.leads) != Some(true) {
            return;
        }
        match word {
            TabMessage::Need { tab, topic, cursor } => self.need(tab, topic, cursor),
            TabMessage::Enough { tab, topic } => self.enough(tab, topic),
            TabMessage::Ping { topic }
                if self.inner.with(|inner| inner.needs.has(topic)) == Some(true) =>
            {
                self.say_state(topic);
            }
            TabMessage::Ping { .. } => self.say(TabMessage::Hail),
            TabMessage::Check => self.check(),
            TabMessage::Hail
            | TabMessage::Changed { .. }
            | TabMessage::State { .. }
            | TabMessage::Heard { .. } => {}
        }
    }

    fn say(self, word: TabMessage) {
        if let Some(say) = self.inner.with(|inner| inner.say.clone()) {
            say(word);
        }
    }

    fn need(self, tab: &str, topic: &str, cursor: &str) {
        let known = self
            .inner
            .with(|inner| inner.tab == tab || inner.needs.knows(tab));
        let watch = if known == Some(true) {
            None
        } else {
            self.watch(tab)
        };
        self.inner
            .with(|inner| inner.needs.add(tab, topic, cursor, watch));
        self.answer(topic);
        self.settle_soon();
    }

    /// Notices when another tab is no more, however it ended.
    fn watch(self, tab: &str) -> Option<LockClaim> {
        let name = tab.to_owned();
        LockClaim::request(&tab_lock_name(tab), false, move || self.gone(&name), drop)
    }

    fn gone(self, tab: &str) {
        self.inner.with(|inner| inner.needs.remove(tab));
        self.settle_soon();
    }

    fn enough(self, tab: &str, topic: &str) {
        self.inner.with(|inner| inner.needs.remove_one(tab, topic));
        self.settle_soon();
    }

    /// Tells what the connection for a topic is doing.
    fn say_state(self, topic: &str) {
        if let Some(state) = self.inner.with(|inner| inner.needs.state(topic)) {
            self.say(TabMessage::State {
                state,
                topics: topic.to_owned(),
            });
        }
    }

    /// Tells how things stand with a topic.
    fn answer(self, topic: &str) {
        self.say_state(topic);
        for (name, data) in self
            .inner
            .with(|inner| inner.needs.states(topic))
            .unwrap_or_default()
        {
            self.say(TabMessage::Heard {
                topic: topic.to_owned(),
                name,
                data,
                cursor: String::new(),
            });
        }
    }

    /// The connections may be dead without anybody having been told: opens them anew.
    fn check(self) {
        let now = clock::now().millis();
        let streams = self.inner.with(|inner| {
            let before = std::mem::replace(&mut inner.checked_at, now);
            if now - before > SAME {
                inner.needs.streams()
            } else {
                Vec::new()
            }
        });
        streams.into_iter().flatten().for_each(EventStream::again);
    }

    fn settle_soon(self) {
        let settling = self
            .inner
            .with(|inner| std::mem::replace(&mut inner.settling, true));
        if settling == Some(false) {
            run_after(PAUSE, move || self.settle());
        }
    }

    /// Makes the connections carry what is needed, from where it is needed.
    fn settle(self) {
        let plan = self.inner.with(|inner| {
            inner.settling = false;
            inner
                .leads
                .then(|| (inner.needs.plan(), inner.owner.clone()))
        });
        let Some((plan, Some(owner))) = plan.flatten() else {
            return;
        };
        while let Some(index) = self
            .inner
            .with(|inner| inner.needs.lines())
            .filter(|lines| *lines < plan.len())
        {
            let stream = owner.with(|| self.stream(index));
            self.inner.with(|inner| inner.needs.add_line(stream));
        }
        let Some(name) = self.inner.with(|inner| inner.name.clone()) else {
            return;
        };
        let name = name();
        let changed = self
            .inner
            .with(|inner| inner.needs.assign(plan, &name))
            .unwrap_or_default();
        for (stream, carries) in changed {
            if carries {
                stream.again()
            } else {
                stream.pause()
            }
        }
    }

    /// One more connection.
    fn stream(self, index: usize) -> EventStream {
        let address = move || {
            self.inner
                .with(|inner| inner.needs.address(index))
                .unwrap_or_default()
        };
        let stream = EventStream::new(address, move |heard| self.hear(heard));
        browser_effect(move || {
            stream.state();
            self.tell(index);
        });
        stream
    }

    /// Tells what a connection is doing.
    fn tell(self, index: usize) {
        let Some(Some((state, topics))) = self.inner.with(|inner| inner.needs.told(index)) else {
            return;
        };
        if state == ConnectionState::Live {
            // A connection that begins anew says who types, but not that nobody does any more.
            let typed = self
                .inner
                .with(|inner| inner.needs.forget_typing(&topics))
                .unwrap_or_default();
            for topic in typed {
                self.say(TabMessage::Heard {
                    topic,
                    name: TYPING.to_owned(),
                    data: NOBODY.to_owned(),
                    cursor: String::new(),
                });
            }
        }
        self.say(TabMessage::State {
            state,
            topics: topics.join(","),
        });
    }

    fn hear(self, heard: StreamEvent) {
        // What is about no topic concerns all tabs.
        let topic = topic_of(&heard).unwrap_or_default();
        let cursor = cursor_of(&heard.id, &topic);
        self.inner
            .with(|inner| inner.needs.note(&topic, &heard, &cursor));
        let StreamEvent { name, data, .. } = heard;
        let reset = name == "reset";
        self.say(TabMessage::Heard {
            topic,
            name,
            data,
            cursor,
        });
        if reset {
            self.settle_soon();
        }
    }
}

/// The name of the lock that a tab holds as long as it lives.
pub fn tab_lock_name(tab: &str) -> String {
    format!("{CHANNEL_NAME}/{tab}")
}
