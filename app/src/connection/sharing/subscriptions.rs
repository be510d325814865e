//! The topics that the tabs of a browser subscribe to, and the stream that carries each.
//!
//! # Guarantees
//! - Each topic that a tab subscribes to is on exactly one stream.
//! - A stream starts each room at the earliest cursor that any tab asked for and that no event has
//!   passed since.
//! - A topic without subscribers is forgotten.
//!
//! # Not here
//! Opening the streams (`tab_leader`) and when to (`leader`).

use protocol::EventName;

use crate::connection::sharing::stream_address::StreamAddress;
use crate::connection::sharing::stream_event::StreamEvent;
use crate::connection::sharing::topic::{OVERVIEW, ROOMS, is_room, sequence_of};

/// The most rooms on one stream.
const ROOMS_PER_STREAM: usize = 32;

/// The subscriptions of all tabs. They are few: lists are smaller than maps to load.
#[derive(Default)]
pub struct SubscriptionTable {
    tabs: Vec<String>,
    subscriptions: Vec<Subscription>,
    topics: Vec<Topic>,
    streams: Vec<StreamPlan>,
}

struct Subscription {
    tab: String,
    topic: String,
}

/// What is known of a topic that a tab subscribes to.
struct Topic {
    name: String,
    /// The cursor after which its stream starts or has come to.
    cursor: String,
    /// Whether the cursor is earlier than where its stream is.
    is_stale: bool,
    /// The newest of each event that replaces the one before it, for tabs that come later.
    states: Vec<StateEvent>,
}

/// An event that carries a whole state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateEvent {
    /// Which event.
    pub name: EventName,
    /// Its data.
    pub data: String,
}

/// What a stream carries, and the display name it was opened with.
#[derive(Default)]
struct StreamPlan {
    topics: Vec<String>,
    name: String,
}

/// A stream to open again, or to close.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamChange {
    /// Which stream.
    pub stream: usize,
    /// Whether it still carries anything.
    pub is_used: bool,
}

impl SubscriptionTable {
    /// Forgets all tabs and topics; returns the streams that were in use.
    pub fn clear(&mut self) -> Vec<usize> {
        let used = self.used_streams();
        self.tabs.clear();
        self.subscriptions.clear();
        self.topics.clear();
        for stream in &mut self.streams {
            stream.topics.clear();
        }
        used
    }

    /// Whether this tab has subscribed to a topic.
    pub fn knows_tab(&self, tab: &str) -> bool {
        self.tabs.iter().any(|known| known == tab)
    }

    /// Whether a tab subscribes to this topic.
    pub fn has_topic(&self, topic: &str) -> bool {
        self.topic(topic).is_some()
    }

    /// Adds a tab's subscription to a topic from a cursor onwards.
    pub fn add(&mut self, tab: &str, topic: &str, cursor: &str) {
        if !self.knows_tab(tab) {
            self.tabs.push(tab.to_owned());
        }
        let is_known = |known: &Subscription| known.tab == tab && known.topic == topic;
        if !self.subscriptions.iter().any(is_known) {
            self.subscriptions.push(Subscription {
                tab: tab.to_owned(),
                topic: topic.to_owned(),
            });
        }
        match self.topics.iter_mut().find(|known| known.name == topic) {
            Some(known) if sequence_of(&known.cursor) <= sequence_of(cursor) => {}
            Some(known) => {
                cursor.clone_into(&mut known.cursor);
                known.is_stale = true;
            }
            None => self.topics.push(Topic {
                name: topic.to_owned(),
                cursor: cursor.to_owned(),
                is_stale: true,
                states: Vec::new(),
            }),
        }
    }

    /// Removes a tab that has ended.
    pub fn remove_tab(&mut self, tab: &str) {
        self.tabs.retain(|known| known != tab);
        self.subscriptions.retain(|known| known.tab != tab);
    }

    /// Removes one subscription of a tab.
    pub fn remove(&mut self, tab: &str, topic: &str) {
        self.subscriptions
            .retain(|known| known.tab != tab || known.topic != topic);
    }

    /// The newest of each state event of a topic.
    pub fn latest_states(&self, topic: &str) -> Vec<StateEvent> {
        self.topic(topic)
            .map(|topic| topic.states.clone())
            .unwrap_or_default()
    }

    /// The streams that carry anything.
    pub fn used_streams(&self) -> Vec<usize> {
        let used = |stream: &usize| !self.streams[*stream].topics.is_empty();
        (0..self.streams.len()).filter(used).collect()
    }

    /// The stream of a topic, if it is on one that needs no reopening for it.
    pub fn stream_of(&self, topic: &str) -> Option<usize> {
        self.topic(topic).filter(|topic| !topic.is_stale)?;
        self.streams
            .iter()
            .position(|stream| stream.topics.iter().any(|carried| carried == topic))
    }

    /// The topics on a stream; none if it is not in use.
    pub fn topics_on(&self, stream: usize) -> &[String] {
        self.streams
            .get(stream)
            .map_or(&[], |stream| &stream.topics)
    }

    /// Forgets the names of those who type; returns the topics that had any.
    pub fn forget_typing(&mut self, stream: usize) -> Vec<String> {
        let Some(stream) = self.streams.get(stream) else {
            return Vec::new();
        };
        let mut had_typing = Vec::new();
        for topic in &mut self.topics {
            let before = topic.states.len();
            if stream.topics.contains(&topic.name) {
                topic.states.retain(|state| state.name != EventName::Typing);
            }
            if topic.states.len() < before {
                had_typing.push(topic.name.clone());
            }
        }
        had_typing
    }

    /// Distributes the topics over the streams; returns the streams that change.
    pub fn assign_streams(&mut self, name: &str) -> Vec<StreamChange> {
        let plan = self.plan_streams();
        if self.streams.len() < plan.len() {
            self.streams.resize_with(plan.len(), StreamPlan::default);
        }
        let mut plan = plan.into_iter();
        let mut changes = Vec::new();
        for (index, stream) in self.streams.iter_mut().enumerate() {
            let topics = plan.next().unwrap_or_default();
            let is_used = !topics.is_empty();
            let is_stale = self
                .topics
                .iter()
                .any(|topic| topic.is_stale && topics.contains(&topic.name));
            if stream.topics != topics || (is_used && (is_stale || stream.name != name)) {
                changes.push(StreamChange {
                    stream: index,
                    is_used,
                });
            }
            stream.topics = topics;
            name.clone_into(&mut stream.name);
        }
        for topic in &mut self.topics {
            topic.is_stale = false;
        }
        changes
    }

    /// Which topics go on which stream; forgets topics without subscribers.
    fn plan_streams(&mut self) -> Vec<Vec<String>> {
        let subscriptions = &self.subscriptions;
        self.topics
            .retain(|topic| subscriptions.iter().any(|known| known.topic == topic.name));
        let mut plan: Vec<Vec<String>> = Vec::new();
        for topic in &self.topics {
            // A topic that is no room fits on any stream.
            let has_space = |topics: &&mut Vec<String>| {
                topics.len() < ROOMS_PER_STREAM || !is_room(&topic.name)
            };
            match plan.last_mut().filter(has_space) {
                Some(topics) => topics.push(topic.name.clone()),
                None => plan.push(vec![topic.name.clone()]),
            }
        }
        plan
    }

    /// The address of a stream, from the current cursors. `list_visits` is called if it carries the
    /// overview.
    pub fn address(&self, stream: usize, list_visits: &dyn Fn() -> String) -> String {
        let Some(stream) = self.streams.get(stream) else {
            return String::new();
        };
        let mut address = StreamAddress::new(&stream.name);
        for topic in &stream.topics {
            let cursor = self.topic(topic).map_or("latest", |topic| &topic.cursor);
            match topic.as_str() {
                ROOMS => address.add_public_rooms(),
                OVERVIEW => address.add_overview(&list_visits()),
                room => address.add_room(room, cursor),
            }
        }
        address.finish()
    }

    /// Records how far a topic has come, and its state. After a `reset` the tabs subscribe again.
    pub fn record_event(&mut self, topic: &str, event: &StreamEvent, cursor: &str) {
        if event.name == EventName::Reset {
            self.topics.retain(|known| known.name != topic);
            self.subscriptions.retain(|known| known.topic != topic);
        }
        let Some(topic) = self.topics.iter_mut().find(|known| known.name == topic) else {
            return;
        };
        match event.name {
            EventName::Message | EventName::Change if !topic.is_stale => {
                cursor.clone_into(&mut topic.cursor);
            }
            name if name.is_state() => {
                topic.states.retain(|state| state.name != event.name);
                topic.states.push(StateEvent {
                    name: event.name,
                    data: event.data.clone(),
                });
            }
            _ => {}
        }
    }

    fn topic(&self, name: &str) -> Option<&Topic> {
        self.topics.iter().find(|topic| topic.name == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(name: EventName, data: &str) -> StreamEvent {
        StreamEvent {
            name,
            data: data.to_owned(),
            id: String::new(),
        }
    }

    fn table(subscriptions: &[[&str; 3]]) -> SubscriptionTable {
        let mut table = SubscriptionTable::default();
        for [tab, topic, cursor] in subscriptions {
            table.add(tab, topic, cursor);
        }
        table.assign_streams("ada");
        table
    }

    fn address(table: &SubscriptionTable) -> String {
        let address = table.address(0, &|| "a,b".to_owned());
        address.replace("/stream?beat=on&username=ada", "")
    }

    const REOPENED: StreamChange = StreamChange {
        stream: 0,
        is_used: true,
    };

    #[test]
    fn stream_starts_at_the_earliest_cursor_of_any_tab() {
        let mut table = table(&[["1", "r", "e.7"], ["2", "r", "e.4"], ["3", "r", "e.9"]]);
        assert_eq!(address(&table), "&rooms=r&after=e.4");
        table.record_event("r", &event(EventName::Message, ""), "e.8");
        table.add("4", "r", "e.8");
        assert_eq!(table.assign_streams("ada"), []);
        table.add("4", "r", "e.6");
        assert_eq!(table.stream_of("r"), None);
        assert_eq!(table.assign_streams("ada"), [REOPENED]);
        assert_eq!(address(&table), "&rooms=r&after=e.6");
    }

    #[test]
    fn events_of_the_old_stream_do_not_pass_an_earlier_cursor() {
        let mut table = table(&[["1", "r", "e.7"]]);
        table.add("2", "r", "e.3");
        table.record_event("r", &event(EventName::Message, ""), "e.8");
        table.assign_streams("ada");
        assert_eq!(address(&table), "&rooms=r&after=e.3");
        table.record_event("r", &event(EventName::Message, ""), "e.4");
        assert_eq!(address(&table), "&rooms=r&after=e.4");
    }

    #[test]
    fn topic_is_kept_until_its_last_subscriber_leaves() {
        let mut table = table(&[["1", "r", "5"], ["2", "r", "5"], ["2", ROOMS, ""]]);
        assert_eq!(address(&table), "&list=on&rooms=r&after=5");
        table.remove("1", "r");
        assert_eq!(table.assign_streams("ada"), []);
        table.remove("2", ROOMS);
        assert_eq!(table.assign_streams("ada"), [REOPENED]);
        table.remove_tab("2");
        let closed = StreamChange {
            stream: 0,
            is_used: false,
        };
        assert_eq!(table.assign_streams("ada"), [closed]);
        assert!(!table.has_topic("r"));
        assert_eq!(table.used_streams(), [0_usize; 0]);
    }

    #[test]
    fn another_display_name_reopens_the_stream() {
        let mut table = table(&[["1", OVERVIEW, ""]]);
        assert_eq!(address(&table), "&overview=on&also=a,b");
        assert_eq!(table.assign_streams("ada"), []);
        assert_eq!(table.assign_streams("a b"), [REOPENED]);
        assert!(table.address(0, &String::new).contains("username=a%20b&"));
    }

    #[test]
    fn each_stream_carries_at_most_32_rooms() {
        let mut table = SubscriptionTable::default();
        for room in 0..70 {
            table.add("1", &format!("room{room}"), "1");
        }
        table.add("1", ROOMS, "");
        table.assign_streams("ada");
        let carried = [0, 1, 2].map(|stream| table.topics_on(stream).len());
        assert_eq!(carried, [32, 32, 7]);
        assert_eq!(table.stream_of("room40"), Some(1));
    }

    #[test]
    fn later_tab_gets_the_newest_state_events() {
        let mut table = table(&[["1", "r", "5"]]);
        for (name, data) in [
            (EventName::Presence, "1"),
            (EventName::Typing, "x"),
            (EventName::Presence, "2"),
            (EventName::Roles, "r"),
        ] {
            table.record_event("r", &event(name, data), "");
        }
        let names = |table: &SubscriptionTable| -> Vec<String> {
            let states = table.latest_states("r");
            states.into_iter().map(|state| state.data).collect()
        };
        assert_eq!(names(&table), ["x", "2", "r"]);
        assert_eq!(table.forget_typing(0), ["r"]);
        assert_eq!(names(&table), ["2", "r"]);
    }

    #[test]
    fn reset_forgets_the_topic_until_tabs_subscribe_again() {
        let mut table = table(&[["1", "r", "e.9"]]);
        table.record_event("r", &event(EventName::Reset, ""), "");
        assert!(!table.has_topic("r"));
        assert!(table.knows_tab("1"));
        table.add("1", "r", "f.2");
        assert_eq!(table.assign_streams("ada"), [REOPENED]);
        assert_eq!(address(&table), "&rooms=r&after=f.2");
    }
}
