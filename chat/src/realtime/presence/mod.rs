//! Presence: the names that are present in a room, and those that type. A state machine that
//! receives the time as an argument.
//!
//! # Guarantees
//! - An event has the whole state, never a difference, and is new only if the state has changed.
//! - A name is announced after one second of presence, and its departure after five seconds, so
//!   that a reload, a reconnection and a short visit are not announced.
//! - The memory is bounded by the number of connections, and by [`elsewhere::NAMES_MAX`] names for each
//!   other node.
//!
//! # Not here
//! - When to call [`Presence::update`], and who receives the events: the hub.

#[cfg(test)]
mod tests;

mod elsewhere;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use protocol::{EventName, RoomId, Time};
use serde::Serialize;

pub(crate) use self::elsewhere::{ContributedNames, Elsewhere};
use crate::realtime::frame::Ephemeral;

/// How long a name is present before it is announced.
const ARRIVAL_DELAY: Duration = Duration::from_secs(1);

/// How long a name is absent before its departure is announced.
const DEPARTURE_DELAY: Duration = Duration::from_secs(5);

/// How long a typing notification lasts, unless it is repeated.
const TYPING_TIMEOUT: Duration = Duration::from_secs(6);

/// The most names in one event, which counts all of them.
const NAMES_MAX: usize = 100;

/// The most names that type at the same time; further ones are ignored.
const TYPING_MAX: usize = 16;

/// The most absent names whose departure is not announced yet; further ones depart at once.
const LINGERING_MAX: usize = 1_000;

type Name = Arc<str>;

/// The presence of one room.
#[derive(Debug, Default)]
pub(crate) struct Presence {
    /// The number of connections of each present name.
    connections: BTreeMap<Name, usize>,
    /// The names that are announced as present.
    announced: BTreeSet<Name>,
    /// Whether `announced` may have changed since the other nodes heard of it.
    is_contribution_stale: bool,
    /// Who is present by way of other nodes.
    elsewhere: Elsewhere,
    /// The names that are in exactly one of the two above, and since when. They wait for the
    /// announcement of their arrival or departure.
    waiting: BTreeMap<Name, Time>,
    /// The names that type, and when that ends unless it is repeated.
    typing: BTreeMap<Name, Time>,
    presence_event: LatestEvent,
    typing_event: LatestEvent,
}

/// The latest event of one kind.
#[derive(Debug, Default)]
struct LatestEvent {
    version: u64,
    event: Option<Ephemeral>,
    is_empty: bool,
    /// Whether the state may have changed since the event.
    is_stale: bool,
}

/// The versions of both kinds of events that a follower has delivered; 0 before the first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct DeliveredVersions {
    presence: u64,
    typing: u64,
}

#[derive(Serialize)]
struct PresenceData<'a> {
    room: RoomId,
    here: Vec<&'a str>,
    count: usize,
}

#[derive(Serialize)]
struct TypingData<'a> {
    room: RoomId,
    usernames: Vec<&'a str>,
}

impl Presence {
    /// Adds a connection of this name.
    pub fn join(&mut self, name: &Name, now: Time) {
        let connections = self.connections.entry(name.clone()).or_default();
        *connections += 1;
        if *connections > 1 {
            return;
        }
        if self.announced.contains(name) {
            self.waiting.remove(name);
        } else {
            self.waiting.insert(name.clone(), now);
        }
    }

    /// Removes a connection of this name.
    pub fn leave(&mut self, name: &Name, now: Time) {
        let Some(connections) = self.connections.get_mut(name) else {
            return;
        };
        *connections -= 1;
        if *connections > 0 {
            return;
        }
        self.stop_typing(name);
        if !self.announced.contains(name) {
            self.waiting.remove(name);
        } else if self.count_lingering() < LINGERING_MAX {
            self.waiting.insert(name.clone(), now);
        } else {
            self.announced.remove(name);
            self.presence_event.is_stale = true;
            self.is_contribution_stale = true;
        }
        self.connections.remove(name);
    }

    /// Whether a name is present, or announced as present.
    pub fn has(&self, name: &str) -> bool {
        self.connections.contains_key(name)
            || self.announced.contains(name)
            || self.elsewhere.names.contains(name)
    }

    /// How many absent names are still announced as present. Of w waiting names, l linger and the
    /// other w - l are present but not announced, so that
    /// `announced = connections - (w - l) + l`.
    fn count_lingering(&self) -> usize {
        (self.waiting.len() + self.announced.len() - self.connections.len()) / 2
    }

    /// Notes that a name, present or not, types.
    pub fn start_typing(&mut self, name: Name, now: Time) {
        if self.typing.len() < TYPING_MAX || self.typing.contains_key(&name) {
            self.typing.insert(name, now.after(TYPING_TIMEOUT));
            self.typing_event.is_stale = true;
        }
    }

    /// Ends the typing of the authors of new messages. Costs nothing while no name types.
    pub fn clear_typing<'a>(&mut self, authors: impl IntoIterator<Item = &'a str>) {
        if !self.typing.is_empty() {
            authors.into_iter().for_each(|name| self.stop_typing(name));
        }
    }

    fn stop_typing(&mut self, name: &str) {
        self.typing_event.is_stale |= self.typing.remove(name).is_some();
    }

    /// Applies the changes that are due. Returns whether there is a new event.
    pub fn update(&mut self, room: RoomId, now: Time) -> bool {
        self.announce_due_names(now);
        self.end_due_typing(now);
        let is_empty = self.announced.is_empty() && self.elsewhere.is_empty();
        let has_presence_event = self.presence_event.refresh(is_empty, || {
            let names = self.announced.union(&self.elsewhere.names).take(NAMES_MAX);
            let data = PresenceData {
                room,
                here: names.map(AsRef::as_ref).collect(),
                count: self.announced.len() + self.elsewhere.count_beside(&self.announced),
            };
            Ephemeral::encode(EventName::Presence, &data)
        });
        let has_typing_event = self.typing_event.refresh(self.typing.is_empty(), || {
            let usernames = self.typing.keys().map(AsRef::as_ref).collect();
            Ephemeral::encode(EventName::Typing, &TypingData { room, usernames })
        });
        has_presence_event || has_typing_event
    }

    /// Announces the names that have been present, or absent, for long enough.
    fn announce_due_names(&mut self, now: Time) {
        let Self {
            connections,
            announced,
            waiting,
            presence_event,
            is_contribution_stale,
            ..
        } = self;
        waiting.retain(|name, since| {
            *since = (*since).min(now);
            let is_present = connections.contains_key(name);
            let delay = if is_present {
                ARRIVAL_DELAY
            } else {
                DEPARTURE_DELAY
            };
            if now.since(*since) < delay {
                return true;
            }
            if is_present {
                announced.insert(name.clone());
            } else {
                announced.remove(name);
            }
            presence_event.is_stale = true;
            *is_contribution_stale = true;
            false
        });
    }

    fn end_due_typing(&mut self, now: Time) {
        let count_before = self.typing.len();
        self.typing.retain(|_, end| {
            // If the clock was set back by hours, no name types for hours.
            *end = (*end).min(now.after(TYPING_TIMEOUT));
            *end > now
        });
        self.typing_event.is_stale |= self.typing.len() < count_before;
    }

    /// Whether the state changes with time alone.
    pub fn has_pending_changes(&self) -> bool {
        !self.waiting.is_empty() || !self.typing.is_empty()
    }

    /// Whether no name is present, lingers or types.
    pub fn is_empty(&self) -> bool {
        self.connections.is_empty() && !self.has_pending_changes()
    }

    /// The newest event that a follower has not delivered, and the versions that are delivered
    /// after it. A follower without events does not get an empty state.
    pub fn next_event(
        &self,
        delivered: DeliveredVersions,
    ) -> Option<(Ephemeral, DeliveredVersions)> {
        if let Some(event) = self.presence_event.newer_than(delivered.presence) {
            let delivered = DeliveredVersions {
                presence: self.presence_event.version,
                ..delivered
            };
            return Some((event, delivered));
        }
        let event = self.typing_event.newer_than(delivered.typing)?;
        let delivered = DeliveredVersions {
            typing: self.typing_event.version,
            ..delivered
        };
        Some((event, delivered))
    }
}

impl LatestEvent {
    /// Encodes the event again if it is stale. Returns whether it has changed.
    fn refresh(&mut self, is_empty: bool, encode: impl FnOnce() -> Ephemeral) -> bool {
        let is_stale = std::mem::take(&mut self.is_stale);
        if !is_stale || (is_empty && self.event.is_none()) {
            return false;
        }
        let event = Some(encode());
        if self.event == event {
            return false;
        }
        self.event = event;
        self.is_empty = is_empty;
        self.version += 1;
        true
    }

    /// The event, if a follower that has delivered this version lacks it.
    fn newer_than(&self, delivered: u64) -> Option<Ephemeral> {
        let is_new = self.version != delivered && !(delivered == 0 && self.is_empty);
        self.event.clone().filter(|_| is_new)
    }
}
