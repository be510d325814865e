//! The bell: tells the other nodes of the events of this one.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use protocol::{RoomId, Time};
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::events::DomainEvent;
use crate::metrics::NodeMetrics;
use crate::retries::Retries;
use crate::store::{NodeStore, NumberedText};
use crate::sync::lock;
use crate::{Clock, Error};

/// The shortest time between two turns of notifications, in which events gather for the next one.
pub(super) const GATHERING: Duration = Duration::from_millis(5);

/// How long an event waits at least, for the others of its commit.
const COMMIT: Duration = Duration::from_millis(1);

/// How long to wait before the database is tried again.
const RETRY: Duration = Duration::from_millis(500);

/// The most events that wait; with more of them, the other nodes read everything again.
const WAITING_MAX: usize = 10_000;

/// The greatest length of the events of one notification, in bytes: `PostgreSQL` takes less than 8,000
/// ([NOTIFY](https://www.postgresql.org/docs/current/sql-notify.html)), and the rest of a [`Ring`] has
/// up to 96.
const EVENTS_MAX_BYTES: usize = 7_900;

/// What a node tells the others.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Ring {
    /// The node.
    pub from: i64,
    /// The number of the ring among those of the node: 1, 2, 3, and so on. If a number is left out,
    /// the other nodes read everything again.
    pub number: i64,
    /// When the first of its events happened, by the clock of the database, in milliseconds, if the
    /// sender has it.
    pub at: Option<i64>,
    pub events: Vec<DomainEvent>,
}

/// A ring by a process that is no node, and rings once.
pub(super) fn ring_of_no_node(event: DomainEvent) -> Result<String, Error> {
    Ok(to_json(&Ring {
        from: getrandom::u64()?.cast_signed(),
        number: 1,
        at: None,
        events: vec![event],
    }))
}

/// Which ring it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct RingHeader {
    pub from: i64,
    pub number: i64,
}

/// The events that wait to be sent. It is cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Bell(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    node: i64,
    clock: Clock,
    metrics: NodeMetrics,
    waiting: Mutex<Waiting>,
    has_more: Notify,
    /// The rings that are being sent.
    unsent: tokio::sync::Mutex<Vec<NumberedText>>,
}

#[derive(Debug, Default)]
struct Waiting {
    /// The number of the last ring.
    number: i64,
    /// The newest sequence number of each room.
    heads: BTreeMap<RoomId, u64>,
    events: Vec<DomainEvent>,
    /// When the first of them happened.
    since: Option<Time>,
}

impl Bell {
    /// The bell of the node with this number.
    pub fn new(node: i64, clock: Clock, metrics: NodeMetrics) -> Self {
        Self(Arc::new(Shared {
            node,
            clock,
            metrics,
            waiting: Mutex::default(),
            has_more: Notify::new(),
            unsent: tokio::sync::Mutex::default(),
        }))
    }

    /// The number of the node.
    pub fn node(&self) -> i64 {
        self.0.node
    }

    /// Tells the others of an event soon.
    pub fn ring(&self, event: &DomainEvent) {
        lock(&self.0.waiting).add(event, self.0.clock.now());
        self.0.has_more.notify_one();
    }

    /// Rings without an event, which every node that listens hears, this one too.
    pub fn test(&self) {
        self.0.has_more.notify_one();
    }

    /// Sends what waits, until it is dropped.
    pub async fn run(self, store: NodeStore) {
        let mut unsent = self.0.unsent.lock().await;
        let mut retries = Retries::of("notify the other nodes");
        let mut next = Instant::now();
        loop {
            if unsent.is_empty() {
                self.0.has_more.notified().await;
                tokio::time::sleep_until(next.max(Instant::now() + COMMIT)).await;
                next = Instant::now() + GATHERING;
                *unsent = self.take_rings();
            }
            let sent = self.send(&store, &mut unsent).await;
            if retries.note(sent).is_none() {
                tokio::time::sleep(RETRY).await;
            }
        }
    }

    /// Sends what waits, after [`Bell::run`] was dropped.
    pub async fn finish(&self, store: &NodeStore) -> Result<(), Error> {
        let mut unsent = self.0.unsent.lock().await;
        unsent.extend(self.take_rings());
        self.send(store, &mut unsent).await
    }

    fn take_rings(&self) -> Vec<NumberedText> {
        let now = self.0.clock.now();
        lock(&self.0.waiting).take_rings(self.0.node, now)
    }

    async fn send(&self, store: &NodeStore, unsent: &mut Vec<NumberedText>) -> Result<(), Error> {
        store.ring(self.0.node, unsent).await?;
        self.0.metrics.rings_sent.inc_by(unsent.len() as u64);
        unsent.clear();
        Ok(())
    }
}

impl Waiting {
    fn add(&mut self, event: &DomainEvent, now: Time) {
        self.since.get_or_insert(now);
        if self.heads.len() + self.events.len() >= WAITING_MAX {
            self.heads.clear();
            self.events.clear();
            self.number += 1;
        }
        match event {
            DomainEvent::LogAdvanced { room, seq } => {
                let head = self.heads.entry(*room).or_default();
                *head = (*head).max(*seq);
            }
            // The last events are the ones that repeat.
            event if self.events.last() == Some(event) => {}
            event => self.events.push(event.clone()),
        }
    }

    /// Takes the events as rings, at least one. The entries of rooms come first, so that a room ends
    /// after its last message.
    fn take_rings(&mut self, node: i64, now: Time) -> Vec<NumberedText> {
        let at = self.since.take().unwrap_or(now);
        let heads = std::mem::take(&mut self.heads).into_iter();
        let heads = heads.map(|(room, seq)| DomainEvent::LogAdvanced { room, seq });
        let mut rings = Vec::new();
        let mut events = Vec::new();
        let mut length = 0;
        for event in heads.chain(std::mem::take(&mut self.events)) {
            // The comma after it counts too.
            let added = to_json(&event).len() + 1;
            if length + added > EVENTS_MAX_BYTES {
                rings.push(self.number_ring(node, at, std::mem::take(&mut events)));
                length = 0;
            }
            events.push(event);
            length += added;
        }
        rings.push(self.number_ring(node, at, events));
        rings
    }

    fn number_ring(&mut self, from: i64, at: Time, events: Vec<DomainEvent>) -> NumberedText {
        self.number += 1;
        let ring = Ring {
            from,
            number: self.number,
            at: Some(at.millis()),
            events,
        };
        NumberedText {
            number: self.number,
            text: to_json(&ring),
        }
    }
}

/// What is sent as JSON, which can express all of it.
fn to_json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const EARLY: Time = Time::EPOCH;

    /// With as many digits as a time can have.
    fn late() -> Time {
        Time::from_millis(i64::MAX)
    }

    fn room(number: u64) -> RoomId {
        RoomId::from_bytes(number.to_be_bytes())
    }

    #[test]
    fn events_are_merged_and_fit_into_notifications() {
        let mut waiting = Waiting::default();
        for seq in 1..=3 {
            for number in 0..500 {
                let room = room(number);
                waiting.add(&DomainEvent::LogAdvanced { room, seq }, late());
            }
        }
        let closed = DomainEvent::RoomChanged { room: room(7) };
        waiting.add(&closed, late());
        waiting.add(&closed, late());
        let rings = waiting.take_rings(i64::MIN, late());
        assert!(rings.len() > 1 && rings.iter().all(|ring| ring.text.len() < 8_000));
        let rings = rings
            .iter()
            .map(|ring| serde_json::from_str::<Ring>(&ring.text).unwrap());
        let events: Vec<_> = rings.flat_map(|ring| ring.events).collect();
        assert_eq!(events.len(), 501);
        assert_eq!(events.last(), Some(&closed));
        assert!(events[..500].iter().enumerate().all(|(number, event)| {
            let room = room(number as u64);
            *event == DomainEvent::LogAdvanced { room, seq: 3 }
        }));
    }

    #[test]
    fn too_many_events_leave_a_number_out() {
        let mut waiting = Waiting::default();
        assert_eq!(waiting.take_rings(1, late())[0].number, 1);
        for number in 0..=WAITING_MAX as u64 {
            let room = room(number);
            waiting.add(&DomainEvent::LogAdvanced { room, seq: 1 }, EARLY);
        }
        waiting.add(&DomainEvent::RoomsFrozen, late());
        let rings = waiting.take_rings(1, late());
        let ring: Ring = serde_json::from_str(&rings[0].text).unwrap();
        assert_eq!((ring.number, rings[0].number), (3, 3));
        assert_eq!((rings.len(), ring.events.len()), (1, 2));
        assert_eq!(ring.at, Some(EARLY.millis()));
    }
}
