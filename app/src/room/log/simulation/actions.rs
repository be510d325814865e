//! What `tab_leader`, `tab_feed` and `room/events` do with the actions, and the channel between the
//! tabs.

use super::*;

impl Browser {
    pub(super) fn send(&mut self, from: usize, message: TabMessage) {
        for at in 0..self.tabs.len() {
            if at != from && self.tabs[at].is_alive() {
                self.post(at, message.clone());
            }
        }
        let actions = self.tabs[from].leader.on_message(&message, self.now);
        self.perform_leader(from, actions);
        let actions = self.tabs[from].subscriber.on_message(&message);
        self.perform_subscriber(from, actions);
    }

    pub(super) fn post(&mut self, to: usize, message: TabMessage) {
        if self.is_lossy && self.chance(3) {
            return;
        }
        let mut place = self.tabs[to].inbox.len();
        if self.is_lossy && self.chance(10) {
            let inbox = &self.tabs[to].inbox;
            let is_message = |place: usize| matches!(inbox[place], Input::Message(_));
            while place > 0 && is_message(place - 1) {
                place -= 1;
            }
            place = self.random.random_range(place..=self.tabs[to].inbox.len());
        }
        self.tabs[to].inbox.insert(place, Input::Message(message));
    }

    pub(super) fn perform_leader(&mut self, at: usize, actions: Vec<LeaderAction>) {
        for action in actions {
            match action {
                LeaderAction::Send(message) => self.send(at, message),
                LeaderAction::SendState { stream, topic } => {
                    let state = self.state_of(at, stream);
                    let topics = topic;
                    self.send(at, TabMessage::State { state, topics });
                }
                LeaderAction::WatchTab(name) => {
                    let claim = self.request_lock(at, &format!("lock of {name}"));
                    self.tabs[at].watched.push(WatchedTab { name, claim });
                }
                LeaderAction::UnwatchTab(name) => self.unwatch(at, |known| known == name),
                LeaderAction::UnwatchAllTabs => self.unwatch(at, |_| true),
                LeaderAction::AssignSoon => self.tabs[at].assign_at = Some(self.now + 20),
                LeaderAction::OpenStream(stream) => self.open_stream(at, stream),
                LeaderAction::CloseStream(stream) => {
                    let stream = &mut self.tabs[at].streams[stream];
                    stream.is_wanted = false;
                    stream.connection = None;
                    stream.retry_at = None;
                }
            }
        }
    }

    pub(super) fn unwatch(&mut self, at: usize, ends: impl Fn(&str) -> bool) {
        let watched = std::mem::take(&mut self.tabs[at].watched);
        let (ended, kept) = watched
            .into_iter()
            .partition::<Vec<_>, _>(|watched| ends(&watched.name));
        self.tabs[at].watched = kept;
        for watched in ended {
            self.release(watched.claim);
        }
    }

    pub(super) fn perform_subscriber(&mut self, at: usize, actions: Vec<SubscriberAction>) {
        for action in actions {
            match action {
                SubscriberAction::Subscribe(part) if part == self.tabs[at].part => {
                    let tab = &self.tabs[at];
                    let subscribe = TabMessage::Subscribe {
                        tab: tab.name.clone(),
                        topic: ROOMS[tab.room].to_owned(),
                        cursor: tab.tracker.cursor(),
                    };
                    self.send(at, subscribe);
                }
                SubscriberAction::Send(message) => self.send(at, message),
                SubscriberAction::AwaitAnswer => {
                    self.tabs[at].answer_at = Some(self.now + 4_000);
                }
                SubscriberAction::StopWaiting => self.tabs[at].answer_at = None,
                SubscriberAction::StealLead => self.steal_lead(at),
                SubscriberAction::ReloadSoon => panic!("no session ends here"),
                SubscriberAction::SetState(state) => self.tabs[at].shown_state = state,
                SubscriberAction::Deliver(part, event) if part == self.tabs[at].part => {
                    self.on_feed_event(at, event);
                }
                SubscriberAction::Subscribe(_) | SubscriberAction::Deliver(..) => {}
            }
        }
    }

    /// What `room/events` does with an event of the room.
    pub(super) fn on_feed_event(&mut self, at: usize, event: FeedEvent) {
        let FeedEvent::Event(name, data, cursor) = event else {
            return;
        };
        assert_eq!(name, EventName::Message);
        let message = fixtures::message(data.parse().unwrap());
        let tracked = self.tabs[at].tracker.take(message, cursor);
        if tracked.starts_batch {
            self.tabs[at].batch_at = Some(self.now);
        }
        if tracked.found_gap {
            let actions = self.tabs[at].subscriber.wake_main();
            self.perform_subscriber(at, actions);
        }
    }

    pub(super) fn add_batch(&mut self, at: usize) {
        let tab = &mut self.tabs[at];
        let batch = tab.tracker.take_batch();
        let fresh = tab.log.add(batch);
        tab.taken.extend(fresh.iter().map(|message| message.id));
    }
}
