//! Changed display names of accounts: each follower of a room learns them once.
//!
//! A message carries the display name of its author as it is when the message is read. A client that
//! shows older messages learns of later changes by these events.
//!
//! # Guarantees
//! - A follower receives the latest change of each account that has written in the room or is a
//!   member, also one that starts within [`KEPT_FOR`] after the change: its page may have been
//!   rendered, or its connection lost, before the change.

use std::collections::{HashSet, VecDeque};
use std::time::Duration;

use protocol::{EventName, RoomId, Time};
use serde::Serialize;

use super::{Hub, Next, lock};
use crate::realtime::frame::Ephemeral;

/// How long followers that start after a change still receive it.
const KEPT_FOR: Duration = Duration::from_secs(600);

/// The most changes that are kept; older ones are forgotten.
const KEPT_MAX: usize = 1_000;

/// The data of the event.
#[derive(Serialize)]
struct NameData<'a> {
    username: &'a str,
    name: &'a str,
}

/// A change of a display name.
#[derive(Clone, Debug)]
struct NameChange {
    at: Time,
    username: String,
    event: Ephemeral,
}

impl NameChange {
    fn is_old(&self, now: Time) -> bool {
        now.since(self.at) >= KEPT_FOR
    }
}

/// The latest change of each account in all rooms, the oldest first.
#[derive(Debug, Default)]
pub(super) struct RecentNames(VecDeque<RecentName>);

#[derive(Debug)]
struct RecentName {
    change: NameChange,
    rooms: HashSet<RoomId>,
}

impl RecentNames {
    fn push(&mut self, change: NameChange, rooms: &[RoomId]) {
        self.forget_old(change.at);
        let mut rooms: HashSet<RoomId> = rooms.iter().copied().collect();
        if let Some(earlier) = self.remove(&change.username)
            && earlier.change.event.json() == change.event.json()
        {
            // One change comes in several parts if it concerns many rooms.
            rooms.extend(earlier.rooms);
        }
        if self.0.len() >= KEPT_MAX {
            self.0.pop_front();
        }
        self.0.push_back(RecentName { change, rooms });
    }

    fn remove(&mut self, username: &str) -> Option<RecentName> {
        let index = self
            .0
            .iter()
            .position(|name| name.change.username == username)?;
        self.0.remove(index)
    }

    fn forget_old(&mut self, now: Time) {
        while self
            .0
            .pop_front_if(|name| name.change.is_old(now))
            .is_some()
        {}
    }

    /// The changes that the channel of a room begins with if it opens now.
    pub fn of_room(&mut self, room: RoomId, now: Time) -> ChannelNames {
        self.forget_old(now);
        let mut names = ChannelNames::default();
        for name in &self.0 {
            if name.rooms.contains(&room) {
                names.push(name.change.clone());
            }
        }
        names
    }
}

/// The latest changes in one room, in order and at most one of each account.
#[derive(Debug, Default)]
pub(super) struct ChannelNames {
    /// Counts the changes, so that a follower knows which of them it has delivered.
    version: u64,
    changes: Vec<VersionedChange>,
}

#[derive(Debug)]
struct VersionedChange {
    version: u64,
    change: NameChange,
}

impl ChannelNames {
    fn push(&mut self, change: NameChange) {
        self.version += 1;
        self.changes.retain(|earlier| {
            earlier.change.username != change.username && !earlier.change.is_old(change.at)
        });
        self.changes.push(VersionedChange {
            version: self.version,
            change,
        });
    }

    /// Forgets the changes that a follower which starts now need not receive.
    pub fn forget_old(&mut self, now: Time) {
        self.changes.retain(|change| !change.change.is_old(now));
    }

    fn forget(&mut self, username: &str) {
        self.changes
            .retain(|change| change.change.username != username);
    }

    /// The next step of a follower that has delivered the changes up to this version.
    pub fn next_after(&self, delivered: u64) -> Option<Next> {
        let mut changes = self.changes.iter();
        let next = changes.find(|change| change.version > delivered)?;
        Some(Next::Name(next.change.event.clone(), next.version))
    }
}

impl Hub {
    /// Passes the changed display name of an account to the followers of these rooms.
    pub fn announce_name(&self, username: &str, name: &str, rooms: &[RoomId]) {
        let change = NameChange {
            at: self.clock.now(),
            username: username.to_owned(),
            event: Ephemeral::encode(EventName::Name, &NameData { username, name }),
        };
        // Channels that open after this begin with the change.
        lock(&self.names).push(change.clone(), rooms);
        for room in rooms {
            self.update_channel(*room, |channel| channel.names.push(change.clone()));
            self.notify_room(*room);
        }
    }

    /// The changed names that a follower of a room receives if it is the first.
    #[cfg(test)]
    pub fn names_of(&self, room: RoomId) -> Vec<Ephemeral> {
        let names = lock(&self.names).of_room(room, self.clock.now());
        let changes = names.changes.into_iter();
        changes.map(|change| change.change.event).collect()
    }

    /// Forgets the changed display name of an account that was deleted, so that no new
    /// account with its username gets it.
    pub fn forget_name(&self, username: &str) {
        lock(&self.names).remove(username);
        let channels: Vec<_> = lock(&self.rooms).channels.values().cloned().collect();
        for channel in channels {
            lock(&channel).names.forget(username);
        }
    }
}
