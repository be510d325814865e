//! The presence task: updates the presence of all rooms with pending changes.
//!
//! # Guarantees
//! - A room is updated at most once in [`TICK`].
//! - While no room has pending changes, the task does not run.
//! - A room without followers is forgotten once the departure of the last one has been announced.
//!
//! # Not here
//! - The rules of presence: `presence`.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::task::Waker;
use std::time::Duration;

use protocol::{RoomId, Time};
use tokio::sync::Notify;

use super::{Channel, Hub, Subscriber, lock};

/// The shortest time between two updates of a room.
const TICK: Duration = Duration::from_millis(500);

/// The rooms whose presence has pending changes. The lock is taken after all others.
#[derive(Debug, Default)]
pub(super) struct PendingRooms {
    rooms: Mutex<HashSet<RoomId>>,
    added: Notify,
}

impl PendingRooms {
    pub(super) fn add(&self, room: RoomId) {
        lock(&self.rooms).insert(room);
        self.added.notify_one();
    }

    fn take_all(&self) -> HashSet<RoomId> {
        std::mem::take(&mut lock(&self.rooms))
    }
}

impl Hub {
    /// Notes that the person of this name types in a room.
    pub fn record_typing(&self, room: RoomId, name: &str) {
        let mut rooms = lock(&self.rooms);
        let channel = rooms.channels.entry(room).or_insert_with(|| {
            self.note_wanted_names(room);
            Arc::default()
        });
        lock(channel)
            .presence
            .start_typing(name.into(), self.clock.now());
        self.pending_rooms.add(room);
    }

    /// Whether a name is present in a room.
    pub fn is_present(&self, room: RoomId, name: &str) -> bool {
        let channel = self.find_channel(room);
        channel.is_some_and(|channel| lock(&channel).presence.has(name))
    }

    /// Updates the rooms with pending changes. Runs until it is dropped.
    pub async fn run_presence(self) {
        loop {
            let rooms = self.pending_rooms.take_all();
            if rooms.is_empty() {
                self.pending_rooms.added.notified().await;
                continue;
            }
            let now = self.clock.now();
            for room in rooms {
                self.update_presence(room, now);
            }
            // The timeout ends the wait if the clock is set back meanwhile.
            let _ = tokio::time::timeout(TICK, self.clock.sleep_until(now.after(TICK))).await;
        }
    }

    fn update_presence(&self, room: RoomId, now: Time) {
        let Some(channel) = self.find_channel(room) else {
            return;
        };
        let has_other_names;
        let wakers: Vec<Waker> = {
            let mut channel = lock(&channel);
            let has_new_events = channel.presence.update(room, now);
            has_other_names = channel.presence.take_contribution_change();
            if channel.presence.has_pending_changes() {
                self.pending_rooms.add(room);
            }
            channel.take_wakers(|_| has_new_events)
        };
        wakers.into_iter().for_each(Waker::wake);
        if has_other_names {
            self.note_changed_names(room);
        }
        self.forget_if_idle(room);
    }

    fn forget_if_idle(&self, room: RoomId) {
        let mut rooms = lock(&self.rooms);
        if rooms
            .channels
            .get(&room)
            .is_some_and(|channel| lock(channel).is_idle())
        {
            rooms.channels.remove(&room);
        }
    }
}

impl Channel {
    /// Whether the channel has no subscribers, and no name that is present, lingers or types.
    pub(super) fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.presence.is_empty()
    }
}

impl Subscriber {
    /// Makes `name` present until this subscriber is dropped.
    pub fn join(&mut self, name: &str) {
        let mut channel = lock(&self.channel);
        self.leave(&mut channel);
        let name = name.into();
        channel.presence.join(&name, self.hub.clock.now());
        drop(channel);
        self.name = Some(name);
        self.hub.pending_rooms.add(self.room);
    }

    /// Ends the presence of this subscriber's name, if it has one.
    pub(super) fn leave(&self, channel: &mut Channel) {
        if let Some(name) = &self.name {
            channel.presence.leave(name, self.hub.clock.now());
            self.hub.pending_rooms.add(self.room);
        }
    }
}

#[cfg(test)]
mod tests {
    use protocol::Start;

    use super::*;
    use crate::testing::TestChat;
    use crate::{FollowEvent, Follower, Person};

    /// The next ephemeral event. Advances the clock while there is none.
    async fn next_event(test: &TestChat, follower: &mut Follower) -> String {
        loop {
            match tokio::time::timeout(Duration::from_millis(5), follower.next()).await {
                Ok(Ok(FollowEvent::Ephemeral(event))) => {
                    return String::from_utf8(event.json().to_vec()).unwrap();
                }
                Ok(other) => panic!("{other:?}"),
                Err(_) => test.config.clock.advance(TICK),
            }
        }
    }

    #[tokio::test]
    async fn room_that_all_followers_left_is_forgotten() {
        let test = TestChat::new(|_| {}).await;
        let room = test.create_room().await;
        let hub = &test.chat.0.listeners.hub;
        let mut follower = test
            .chat
            .follow_room(&Person::Anonymous, &room, Start::Seq(0))
            .await
            .unwrap();
        let ada = test
            .chat
            .follow_room(&Person::Anonymous, &room, Start::Seq(0))
            .await
            .unwrap()
            .with_username(Some("ada"))
            .await
            .unwrap();
        assert!(next_event(&test, &mut follower).await.contains("[\"ada\"]"));
        test.chat
            .notify_typing(&Person::Anonymous, &room, "grace")
            .await
            .unwrap();
        assert!(
            next_event(&test, &mut follower)
                .await
                .contains("[\"grace\"]")
        );
        drop((ada, follower));
        assert!(hub.is_followed(room), "a name lingers");
        while hub.is_followed(room) {
            test.config.clock.advance(TICK);
            tokio::task::yield_now().await;
        }
        test.chat
            .notify_typing(&Person::Anonymous, &room, "grace")
            .await
            .unwrap();
        while hub.is_followed(room) {
            test.config.clock.advance(TICK);
            tokio::task::yield_now().await;
        }
        drop(
            test.chat
                .follow_room(&Person::Anonymous, &room, Start::Seq(0))
                .await
                .unwrap(),
        );
        assert!(!hub.is_followed(room));
        assert!(hub.pending_rooms.take_all().is_empty());
    }

    #[tokio::test]
    async fn room_without_pending_changes_is_not_updated() {
        let test = TestChat::new(|_| {}).await;
        let room = test.create_room().await;
        let mut ada = test
            .chat
            .follow_room(&Person::Anonymous, &room, Start::Seq(0))
            .await
            .unwrap()
            .with_username(Some("ada"))
            .await
            .unwrap();
        next_event(&test, &mut ada).await;
        while !lock(&test.chat.0.listeners.hub.pending_rooms.rooms).is_empty() {
            tokio::task::yield_now().await;
        }
        test.config.clock.advance(Duration::from_secs(60));
        let mut late = test
            .chat
            .follow_room(&Person::Anonymous, &room, Start::Latest)
            .await
            .unwrap();
        assert!(next_event(&test, &mut late).await.contains("[\"ada\"]"));
        assert!(lock(&test.chat.0.listeners.hub.pending_rooms.rooms).is_empty());
    }

    #[tokio::test]
    async fn invalid_name_is_refused() {
        let test = TestChat::new(|_| {}).await;
        let room = test.create_room().await;
        for name in ["", " ", "a\u{7}", &"x".repeat(33)] {
            assert!(
                test.chat
                    .notify_typing(&Person::Anonymous, &room, name)
                    .await
                    .is_err()
            );
            assert!(
                test.chat
                    .follow_room(&Person::Anonymous, &room, Start::Latest)
                    .await
                    .unwrap()
                    .with_username(Some(name))
                    .await
                    .is_err()
            );
        }
        assert!(!test.chat.0.listeners.hub.is_followed(room));
    }
}
