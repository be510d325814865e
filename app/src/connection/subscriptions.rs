//! What the tabs of a browser need, and which connection carries it.
//!
//! Promises: every topic that a tab needs is on exactly one connection, from the earliest place that any tab asked for
//! and that has not been heard since; what nobody needs is forgotten. Leaves to others: opening the connections and
//! telling what comes (`leader`).

use wasm_bindgen::JsValue;

use crate::browser::web_lock::LockClaim;
use crate::browser::{cookies, json};
use crate::connection::event_stream::{ConnectionState, EventStream, StreamEvent};
use crate::session::visitor;

/// The topic of the public rooms.
pub const ROOMS: &str = "rooms";
/// The topic of the visitor's own rooms and chats; every other topic is the ID of a room.
pub const OVERVIEW: &str = "overview";
/// The event that says who types.
pub const TYPING: &str = "typing";
/// The most rooms on one connection.
const ROOMS_MAX: usize = 32;

/// All of it. Few enough to be looked through; maps would be much to load.
#[derive(Default)]
pub struct SubscriptionTable {
    /// The tabs that need something, each with a place in the line for the lock that it holds as long as it lives.
    tabs: Vec<(String, Option<LockClaim>)>,
    needs: Vec<Need>,
    topics: Vec<Topic>,
    lines: Vec<Line>,
}

/// What a tab needs.
struct Need {
    tab: String,
    topic: String,
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
    stream: EventStream,
    topics: Vec<String>,
    name: String,
}

impl SubscriptionTable {
    /// Forgets everything; gives back the connections that were in use.
    pub fn end(&mut self) -> Vec<EventStream> {
        let streams = self.streams();
        self.tabs.clear();
        self.needs.clear();
        self.topics.clear();
        self.lines.iter_mut().for_each(|line| line.topics.clear());
        streams
    }

    /// Whether this tab has said what it needs.
    pub fn knows(&self, tab: &str) -> bool {
        self.tabs.iter().any(|(known, _)| known == tab)
    }

    /// Whether anybody needs this topic.
    pub fn has(&self, topic: &str) -> bool {
        self.topic(topic).is_some()
    }

    /// A tab is no more.
    pub fn remove(&mut self, tab: &str) {
        self.tabs.retain(|(known, _)| known != tab);
        self.needs.retain(|need| need.tab != tab);
    }

    /// A tab needs a topic no longer.
    pub fn remove_one(&mut self, tab: &str, topic: &str) {
        self.needs
            .retain(|need| need.tab != tab || need.topic != topic);
    }

    /// How many connections there are, in use or not.
    pub fn lines(&self) -> usize {
        self.lines.len()
    }

    /// One more connection, not in use yet.
    pub fn add_line(&mut self, stream: EventStream) {
        self.lines.push(Line {
            stream,
            topics: Vec::new(),
            name: String::new(),
        });
    }

    /// What a tab that comes later has to hear first: the newest of each event that tells a whole state.
    pub fn states(&self, topic: &str) -> Vec<(String, String)> {
        self.topic(topic)
            .map(|topic| topic.states.clone())
            .unwrap_or_default()
    }

    /// The connections in use.
    pub fn streams(&self) -> Vec<EventStream> {
        self.lines
            .iter()
            .filter(|line| !line.topics.is_empty())
            .map(|line| line.stream)
            .collect()
    }

    fn topic(&self, name: &str) -> Option<&Topic> {
        self.topics.iter().find(|topic| topic.name == name)
    }

    /// A tab needs a topic from this cursor onwards.
    pub fn add(&mut self, tab: &str, topic: &str, cursor: &str, watch: Option<LockClaim>) {
        let from = || cursor.to_owned();
        if !self.knows(tab) {
            self.tabs.push((tab.to_owned(), watch));
        }
        if !self
            .needs
            .iter()
            .any(|need| need.tab == tab && need.topic == topic)
        {
            self.needs.push(Need {
                tab: tab.to_owned(),
                topic: topic.to_owned(),
            });
        }
        match self.topics.iter_mut().find(|known| known.name == topic) {
            Some(known) if seq(&known.from) <= seq(cursor) => {}
            Some(known) => (known.from, known.stale) = (from(), true),
            None => self.topics.push(Topic {
                name: topic.to_owned(),
                from: from(),
                stale: true,
                states: Vec::new(),
            }),
        }
    }

    /// What the connection for a topic is doing.
    pub fn state(&self, topic: &str) -> ConnectionState {
        let stale = self.topic(topic).is_none_or(|topic| topic.stale);
        let line = self
            .lines
            .iter()
            .find(|line| line.topics.iter().any(|carried| carried == topic));
        line.filter(|_| !stale)
            .map_or(ConnectionState::Connecting, |line| line.stream.now())
    }

    /// What a connection is doing, and for which topics.
    pub fn told(&self, index: usize) -> Option<(ConnectionState, Vec<String>)> {
        let line = self
            .lines
            .get(index)
            .filter(|line| !line.topics.is_empty())?;
        Some((line.stream.now(), line.topics.clone()))
    }

    /// Forgets who types; gives back where somebody did.
    pub fn forget_typing(&mut self, topics: &[String]) -> Vec<String> {
        let typed = |topic: &mut Topic| {
            let before = topic.states.len();
            if topics.contains(&topic.name) {
                topic.states.retain(|(name, _)| name != TYPING);
            }
            topic.states.len() < before
        };
        self.topics
            .iter_mut()
            .filter_map(|topic| typed(topic).then(|| topic.name.clone()))
            .collect()
    }

    /// Which topics go on which connection; forgets what nobody needs.
    pub fn plan(&mut self) -> Vec<Vec<String>> {
        let needs = &self.needs;
        self.topics
            .retain(|topic| needs.iter().any(|need| need.topic == topic.name));
        let mut plan: Vec<Vec<String>> = Vec::new();
        for topic in &self.topics {
            // What is no room goes with any of them.
            match plan
                .last_mut()
                .filter(|topics| topics.len() < ROOMS_MAX || !is_room(&topic.name))
            {
                Some(topics) => topics.push(topic.name.clone()),
                None => plan.push(vec![topic.name.clone()]),
            }
        }
        plan
    }

    /// Hands the topics out; gives back the connections that change, and whether they still carry anything.
    pub fn assign(&mut self, plan: Vec<Vec<String>>, name: &str) -> Vec<(EventStream, bool)> {
        let mut plan = plan.into_iter();
        let mut changed = Vec::new();
        for line in &mut self.lines {
            let topics = plan.next().unwrap_or_default();
            let stale = self
                .topics
                .iter()
                .any(|topic| topic.stale && topics.contains(&topic.name));
            if line.topics != topics || (!topics.is_empty() && (stale || line.name != name)) {
                changed.push((line.stream, !topics.is_empty()));
            }
            (line.topics, line.name) = (topics, name.to_owned());
        }
        self.topics.iter_mut().for_each(|topic| topic.stale = false);
        changed
    }

    /// Where a connection is.
    pub fn address(&self, index: usize) -> String {
        let Some(line) = self.lines.get(index) else {
            return String::new();
        };
        let mut address = format!(
            "/stream?beat=on&username={}",
            cookies::percent_encode(&line.name)
        );
        let carries = |topic: &str| line.topics.iter().any(|carried| carried == topic);
        if carries(ROOMS) {
            address.push_str("&list=on");
        }
        if carries(OVERVIEW) {
            address.push_str(&format!("&overview=on&also={}", visitor::list_visits(",")));
        }
        let rooms: Vec<&str> = line
            .topics
            .iter()
            .map(String::as_str)
            .filter(|topic| is_room(topic))
            .collect();
        if !rooms.is_empty() {
            let from = |room: &&str| self.topic(room).map_or("latest", |topic| &topic.from);
            let after: Vec<&str> = rooms.iter().map(from).collect();
            address.push_str(&format!(
                "&rooms={}&after={}",
                rooms.join(","),
                after.join(",")
            ));
        }
        address
    }

    /// Takes note of how far a topic has come. Who is to begin anew will ask anew.
    pub fn note(&mut self, topic: &str, heard: &StreamEvent, cursor: &str) {
        if heard.name == "reset" {
            self.topics.retain(|known| known.name != topic);
            self.needs.retain(|need| need.topic != topic);
        }
        let Some(topic) = self.topics.iter_mut().find(|known| known.name == topic) else {
            return;
        };
        match heard.name.as_str() {
            "message" | "edit" | "deletion" if !topic.stale => topic.from = cursor.to_owned(),
            ROOMS | OVERVIEW | "presence" | TYPING => {
                topic.states.retain(|(name, _)| *name != heard.name);
                topic.states.push((heard.name.clone(), heard.data.clone()));
            }
            _ => {}
        }
    }
}

/// Whether a topic is a room.
fn is_room(topic: &str) -> bool {
    topic != ROOMS && topic != OVERVIEW
}

/// The sequence in a cursor.
fn seq(cursor: &str) -> u64 {
    cursor
        .rsplit('.')
        .next()
        .and_then(|seq| seq.parse().ok())
        .unwrap_or(0)
}

/// What an event is about.
pub fn topic_of(heard: &StreamEvent) -> Option<String> {
    if !is_room(&heard.name) {
        return Some(heard.name.clone());
    }
    json::field(&json::parse::<JsValue>(&heard.data)?, "room")
}

/// The place in one room in the `id` of an event that has those of all of its connection's rooms.
pub fn cursor_of(id: &str, room: &str) -> String {
    let cursor = id
        .split('_')
        .find_map(|pair| pair.strip_prefix(room)?.strip_prefix('-'));
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
