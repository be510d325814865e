//! Leading: one tab of a browser holds the connection for all of its tabs.
//!
//! Promises: while this tab leads, whatever any tab needs is on one connection (on more beyond 32 rooms), each room from
//! the earliest place that any tab asked for, and everything that comes is told to all tabs. Tabs come, go and die at any
//! time; a new leader asks them all. Leaves to others: who leads (`lock`), the tabs' own places and what is missing
//! there (`feed`), healing a connection (`stream`). In the browser only.

use std::rc::Rc;
use std::time::Duration;

use leptos::prelude::*;

use crate::browser::{later, live};
use crate::channel::{NAME, Word};
use crate::clock;
use crate::lock::Turn;
use crate::needs::{Needs, TYPING, cursor_of, topic_of};
use crate::part::Own;
use crate::stream::{Heard, State, Stream};

/// The data of the event that says that nobody types.
const NOBODY: &str = r#"{"usernames":[]}"#;
/// Needs that come together are served together.
const PAUSE: Duration = Duration::from_millis(20);
/// Checks that come this soon after another are the same.
const SAME: i64 = 2_000;

/// The leader in a tab; idle while another tab leads.
#[derive(Clone, Copy)]
pub struct Leader {
    inner: Own<Inner>,
}

struct Inner {
    /// Where connections belong.
    owner: Option<Owner>,
    /// The tab it is in, which needs no watch.
    tab: String,
    /// Who the tabs' visitor is.
    name: Rc<dyn Fn() -> String>,
    /// Tells all tabs.
    say: Rc<dyn Fn(Word)>,
    leads: bool,
    settling: bool,
    checked_at: i64,
    needs: Needs,
}

impl Leader {
    /// An idle leader.
    pub fn new(
        tab: String,
        name: impl Fn() -> String + 'static,
        say: impl Fn(Word) + 'static,
    ) -> Self {
        let inner = Inner {
            owner: Owner::current(),
            tab,
            name: Rc::new(name),
            say: Rc::new(say),
            leads: false,
            settling: false,
            checked_at: 0,
            needs: Needs::default(),
        };
        Self {
            inner: Own::new(inner),
        }
    }

    /// Leads from now on.
    pub fn begin(self) {
        self.inner.with(|inner| inner.leads = true);
        self.say(Word::Hail);
    }

    /// No longer leads.
    pub fn end(self) {
        let streams = self.inner.with(|inner| {
            inner.leads = false;
            inner.needs.end()
        });
        streams.into_iter().flatten().for_each(Stream::pause);
    }

    /// Hears what any tab says.
    pub fn take(self, word: &Word) {
        if self.inner.with(|inner| inner.leads) != Some(true) {
            return;
        }
        match word {
            Word::Need { tab, topic, cursor } => self.need(tab, topic, cursor),
            Word::Enough { tab, topic } => self.enough(tab, topic),
            Word::Ping { topic }
                if self.inner.with(|inner| inner.needs.has(topic)) == Some(true) =>
            {
                self.say_state(topic);
            }
            Word::Ping { .. } => self.say(Word::Hail),
            Word::Check => self.check(),
            Word::Hail | Word::Changed { .. } | Word::State { .. } | Word::Heard { .. } => {}
        }
    }

    fn say(self, word: Word) {
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
    fn watch(self, tab: &str) -> Option<Turn> {
        let name = tab.to_owned();
        Turn::take(&tab_lock(tab), false, move || self.gone(&name), drop)
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
            self.say(Word::State {
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
            self.say(Word::Heard {
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
        streams.into_iter().flatten().for_each(Stream::again);
    }

    fn settle_soon(self) {
        let settling = self
            .inner
            .with(|inner| std::mem::replace(&mut inner.settling, true));
        if settling == Some(false) {
            later(PAUSE, move || self.settle());
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
    fn stream(self, index: usize) -> Stream {
        let address = move || {
            self.inner
                .with(|inner| inner.needs.address(index))
                .unwrap_or_default()
        };
        let stream = Stream::new(address, move |heard| self.hear(heard));
        live(move || {
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
        if state == State::Live {
            // A connection that begins anew says who types, but not that nobody does any more.
            let typed = self
                .inner
                .with(|inner| inner.needs.forget_typing(&topics))
                .unwrap_or_default();
            for topic in typed {
                self.say(Word::Heard {
                    topic,
                    name: TYPING.to_owned(),
                    data: NOBODY.to_owned(),
                    cursor: String::new(),
                });
            }
        }
        self.say(Word::State {
            state,
            topics: topics.join(","),
        });
    }

    fn hear(self, heard: Heard) {
        // What is about no topic concerns all tabs.
        let topic = topic_of(&heard).unwrap_or_default();
        let cursor = cursor_of(&heard.id, &topic);
        self.inner
            .with(|inner| inner.needs.note(&topic, &heard, &cursor));
        let Heard { name, data, .. } = heard;
        let reset = name == "reset";
        self.say(Word::Heard {
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
pub fn tab_lock(tab: &str) -> String {
    format!("{NAME}/{tab}")
}
