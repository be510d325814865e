//! What the tab that leads does: it opens the stream for all tabs and passes its events on.
//!
//! # Guarantees
//! - Only while it leads does it open streams.
//! - Each subscription of a tab is answered with the state of its stream, and with the newest state
//!   events, which the tab may have missed.
//! - A tab that has ended no longer counts, however it ended: the leader waits for its lock.
//!
//! # Not here
//! Which tab leads (`browser/web_lock`), what a tab needs (`subscriber`).

use protocol::EventName;

use crate::connection::sharing::actions::LeaderAction;
use crate::connection::sharing::stream_event::{ConnectionState, StreamEvent};
use crate::connection::sharing::subscriptions::SubscriptionTable;
use crate::connection::sharing::tab_message::TabMessage;
use crate::connection::sharing::topic::cursor_of;

/// The data of the event that says that no one is typing.
const NO_ONE_TYPING: &str = r#"{"usernames":[]}"#;
/// A check that comes this soon after another, in milliseconds, is part of it.
const CHECK_INTERVAL: i64 = 2_000;

/// The leader in a tab; idle while another tab leads.
#[derive(Default)]
pub struct Leader {
    /// The tab it is in, which it does not watch.
    tab: String,
    leads: bool,
    /// Whether [`Leader::assign_streams`] is to be called.
    is_assigning: bool,
    checked_at: i64,
    subscriptions: SubscriptionTable,
}

impl Leader {
    /// An idle leader in this tab.
    pub fn new(tab: String) -> Self {
        Self {
            tab,
            ..Self::default()
        }
    }

    /// Leads from now on, and asks all tabs for their subscriptions.
    pub fn start(&mut self) -> Vec<LeaderAction> {
        self.leads = true;
        vec![LeaderAction::Send(TabMessage::LeaderStarted)]
    }

    /// No longer leads.
    pub fn stop(&mut self) -> Vec<LeaderAction> {
        self.leads = false;
        let used = self.subscriptions.clear();
        let mut actions = vec![LeaderAction::UnwatchAllTabs];
        actions.extend(used.into_iter().map(LeaderAction::CloseStream));
        actions
    }

    /// Whether this tab leads.
    #[cfg(test)]
    pub fn leads(&self) -> bool {
        self.leads
    }

    /// Handles a message of any tab; `now` is in milliseconds.
    pub fn on_message(&mut self, message: &TabMessage, now: i64) -> Vec<LeaderAction> {
        if !self.leads {
            return Vec::new();
        }
        match message {
            TabMessage::Subscribe { tab, topic, cursor } => self.on_subscribe(tab, topic, cursor),
            TabMessage::Unsubscribe { tab, topic } => {
                self.subscriptions.remove(tab, topic);
                self.assign_soon().into_iter().collect()
            }
            TabMessage::Ping { topic } if self.subscriptions.has_topic(topic) => {
                vec![self.state_of(topic)]
            }
            // The tab's subscription is unknown here: every tab repeats its own.
            TabMessage::Ping { .. } => vec![LeaderAction::Send(TabMessage::LeaderStarted)],
            TabMessage::CheckConnection => self.on_check(now),
            TabMessage::LeaderStarted
            | TabMessage::OutboxChanged { .. }
            | TabMessage::State { .. }
            | TabMessage::Event { .. } => Vec::new(),
        }
    }

    fn on_subscribe(&mut self, tab: &str, topic: &str, cursor: &str) -> Vec<LeaderAction> {
        let mut actions = Vec::new();
        if self.tab != tab && !self.subscriptions.knows_tab(tab) {
            actions.push(LeaderAction::WatchTab(tab.to_owned()));
        }
        self.subscriptions.add(tab, topic, cursor);
        actions.push(self.state_of(topic));
        for state in self.subscriptions.latest_states(topic) {
            actions.push(LeaderAction::Send(TabMessage::Event {
                topic: topic.to_owned(),
                name: state.name,
                data: state.data,
                cursor: String::new(),
            }));
        }
        actions.extend(self.assign_soon());
        actions
    }

    /// Removes a tab that has ended.
    pub fn on_tab_ended(&mut self, tab: &str) -> Vec<LeaderAction> {
        self.subscriptions.remove_tab(tab);
        let mut actions = vec![LeaderAction::UnwatchTab(tab.to_owned())];
        actions.extend(self.assign_soon());
        actions
    }

    /// The connections may be dead without an error: opens them again.
    fn on_check(&mut self, now: i64) -> Vec<LeaderAction> {
        let before = self.checked_at;
        self.checked_at = now;
        if now - before <= CHECK_INTERVAL {
            return Vec::new();
        }
        let used = self.subscriptions.used_streams();
        used.into_iter().map(LeaderAction::OpenStream).collect()
    }

    /// Makes the streams carry what the tabs subscribe to; `name` is the visitor's display name.
    pub fn assign_streams(&mut self, name: &str) -> Vec<LeaderAction> {
        self.is_assigning = false;
        if !self.leads {
            return Vec::new();
        }
        let changes = self.subscriptions.assign_streams(name);
        let action = |is_used: bool, stream: usize| {
            if is_used {
                LeaderAction::OpenStream(stream)
            } else {
                LeaderAction::CloseStream(stream)
            }
        };
        changes
            .into_iter()
            .map(|change| action(change.is_used, change.stream))
            .collect()
    }

    /// Passes on that a stream is doing something else now.
    pub fn on_stream_state(&mut self, stream: usize, state: ConnectionState) -> Vec<LeaderAction> {
        let topics = self.subscriptions.topics_on(stream).join(",");
        if topics.is_empty() {
            return Vec::new();
        }
        let mut actions = Vec::new();
        if state == ConnectionState::Live {
            // A new connection says who types, but not that no one is typing any more.
            for topic in self.subscriptions.forget_typing(stream) {
                actions.push(LeaderAction::Send(TabMessage::Event {
                    topic,
                    name: EventName::Typing,
                    data: NO_ONE_TYPING.to_owned(),
                    cursor: String::new(),
                }));
            }
        }
        actions.push(LeaderAction::Send(TabMessage::State { state, topics }));
        actions
    }

    /// Passes on an event about this topic. An event about no topic concerns all tabs.
    pub fn on_stream_event(&mut self, topic: String, event: StreamEvent) -> Vec<LeaderAction> {
        let cursor = cursor_of(&event.id, &topic);
        self.subscriptions.record_event(&topic, &event, &cursor);
        let is_reset = event.name == EventName::Reset;
        let mut actions = vec![LeaderAction::Send(TabMessage::Event {
            topic,
            name: event.name,
            data: event.data,
            cursor,
        })];
        if is_reset {
            actions.extend(self.assign_soon());
        }
        actions
    }

    /// The address of a stream, from the current cursors. `list_visits` is called if it carries the
    /// overview.
    pub fn address(&self, stream: usize, list_visits: &dyn Fn() -> String) -> String {
        self.subscriptions.address(stream, list_visits)
    }

    fn state_of(&self, topic: &str) -> LeaderAction {
        LeaderAction::SendState {
            stream: self.subscriptions.stream_of(topic),
            topic: topic.to_owned(),
        }
    }

    /// Subscriptions that come together are served together.
    fn assign_soon(&mut self) -> Option<LeaderAction> {
        let is_assigning = std::mem::replace(&mut self.is_assigning, true);
        (!is_assigning).then_some(LeaderAction::AssignSoon)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subscribe(tab: &str, topic: &str, cursor: &str) -> TabMessage {
        TabMessage::Subscribe {
            tab: tab.to_owned(),
            topic: topic.to_owned(),
            cursor: cursor.to_owned(),
        }
    }

    fn ping(topic: &str) -> TabMessage {
        TabMessage::Ping {
            topic: topic.to_owned(),
        }
    }

    fn state(stream: Option<usize>, topic: &str) -> LeaderAction {
        LeaderAction::SendState {
            stream,
            topic: topic.to_owned(),
        }
    }

    fn event(topic: &str, name: EventName, data: &str, cursor: &str) -> LeaderAction {
        LeaderAction::Send(TabMessage::Event {
            topic: topic.to_owned(),
            name,
            data: data.to_owned(),
            cursor: cursor.to_owned(),
        })
    }

    fn stream_event(name: EventName, data: &str, id: &str) -> StreamEvent {
        StreamEvent {
            name,
            data: data.to_owned(),
            id: id.to_owned(),
        }
    }

    /// The leader in the tab `me`, which subscribes to the room `r`.
    fn leader() -> Leader {
        let mut leader = Leader::new("me".to_owned());
        leader.start();
        leader.on_message(&subscribe("me", "r", "e.4"), 0);
        leader.assign_streams("ada");
        leader
    }

    #[test]
    fn idle_leader_opens_nothing_and_answers_nobody() {
        let mut leader = Leader::new("me".to_owned());
        for message in [
            subscribe("1", "r", "5"),
            ping("r"),
            TabMessage::CheckConnection,
        ] {
            assert_eq!(leader.on_message(&message, 9_000), []);
        }
        assert_eq!(leader.assign_streams("ada"), []);
    }

    #[test]
    fn new_leader_asks_for_subscriptions_and_opens_one_stream_for_all() {
        let mut leader = Leader::new("me".to_owned());
        assert_eq!(
            leader.start(),
            [LeaderAction::Send(TabMessage::LeaderStarted)]
        );
        assert_eq!(
            leader.on_message(&subscribe("me", "r", "e.4"), 0),
            [state(None, "r"), LeaderAction::AssignSoon]
        );
        assert_eq!(
            leader.on_message(&subscribe("1", "s", "e.5"), 0),
            [LeaderAction::WatchTab("1".to_owned()), state(None, "s")]
        );
        assert_eq!(leader.assign_streams("ada"), [LeaderAction::OpenStream(0)]);
        let address = leader.address(0, &String::new);
        assert!(address.ends_with("&rooms=r,s&after=e.4,e.5"), "{address}");
    }

    #[test]
    fn ping_of_an_unknown_topic_asks_all_tabs_again() {
        let mut leader = leader();
        assert_eq!(leader.on_message(&ping("r"), 0), [state(Some(0), "r")]);
        assert_eq!(
            leader.on_message(&ping("s"), 0),
            [LeaderAction::Send(TabMessage::LeaderStarted)]
        );
    }

    #[test]
    fn subscriptions_of_an_ended_tab_are_dropped() {
        let mut leader = leader();
        leader.on_message(&subscribe("1", "s", "5"), 0);
        leader.assign_streams("ada");
        assert_eq!(
            leader.on_tab_ended("1"),
            [
                LeaderAction::UnwatchTab("1".to_owned()),
                LeaderAction::AssignSoon
            ]
        );
        assert_eq!(leader.assign_streams("ada"), [LeaderAction::OpenStream(0)]);
        assert!(
            leader
                .address(0, &String::new)
                .ends_with("&rooms=r&after=e.4")
        );
    }

    #[test]
    fn checks_within_two_seconds_reopen_the_streams_once() {
        let mut leader = leader();
        let mut check = |now| leader.on_message(&TabMessage::CheckConnection, now);
        assert_eq!(check(10_000), [LeaderAction::OpenStream(0)]);
        assert_eq!(check(11_000), []);
        assert_eq!(check(13_001), [LeaderAction::OpenStream(0)]);
    }

    #[test]
    fn events_are_passed_on_with_the_cursor_of_their_room() {
        let mut leader = leader();
        let heard = stream_event(EventName::Message, "{}", "q-e.9_r-e.5");
        assert_eq!(
            leader.on_stream_event("r".to_owned(), heard),
            [event("r", EventName::Message, "{}", "e.5")]
        );
        let reset = stream_event(EventName::Reset, "{}", "");
        assert_eq!(
            leader.on_stream_event("r".to_owned(), reset),
            [
                event("r", EventName::Reset, "{}", ""),
                LeaderAction::AssignSoon
            ]
        );
    }

    #[test]
    fn later_tab_hears_who_is_present_and_a_new_connection_ends_typing() {
        let mut leader = leader();
        for name in [EventName::Presence, EventName::Typing] {
            leader.on_stream_event("r".to_owned(), stream_event(name, name.text(), ""));
        }
        let answer = leader.on_message(&subscribe("1", "r", "e.4"), 0);
        assert!(answer.contains(&event("r", EventName::Presence, "presence", "")));
        assert!(answer.contains(&event("r", EventName::Typing, "typing", "")));
        let live = LeaderAction::Send(TabMessage::State {
            state: ConnectionState::Live,
            topics: "r".to_owned(),
        });
        assert_eq!(
            leader.on_stream_state(0, ConnectionState::Live),
            [
                event("r", EventName::Typing, NO_ONE_TYPING, ""),
                live.clone()
            ]
        );
        assert_eq!(leader.on_stream_state(0, ConnectionState::Live), [live]);
    }

    #[test]
    fn leader_that_stops_closes_its_streams() {
        let mut leader = leader();
        assert_eq!(
            leader.stop(),
            [LeaderAction::UnwatchAllTabs, LeaderAction::CloseStream(0)]
        );
        assert_eq!(leader.on_stream_state(0, ConnectionState::Connecting), []);
    }
}
