//! Leading: one tab of a browser holds the connection for all of its tabs.
//!
//! Promises: while this tab leads, whatever any tab needs is on one connection (on more beyond 32 rooms), each room from
//! the earliest place that any tab asked for, and everything that comes is told to all tabs. Tabs come, go and die at any
//! time; a new leader asks them all. Leaves to others: who leads (`lock`), the tabs' own places and what is missing
//! there (`feed`), healing a connection (`stream`). In the browser only.

use std::rc::Rc;
use std::time::Duration;

use leptos::prelude::*;
use wasm_bindgen::JsValue;

use crate::browser::{later, live};
use crate::channel::{NAME, Word};
use crate::clock;
use crate::cookie;
use crate::lock::Turn;
use crate::part::Own;
use crate::stream::{Heard, State, Stream};
use crate::wire;

/// The topic of the public rooms; every other topic is the ID of a room.
pub const ROOMS: &str = "rooms";
/// The most rooms on one connection.
const ROOMS_MAX: usize = 32;
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
    // Few enough to be looked through; maps would be much to load.
    needs: Vec<Need>,
    topics: Vec<Topic>,
    lines: Vec<Line>,
}

/// What a tab needs.
struct Need {
    tab: String,
    topic: String,
    /// A place in the line for the lock that the tab holds as long as it lives.
    _watch: Option<Turn>,
}

/// What is known of a topic that somebody needs.
struct Topic {
    name: String,
    /// The place from which it goes on.
    from: String,
    /// Whether that is earlier than where its connection is.
    stale: bool,
    /// The newest of each event that tells a whole state, for tabs that come later.
    states: Vec<(String, String)>,
}

/// A connection and what it carries.
struct Line {
    stream: Stream,
    topics: Vec<String>,
    name: String,
}

impl Leader {
    /// An idle leader.
    pub fn new(tab: String, name: impl Fn() -> String + 'static, say: impl Fn(Word) + 'static) -> Self {
        let inner = Inner {
            owner: Owner::current(),
            tab,
            name: Rc::new(name),
            say: Rc::new(say),
            leads: false,
            settling: false,
            checked_at: 0,
            needs: Vec::new(),
            topics: Vec::new(),
            lines: Vec::new(),
        };
        Self { inner: Own::new(inner) }
    }

    /// Leads from now on.
    pub fn begin(self) {
        self.inner.with(|inner| inner.leads = true);
        self.say(Word::Hail);
    }

    /// No longer leads.
    pub fn end(self) {
        let lines = self.inner.with(|inner| {
            inner.leads = false;
            inner.needs.clear();
            inner.topics.clear();
            inner.lines.iter_mut().for_each(|line| line.topics.clear());
            inner.streams()
        });
        lines.into_iter().flatten().for_each(Stream::pause);
    }

    /// Hears what any tab says.
    pub fn take(self, word: &Word) {
        if self.inner.with(|inner| inner.leads) != Some(true) {
            return;
        }
        match word {
            Word::Need { tab, topic, .. } if topic.is_empty() => self.gone(tab),
            Word::Need { tab, topic, cursor } => self.need(tab, topic, cursor),
            Word::Ping { topic } if self.inner.with(|inner| inner.topic(topic).is_some()) == Some(true) => {
                self.answer(topic);
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
        let known = self.inner.with(|inner| inner.tab == tab || inner.needs.iter().any(|need| need.tab == tab));
        let watch = if known == Some(true) { None } else { self.watch(tab) };
        self.inner.with(|inner| inner.need(tab, topic, cursor, watch));
        self.answer(topic);
        self.settle_soon();
    }

    /// Notices when another tab is no more, however it ended.
    fn watch(self, tab: &str) -> Option<Turn> {
        let name = tab.to_owned();
        Turn::take(&tab_lock(tab), false, move || self.gone(&name), drop)
    }

    fn gone(self, tab: &str) {
        self.inner.with(|inner| inner.needs.retain(|need| need.tab != tab));
        self.settle_soon();
    }

    /// Tells how things stand with a topic.
    fn answer(self, topic: &str) {
        let states = |topic: &Topic| topic.states.clone();
        let stand = self.inner.with(|inner| (inner.state(topic), inner.topic(topic).map(states)));
        let Some((state, states)) = stand else { return };
        self.say(Word::State { state, topics: topic.to_owned() });
        for (name, data) in states.unwrap_or_default() {
            self.say(Word::Heard { topic: topic.to_owned(), name, data, cursor: String::new() });
        }
    }

    /// The connections may be dead without anybody having been told: opens them anew.
    fn check(self) {
        let now = clock::now().millis();
        let streams = self.inner.with(|inner| {
            let before = std::mem::replace(&mut inner.checked_at, now);
            if now - before > SAME { inner.streams() } else { Vec::new() }
        });
        streams.into_iter().flatten().for_each(Stream::again);
    }

    fn settle_soon(self) {
        let settling = self.inner.with(|inner| std::mem::replace(&mut inner.settling, true));
        if settling == Some(false) {
            later(PAUSE, move || self.settle());
        }
    }

    /// Makes the connections carry what is needed, from where it is needed.
    fn settle(self) {
        let plan = self.inner.with(|inner| {
            inner.settling = false;
            inner.leads.then(|| (inner.plan(), inner.owner.clone()))
        });
        let Some((plan, Some(owner))) = plan.flatten() else { return };
        while self.inner.with(|inner| inner.lines.len()) < Some(plan.len()) {
            let line = owner.with(|| self.line());
            self.inner.with(|inner| inner.lines.push(line));
        }
        let changed = self.inner.with(|inner| inner.assign(plan)).unwrap_or_default();
        for (stream, carries) in changed {
            if carries { stream.again() } else { stream.pause() }
        }
    }

    /// One more connection.
    fn line(self) -> Line {
        let index = self.inner.with(|inner| inner.lines.len()).unwrap_or_default();
        let stream = Stream::new(move || self.address(index), move |heard| self.hear(heard));
        live(move || {
            stream.state();
            self.tell(index);
        });
        Line { stream, topics: Vec::new(), name: String::new() }
    }

    fn address(self, index: usize) -> String {
        self.inner.with(|inner| inner.address(&inner.lines[index])).unwrap_or_default()
    }

    /// Tells what a connection is doing.
    fn tell(self, index: usize) {
        let told = self.inner.with(|inner| {
            let line = inner.lines.get(index).filter(|line| !line.topics.is_empty())?;
            Some(Word::State { state: line.stream.now(), topics: line.topics.join(",") })
        });
        told.flatten().into_iter().for_each(|word| self.say(word));
    }

    fn hear(self, heard: Heard) {
        let Some(topic) = topic_of(&heard) else { return };
        let cursor = cursor_of(&heard.id, &topic);
        self.inner.with(|inner| inner.note(&topic, &heard, &cursor));
        let Heard { name, data, .. } = heard;
        let reset = name == "reset";
        self.say(Word::Heard { topic, name, data, cursor });
        if reset {
            self.settle_soon();
        }
    }
}

impl Inner {
    /// The connections in use.
    fn streams(&self) -> Vec<Stream> {
        self.lines.iter().filter(|line| !line.topics.is_empty()).map(|line| line.stream).collect()
    }

    fn topic(&self, name: &str) -> Option<&Topic> {
        self.topics.iter().find(|topic| topic.name == name)
    }

    fn need(&mut self, tab: &str, topic: &str, cursor: &str, watch: Option<Turn>) {
        let from = || cursor.to_owned();
        match self.needs.iter_mut().find(|need| need.tab == tab) {
            Some(need) => topic.clone_into(&mut need.topic),
            None => self.needs.push(Need { tab: tab.to_owned(), topic: topic.to_owned(), _watch: watch }),
        }
        match self.topics.iter_mut().find(|known| known.name == topic) {
            Some(known) if seq(&known.from) <= seq(cursor) => {}
            Some(known) => (known.from, known.stale) = (from(), true),
            None => self.topics.push(Topic { name: topic.to_owned(), from: from(), stale: true, states: Vec::new() }),
        }
    }

    fn state(&self, topic: &str) -> State {
        let stale = self.topic(topic).is_none_or(|topic| topic.stale);
        let line = self.lines.iter().find(|line| line.topics.iter().any(|carried| carried == topic));
        line.filter(|_| !stale).map_or(State::Connecting, |line| line.stream.now())
    }

    /// Which topics go on which connection; forgets what nobody needs.
    fn plan(&mut self) -> Vec<Vec<String>> {
        let needs = &self.needs;
        self.topics.retain(|topic| needs.iter().any(|need| need.topic == topic.name));
        let mut plan: Vec<Vec<String>> = Vec::new();
        for topic in &self.topics {
            // The list of rooms is no room, and goes with any of them.
            match plan.last_mut().filter(|topics| topics.len() < ROOMS_MAX || topic.name == ROOMS) {
                Some(topics) => topics.push(topic.name.clone()),
                None => plan.push(vec![topic.name.clone()]),
            }
        }
        plan
    }

    /// Hands the topics out; gives back the connections that change, and whether they still carry anything.
    fn assign(&mut self, plan: Vec<Vec<String>>) -> Vec<(Stream, bool)> {
        let name = (self.name)();
        let mut plan = plan.into_iter();
        let mut changed = Vec::new();
        for line in &mut self.lines {
            let topics = plan.next().unwrap_or_default();
            let stale = self.topics.iter().any(|topic| topic.stale && topics.contains(&topic.name));
            if line.topics != topics || (!topics.is_empty() && (stale || line.name != name)) {
                changed.push((line.stream, !topics.is_empty()));
            }
            (line.topics, line.name) = (topics, name.clone());
        }
        self.topics.iter_mut().for_each(|topic| topic.stale = false);
        changed
    }

    fn address(&self, line: &Line) -> String {
        let mut address = format!("/stream?username={}", cookie::encode(&line.name));
        let rooms: Vec<&str> = line.topics.iter().map(String::as_str).filter(|topic| *topic != ROOMS).collect();
        if rooms.len() < line.topics.len() {
            address.push_str("&list=on");
        }
        if !rooms.is_empty() {
            let from = |room: &&str| self.topic(room).map_or("latest", |topic| &topic.from);
            let after: Vec<&str> = rooms.iter().map(from).collect();
            address.push_str(&format!("&rooms={}&after={}", rooms.join(","), after.join(",")));
        }
        address
    }

    /// Takes note of how far a topic has come. Who is to begin anew will ask anew.
    fn note(&mut self, topic: &str, heard: &Heard, cursor: &str) {
        if heard.name == "reset" {
            self.topics.retain(|known| known.name != topic);
            self.needs.retain(|need| need.topic != topic);
        }
        let Some(topic) = self.topics.iter_mut().find(|known| known.name == topic) else { return };
        match heard.name.as_str() {
            "message" if !topic.stale => topic.from = cursor.to_owned(),
            ROOMS | "presence" | "typing" => {
                topic.states.retain(|(name, _)| *name != heard.name);
                topic.states.push((heard.name.clone(), heard.data.clone()));
            }
            _ => {}
        }
    }
}

/// The name of the lock that a tab holds as long as it lives.
pub fn tab_lock(tab: &str) -> String {
    format!("{NAME}/{tab}")
}

/// The sequence in a cursor.
fn seq(cursor: &str) -> u64 {
    cursor.rsplit('.').next().and_then(|seq| seq.parse().ok()).unwrap_or(0)
}

/// What an event is about.
fn topic_of(heard: &Heard) -> Option<String> {
    if heard.name == ROOMS {
        return Some(ROOMS.to_owned());
    }
    wire::field(&wire::parse::<JsValue>(&heard.data)?, "room")
}

/// The place in one room in the `id` of an event that has those of all of its connection's rooms.
fn cursor_of(id: &str, room: &str) -> String {
    let cursor = id.split('_').find_map(|pair| pair.strip_prefix(room)?.strip_prefix('-'));
    cursor.unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_found_and_compared() {
        let id = "0000000000000001-000000ab.5_0123456789abcdef-000000ab.17";
        assert_eq!(cursor_of(id, "0123456789abcdef"), "000000ab.17");
        assert_eq!(cursor_of(id, "0123456789abcdee"), "");
        assert_eq!((seq("000000ab.17"), seq("5"), seq("")), (17, 5, 0));
    }
}
