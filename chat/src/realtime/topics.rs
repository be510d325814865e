//! Topics: notifies watchers that a room or a person has changed, without saying how.
//!
//! # Guarantees
//! - A watcher has no queue: any number of notifications before it reads count as one.
//! - A notification that no watcher waits for costs one lookup in a map.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use protocol::RoomId;
use tokio::sync::{Notify, watch};

use crate::sync::lock;

/// The shortest time between two updates of a watcher. Short in tests, which wait for it.
pub(super) const MIN_INTERVAL: Duration =
    Duration::from_millis(if cfg!(test) { 100 } else { 1_000 });

/// How much each watcher adds to the interval of all, once there are so many of them that the sum
/// exceeds [`MIN_INTERVAL`].
const INTERVAL_PER_WATCHER: Duration = Duration::from_millis(2);

/// What a watcher is notified about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Topic {
    /// A room has changed.
    Room(RoomId),
    /// The memberships or read markers of a person have changed.
    Person(i64),
}

/// The subscriptions of all watchers. It is cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct TopicRegistry {
    pub(super) subscriptions: Arc<Mutex<Subscriptions>>,
    pub draining: watch::Sender<bool>,
}

/// Locked for a lookup or a change, never across an await.
#[derive(Debug, Default)]
pub(super) struct Subscriptions {
    pub by_topic: HashMap<Topic, Vec<Arc<Notify>>>,
    pub watchers: u32,
}

impl TopicRegistry {
    /// A subscription to no topic yet.
    pub fn subscribe(&self) -> TopicSubscription {
        lock(&self.subscriptions).watchers += 1;
        TopicSubscription {
            registry: self.clone(),
            notify: Arc::default(),
            topics: Mutex::default(),
        }
    }

    /// Notifies the watchers of a topic.
    pub fn notify(&self, topic: Topic) {
        lock(&self.subscriptions)
            .by_topic
            .get(&topic)
            .into_iter()
            .flatten()
            .for_each(|watcher| watcher.notify_one());
    }

    /// Notifies the watchers of all topics.
    pub fn notify_all(&self) {
        let subscriptions = lock(&self.subscriptions);
        let watchers = subscriptions.by_topic.values().flatten();
        watchers.for_each(|watcher| watcher.notify_one());
    }

    /// Ends all watches, also those that start later.
    pub fn drain(&self) {
        self.draining.send_replace(true);
    }

    /// The shortest time between two updates of a watcher, at the present number of watchers.
    pub fn min_interval(&self) -> Duration {
        MIN_INTERVAL.max(INTERVAL_PER_WATCHER * lock(&self.subscriptions).watchers)
    }
}

/// The subscription of one watcher. Dropping it ends it.
#[derive(Debug)]
pub(crate) struct TopicSubscription {
    registry: TopicRegistry,
    notify: Arc<Notify>,
    topics: Mutex<HashSet<Topic>>,
}

impl TopicSubscription {
    /// Subscribes to exactly these topics. Returns whether any of them is new to the watcher.
    pub fn set_topics(&self, topics: HashSet<Topic>) -> bool {
        let mut subscriptions = lock(&self.registry.subscriptions);
        let mut current = lock(&self.topics);
        for removed in current.difference(&topics) {
            self.unsubscribe(&mut subscriptions, removed);
        }
        let added: Vec<_> = topics.difference(&current).copied().collect();
        for topic in &added {
            subscriptions
                .by_topic
                .entry(*topic)
                .or_default()
                .push(self.notify.clone());
        }
        *current = topics;
        !added.is_empty()
    }

    fn unsubscribe(&self, subscriptions: &mut Subscriptions, topic: &Topic) {
        if let Some(watchers) = subscriptions.by_topic.get_mut(topic) {
            watchers.retain(|watcher| !Arc::ptr_eq(watcher, &self.notify));
            if watchers.is_empty() {
                subscriptions.by_topic.remove(topic);
            }
        }
    }

    /// Returns when a topic is notified, at once if one was since the last call.
    pub async fn notified(&self) {
        self.notify.notified().await;
    }
}

impl Drop for TopicSubscription {
    fn drop(&mut self) {
        let mut subscriptions = lock(&self.registry.subscriptions);
        subscriptions.watchers -= 1;
        lock(&self.topics)
            .iter()
            .for_each(|topic| self.unsubscribe(&mut subscriptions, topic));
    }
}
