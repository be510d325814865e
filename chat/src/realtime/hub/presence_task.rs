//! Who is here and who types, told by the hub.
//!
//! Promises: a room hears of each at most once in [`TICK`]; while nothing is to change nowhere, nothing runs; a room
//! that everybody has left is forgotten once the last of them was told as gone. Leaves to others: the rules (`presence`).

use std::collections::HashSet;
use std::sync::Mutex;
use std::task::Waker;
use std::time::Duration;

use protocol::{RoomId, Time};
use tokio::sync::Notify;

use super::{Channel, Hub, Subscriber, lock};

/// How often a room is told at most.
const TICK: Duration = Duration::from_millis(500);

/// The rooms in which people come, go or type. Its lock is taken after all others.
#[derive(Debug, Default)]
pub(super) struct UnsettledRooms {
    rooms: Mutex<HashSet<RoomId>>,
    added: Notify,
}

impl UnsettledRooms {
    fn add(&self, room: RoomId) {
        lock(&self.rooms).insert(room);
        self.added.notify_one();
    }

    fn take(&self) -> HashSet<RoomId> {
        std::mem::take(&mut lock(&self.rooms))
    }
}

impl Hub {
    /// Notes that somebody types.
    pub fn types(&self, room: RoomId, name: &str) {
        let mut rooms = lock(&self.rooms);
        let channel = rooms.channels.entry(room).or_default();
        lock(channel).presence.types(name.into(), self.clock.now());
        self.unsettled.add(room);
    }

    /// Tells every room what has changed in it; runs until it is dropped.
    pub async fn run_presence(self) {
        loop {
            let (rooms, now) = (self.unsettled.take(), self.clock.now());
            if rooms.is_empty() {
                self.unsettled.added.notified().await;
                continue;
            }
            rooms.into_iter().for_each(|room| self.settle(room, now));
            // Also when the clock is set back: either end of the wait is one.
            let _ = tokio::time::timeout(TICK, self.clock.sleep_until(now.after(TICK))).await;
        }
    }

    fn settle(&self, room: RoomId, now: Time) {
        let Some(channel) = self.channel(room) else {
            return;
        };
        let wakers: Vec<Waker> = {
            let mut channel = lock(&channel);
            let changed = channel.presence.settle(room, now);
            if !channel.presence.is_settled() {
                self.unsettled.add(room);
            }
            channel.wake(|_| changed)
        };
        wakers.into_iter().for_each(Waker::wake);
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
    /// Whether nobody listens, lingers or types.
    pub(super) fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.presence.is_empty()
    }
}

impl Subscriber {
    /// From now until this listener is dropped, `name` is here.
    pub fn join(&mut self, name: &str) {
        let mut channel = lock(&self.channel);
        self.leave(&mut channel);
        let name = name.into();
        channel.presence.join(&name, self.hub.clock.now());
        drop(channel);
        self.name = Some(name);
        self.hub.unsettled.add(self.room);
    }

    /// The name of this listener, if it has one, has one connection less.
    pub(super) fn leave(&self, channel: &mut Channel) {
        if let Some(name) = &self.name {
            channel.presence.leave(name, self.hub.clock.now());
            self.hub.unsettled.add(self.room);
        }
    }
}

#[cfg(test)]
mod tests {
    use protocol::Start;

    use super::*;
    use crate::testing::TestChat;
    use crate::{FollowEvent, Follower};

    /// The next event, while time flies.
    async fn told(test: &TestChat, follow: &mut Follower) -> String {
        loop {
            match tokio::time::timeout(Duration::from_millis(5), follow.next()).await {
                Ok(Ok(FollowEvent::Ephemeral(event))) => {
                    return String::from_utf8(event.json().to_vec()).unwrap();
                }
                Ok(other) => panic!("{other:?}"),
                Err(_) => test.config.clock.advance(TICK),
            }
        }
    }

    #[tokio::test]
    async fn a_room_that_all_have_left_is_forgotten() {
        let test = TestChat::new(|_| {}).await;
        let (room, hub) = (test.create_room().await, &test.chat.0.hub);
        let mut listener = test
            .chat
            .follow_room(&crate::Person::Anonymous, &room, Start::Seq(0))
            .await
            .unwrap();
        let ada = test
            .chat
            .follow_room(&crate::Person::Anonymous, &room, Start::Seq(0))
            .await
            .unwrap()
            .with_username(Some("ada"))
            .await
            .unwrap();
        assert!(told(&test, &mut listener).await.contains("[\"ada\"]"));
        test.chat
            .notify_typing(&crate::Person::Anonymous, &room, "grace")
            .await
            .unwrap();
        assert!(told(&test, &mut listener).await.contains("[\"grace\"]"));
        drop((ada, listener));
        assert!(hub.is_followed(room), "somebody lingers");
        while hub.is_followed(room) {
            test.config.clock.advance(TICK);
            tokio::task::yield_now().await;
        }
        test.chat
            .notify_typing(&crate::Person::Anonymous, &room, "grace")
            .await
            .unwrap();
        while hub.is_followed(room) {
            test.config.clock.advance(TICK);
            tokio::task::yield_now().await;
        }
        drop(
            test.chat
                .follow_room(&crate::Person::Anonymous, &room, Start::Seq(0))
                .await
                .unwrap(),
        );
        assert!(!hub.is_followed(room));
        assert!(hub.unsettled.take().is_empty());
    }

    #[tokio::test]
    async fn while_nothing_is_to_change_nobody_is_woken() {
        let test = TestChat::new(|_| {}).await;
        let room = test.create_room().await;
        let mut ada = test
            .chat
            .follow_room(&crate::Person::Anonymous, &room, Start::Seq(0))
            .await
            .unwrap()
            .with_username(Some("ada"))
            .await
            .unwrap();
        told(&test, &mut ada).await;
        while !lock(&test.chat.0.hub.unsettled.rooms).is_empty() {
            tokio::task::yield_now().await;
        }
        test.config.clock.advance(Duration::from_secs(60));
        let mut late = test
            .chat
            .follow_room(&crate::Person::Anonymous, &room, Start::Latest)
            .await
            .unwrap();
        assert!(told(&test, &mut late).await.contains("[\"ada\"]"));
        assert!(lock(&test.chat.0.hub.unsettled.rooms).is_empty());
    }

    #[tokio::test]
    async fn a_name_must_keep_the_rules() {
        let test = TestChat::new(|_| {}).await;
        let room = test.create_room().await;
        for name in ["", " ", "a\u{7}", &"x".repeat(33)] {
            assert!(
                test.chat
                    .notify_typing(&crate::Person::Anonymous, &room, name)
                    .await
                    .is_err()
            );
            assert!(
                test.chat
                    .follow_room(&crate::Person::Anonymous, &room, Start::Latest)
                    .await
                    .unwrap()
                    .with_username(Some(name))
                    .await
                    .is_err()
            );
        }
        assert!(!test.chat.0.hub.is_followed(room));
    }
}
