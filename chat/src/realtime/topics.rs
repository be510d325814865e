//! Topics: who is told that something happened, but not what.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use protocol::RoomId;
use tokio::sync::{Notify, watch};

use crate::sync::lock;

/// How often a watcher is told at most; tests need not wait as long.
pub(super) const PACE: Duration = Duration::from_millis(if cfg!(test) { 100 } else { 1_000 });

/// What a watcher costs the others: with so many more of them, everybody is told that much less often.
const PACE_EACH: Duration = Duration::from_millis(2);

/// What a bell is rung for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Topic {
    /// Something happened in a room.
    Room(RoomId),
    /// Somebody belongs to more or fewer rooms, or has read something.
    Person(i64),
}

/// All bells of a server.
#[derive(Clone, Debug, Default)]
pub(crate) struct TopicRegistry {
    pub(super) belfry: Arc<Mutex<Subscriptions>>,
    pub draining: watch::Sender<bool>,
}

/// Locked for a look or a change, never across an await.
#[derive(Debug, Default)]
pub(super) struct Subscriptions {
    pub bells: HashMap<Topic, Vec<Arc<Notify>>>,
    pub hung: u32,
}

impl TopicRegistry {
    /// A bell that nothing rings yet.
    pub fn hang(&self) -> TopicSubscription {
        lock(&self.belfry).hung += 1;
        TopicSubscription {
            bells: self.clone(),
            notify: Arc::default(),
            topics: Mutex::default(),
        }
    }

    /// Says that something has happened.
    pub fn ring(&self, topic: Topic) {
        lock(&self.belfry)
            .bells
            .get(&topic)
            .into_iter()
            .flatten()
            .for_each(|bell| bell.notify_one());
    }

    /// Ends every watch, now and from now on.
    pub fn drain(&self) {
        self.draining.send_replace(true);
    }

    pub fn pace(&self) -> Duration {
        PACE.max(PACE_EACH * lock(&self.belfry).hung)
    }
}

/// One bell; dropping it takes it down.
#[derive(Debug)]
pub(crate) struct TopicSubscription {
    bells: TopicRegistry,
    notify: Arc<Notify>,
    topics: Mutex<HashSet<Topic>>,
}

impl TopicSubscription {
    /// Hangs it at these topics and no others; says whether any of them is new to it.
    pub fn listen(&self, topics: HashSet<Topic>) -> bool {
        let (mut belfry, mut before) = (lock(&self.bells.belfry), lock(&self.topics));
        for gone in before.difference(&topics) {
            self.take_down(&mut belfry, gone);
        }
        let fresh: Vec<_> = topics.difference(&before).copied().collect();
        for topic in &fresh {
            belfry
                .bells
                .entry(*topic)
                .or_default()
                .push(self.notify.clone());
        }
        *before = topics;
        !fresh.is_empty()
    }

    fn take_down(&self, belfry: &mut Subscriptions, topic: &Topic) {
        if let Some(bells) = belfry.bells.get_mut(topic) {
            bells.retain(|bell| !Arc::ptr_eq(bell, &self.notify));
            if bells.is_empty() {
                belfry.bells.remove(topic);
            }
        }
    }

    /// Waits until it is rung, or was since the last wait.
    pub async fn rung(&self) {
        self.notify.notified().await;
    }
}

impl Drop for TopicSubscription {
    fn drop(&mut self) {
        let mut belfry = lock(&self.bells.belfry);
        belfry.hung -= 1;
        lock(&self.topics)
            .iter()
            .for_each(|topic| self.take_down(&mut belfry, topic));
    }
}
