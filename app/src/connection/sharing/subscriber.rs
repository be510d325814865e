//! What each tab does to receive its topics from the tab that leads.
//!
//! # Guarantees
//! - While a part of the page is awake, its subscription is repeated to each new leader.
//! - A leader that does not answer within the time of `tab_feed` loses the lock to this tab, if the
//!   page is visible.
//! - After a time in which nothing could be noticed (hidden, frozen, asleep), the subscriptions are
//!   repeated and the connection is checked.
//!
//! # Not here
//! Gaps and repetitions (`room/log/sequence_tracker`).

use protocol::EventName;

use crate::connection::sharing::actions::{FeedEvent, SubscriberAction};
use crate::connection::sharing::stream_event::ConnectionState;
use crate::connection::sharing::tab_message::TabMessage;

/// After more than this many milliseconds away, a connection may be dead without an error.
const DOUBTFUL_AFTER: i64 = 15_000;

/// The subscriptions of one tab.
#[derive(Default)]
pub struct Subscriber {
    tab: String,
    /// Whether the other tabs can notice when this tab ends.
    is_present: bool,
    parts: Vec<Part>,
    last_id: u32,
    state: ConnectionState,
    hidden_since: Option<i64>,
    ticked_at: i64,
}

/// A part of the page that follows a topic.
struct Part {
    id: u32,
    topic: String,
    /// Whether the state of its connection is the state of the page's connection.
    is_main: bool,
    is_resting: bool,
}

impl Subscriber {
    /// Gives the tab its name, and starts its clock.
    pub fn open(&mut self, tab: String, now: i64) {
        self.tab = tab;
        self.ticked_at = now;
    }

    /// Adds a part of the page that follows a topic; returns its number. A part that is not the
    /// main one rests until it is wanted.
    pub fn add_part(&mut self, topic: String, is_main: bool) -> u32 {
        self.last_id += 1;
        self.parts.push(Part {
            id: self.last_id,
            topic,
            is_main,
            is_resting: !is_main,
        });
        if is_main {
            self.state = ConnectionState::Connecting;
        }
        self.last_id
    }

    /// Removes a part of the page.
    pub fn remove_part(&mut self, id: u32) -> Vec<SubscriberAction> {
        let actions = self.rest_parts(&|part| part.id == id);
        self.parts.retain(|part| part.id != id);
        actions
    }

    /// The other tabs can notice the end of this tab from now on, or no longer.
    pub fn set_present(&mut self, is_present: bool) -> Vec<SubscriberAction> {
        self.is_present = is_present;
        self.subscribe_all()
    }

    /// Repeats the subscriptions of all parts that are awake.
    pub fn subscribe_all(&self) -> Vec<SubscriberAction> {
        self.awake()
            .flat_map(|part| {
                [
                    SubscriberAction::AwaitAnswer,
                    SubscriberAction::Subscribe(part.id),
                ]
            })
            .collect()
    }

    /// Wakes the main part, and repeats the subscriptions.
    pub fn wake_main(&mut self) -> Vec<SubscriberAction> {
        for part in self.parts.iter_mut().filter(|part| part.is_main) {
            part.is_resting = false;
        }
        self.subscribe_all()
    }

    /// The main part needs nothing until [`Subscriber::wake_main`].
    pub fn rest_main(&mut self) -> Vec<SubscriberAction> {
        self.rest_parts(&|part| part.is_main)
    }

    /// A topic of another part is wanted, or no longer.
    pub fn set_wanted(&mut self, topic: &str, is_wanted: bool) -> Vec<SubscriberAction> {
        let Some(part) = self.parts.iter_mut().find(|part| part.topic == topic) else {
            return Vec::new();
        };
        if !is_wanted {
            let id = part.id;
            return self.rest_parts(&|part| part.id == id);
        }
        if std::mem::replace(&mut part.is_resting, false) {
            self.subscribe_all()
        } else {
            Vec::new()
        }
    }

    fn rest_parts(&mut self, rests: &dyn Fn(&Part) -> bool) -> Vec<SubscriberAction> {
        let mut actions = Vec::new();
        for part in self.parts.iter_mut().filter(|part| rests(part)) {
            if !std::mem::replace(&mut part.is_resting, true) {
                actions.push(SubscriberAction::Send(TabMessage::Unsubscribe {
                    tab: self.tab.clone(),
                    topic: part.topic.clone(),
                }));
            }
        }
        actions
    }

    /// The leader did not answer in time. A visible page takes its place.
    pub fn on_no_answer(&self, is_hidden: bool) -> Vec<SubscriberAction> {
        if is_hidden {
            Vec::new()
        } else {
            vec![SubscriberAction::StealLead]
        }
    }

    /// Handles a message of any tab.
    pub fn on_message(&mut self, message: &TabMessage) -> Vec<SubscriberAction> {
        match message {
            TabMessage::LeaderStarted => self.subscribe_all(),
            TabMessage::State { state, topics } => self.on_state(*state, topics),
            TabMessage::OutboxChanged { topic, client_id } => {
                self.deliver(topic, &FeedEvent::OutboxChanged(client_id.clone()))
            }
            TabMessage::Event {
                topic,
                name,
                data,
                cursor,
            } => {
                let event = FeedEvent::Event(*name, data.clone(), cursor.clone());
                let mut actions = self.deliver(topic, &event);
                // Also for a page that follows nothing. A new password ends sessions, too: by then
                // the browser has the cookie of its new session.
                if *name == EventName::SignedOut {
                    actions.insert(0, SubscriberAction::ReloadSoon);
                }
                actions
            }
            TabMessage::Subscribe { .. }
            | TabMessage::Unsubscribe { .. }
            | TabMessage::Ping { .. }
            | TabMessage::CheckConnection => Vec::new(),
        }
    }

    fn on_state(&mut self, state: ConnectionState, topics: &str) -> Vec<SubscriberAction> {
        let mut actions = Vec::new();
        let mut current = self.state;
        for part in self.awake() {
            if topics.split(',').all(|topic| topic != part.topic) {
                continue;
            }
            actions.push(SubscriberAction::StopWaiting);
            if !part.is_main || current == state {
                continue;
            }
            current = state;
            actions.push(SubscriberAction::SetState(state));
            if matches!(state, ConnectionState::Waiting(_)) {
                actions.push(SubscriberAction::Deliver(part.id, FeedEvent::Lost));
            }
        }
        self.state = current;
        actions
    }

    fn deliver(&self, topic: &str, event: &FeedEvent) -> Vec<SubscriberAction> {
        self.awake()
            .filter(|part| part.topic == topic)
            .map(|part| SubscriberAction::Deliver(part.id, event.clone()))
            .collect()
    }

    /// The page became hidden, or visible.
    pub fn on_visibility(&mut self, is_hidden: bool, now: i64) -> Vec<SubscriberAction> {
        let since = std::mem::replace(&mut self.hidden_since, is_hidden.then_some(now));
        match since {
            Some(since) if !is_hidden => self.on_return(now - since),
            _ => Vec::new(),
        }
    }

    /// Called every few seconds: a longer pause means that the page was frozen.
    pub fn on_tick(&mut self, is_hidden: bool, now: i64) -> Vec<SubscriberAction> {
        let before = std::mem::replace(&mut self.ticked_at, now);
        if is_hidden {
            Vec::new()
        } else {
            self.on_return(now - before)
        }
    }

    /// This tab could notice nothing for this many milliseconds.
    fn on_return(&self, away: i64) -> Vec<SubscriberAction> {
        if away > DOUBTFUL_AFTER {
            let mut actions = self.subscribe_all();
            actions.push(SubscriberAction::Send(TabMessage::CheckConnection));
            actions
        } else {
            self.ping_all()
        }
    }

    fn ping_all(&self) -> Vec<SubscriberAction> {
        self.awake()
            .flat_map(|part| {
                [
                    SubscriberAction::AwaitAnswer,
                    SubscriberAction::Send(TabMessage::Ping {
                        topic: part.topic.clone(),
                    }),
                ]
            })
            .collect()
    }

    /// The parts that need something.
    fn awake(&self) -> impl Iterator<Item = &Part> {
        self.parts
            .iter()
            .filter(|part| self.is_present && !part.is_resting)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUBSCRIBED: [SubscriberAction; 2] = [
        SubscriberAction::AwaitAnswer,
        SubscriberAction::Subscribe(1),
    ];

    /// A tab in the room `r`, which the other tabs can notice.
    fn subscriber() -> Subscriber {
        let mut subscriber = Subscriber::default();
        subscriber.open("me".to_owned(), 0);
        subscriber.add_part("r".to_owned(), true);
        assert_eq!(subscriber.set_present(true), SUBSCRIBED);
        subscriber
    }

    fn state(state: ConnectionState, topics: &str) -> TabMessage {
        TabMessage::State {
            state,
            topics: topics.to_owned(),
        }
    }

    fn event(topic: &str, name: EventName) -> TabMessage {
        TabMessage::Event {
            topic: topic.to_owned(),
            name,
            data: "{}".to_owned(),
            cursor: "e.5".to_owned(),
        }
    }

    #[test]
    fn subscriptions_wait_until_the_end_of_the_tab_can_be_noticed() {
        let mut subscriber = Subscriber::default();
        subscriber.open("me".to_owned(), 0);
        subscriber.add_part("r".to_owned(), true);
        assert_eq!(subscriber.subscribe_all(), []);
        assert_eq!(subscriber.on_message(&TabMessage::LeaderStarted), []);
        assert_eq!(subscriber.set_present(true), SUBSCRIBED);
    }

    #[test]
    fn subscriptions_are_repeated_to_a_new_leader() {
        let mut subscriber = subscriber();
        assert_eq!(
            subscriber.on_message(&TabMessage::LeaderStarted),
            SUBSCRIBED
        );
    }

    #[test]
    fn silent_leader_loses_the_lock_to_a_visible_tab_only() {
        let subscriber = subscriber();
        assert_eq!(
            subscriber.on_no_answer(false),
            [SubscriberAction::StealLead]
        );
        assert_eq!(subscriber.on_no_answer(true), []);
    }

    #[test]
    fn only_the_state_of_a_followed_topic_is_an_answer() {
        let mut subscriber = subscriber();
        let live = ConnectionState::Live;
        assert_eq!(subscriber.on_message(&state(live, "s,rr")), []);
        assert_eq!(
            subscriber.on_message(&state(live, "s,r")),
            [
                SubscriberAction::StopWaiting,
                SubscriberAction::SetState(live)
            ]
        );
        assert_eq!(
            subscriber.on_message(&state(live, "r")),
            [SubscriberAction::StopWaiting]
        );
    }

    #[test]
    fn lost_connection_is_reported_to_the_main_part() {
        let mut subscriber = subscriber();
        let waiting = ConnectionState::Waiting(protocol::Time::from_millis(9));
        let lost = SubscriberAction::Deliver(1, FeedEvent::Lost);
        let actions = subscriber.on_message(&state(waiting, "r"));
        assert_eq!(actions.last(), Some(&lost));
        assert!(!subscriber.on_message(&state(waiting, "r")).contains(&lost));
    }

    #[test]
    fn events_reach_the_parts_that_are_awake() {
        let mut subscriber = subscriber();
        let also = subscriber.add_part("rooms".to_owned(), false);
        let heard = FeedEvent::Event(EventName::Rooms, "{}".to_owned(), "e.5".to_owned());
        assert_eq!(subscriber.on_message(&event("rooms", EventName::Rooms)), []);
        subscriber.set_wanted("rooms", true);
        assert_eq!(
            subscriber.on_message(&event("rooms", EventName::Rooms)),
            [SubscriberAction::Deliver(also, heard)]
        );
        assert_eq!(subscriber.set_wanted("rooms", true), []);
        let left = TabMessage::Unsubscribe {
            tab: "me".to_owned(),
            topic: "rooms".to_owned(),
        };
        assert_eq!(
            subscriber.set_wanted("rooms", false),
            [SubscriberAction::Send(left)]
        );
        assert_eq!(subscriber.on_message(&event("rooms", EventName::Rooms)), []);
        assert_eq!(
            subscriber.on_message(&event("", EventName::SignedOut)),
            [SubscriberAction::ReloadSoon]
        );
    }

    #[test]
    fn resting_part_needs_nothing_until_it_is_woken() {
        let mut subscriber = subscriber();
        assert_eq!(subscriber.rest_main().len(), 1);
        assert_eq!(subscriber.rest_main(), []);
        assert_eq!(subscriber.subscribe_all(), []);
        assert_eq!(subscriber.wake_main(), SUBSCRIBED);
        assert_eq!(subscriber.remove_part(1).len(), 1);
        assert_eq!(subscriber.subscribe_all(), []);
    }

    #[test]
    fn long_absence_checks_the_connection_and_a_short_one_the_leader() {
        let mut subscriber = subscriber();
        let ping = SubscriberAction::Send(TabMessage::Ping {
            topic: "r".to_owned(),
        });
        let check = SubscriberAction::Send(TabMessage::CheckConnection);
        let pinged = [SubscriberAction::AwaitAnswer, ping];
        let [await_answer, subscribe] = SUBSCRIBED;
        let checked = [await_answer, subscribe, check];
        assert_eq!(subscriber.on_tick(false, 5_000), pinged);
        assert_eq!(subscriber.on_tick(false, 20_001), checked);
        assert_eq!(subscriber.on_tick(true, 60_000), []);
        assert_eq!(subscriber.on_visibility(true, 60_000), []);
        assert_eq!(subscriber.on_visibility(false, 61_000), pinged);
        assert_eq!(subscriber.on_visibility(true, 70_000), []);
        assert_eq!(subscriber.on_visibility(false, 90_000), checked);
    }
}
