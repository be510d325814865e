//! Announcements: changes that each follower of a room learns once, such as the new display name of
//! an account.
//!
//! A message carries the display name of its author as it is when the message is read, and a page
//! has the roles in a room as they are when the room is read. A client that shows older ones learns
//! of later changes by these events.
//!
//! # Guarantees
//! - A follower receives the latest change of the name of each account that has written in the room
//!   or is a member, and the latest change of the room's roles, also one that starts within
//!   [`KEPT_FOR`] after the change: its page may have been rendered, or its connection lost, before
//!   the change.

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

/// The data of the event that rings for changed roles; the room itself has them.
#[derive(Serialize)]
struct RolesData {
    room: RoomId,
}

/// What an announcement is about. A later announcement about the same replaces an earlier one.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Subject {
    /// The display name of the account with this username.
    Name(String),
    /// The roles in this room.
    Roles(RoomId),
}

/// A change that followers learn of.
#[derive(Clone, Debug)]
struct Announcement {
    at: Time,
    subject: Subject,
    event: Ephemeral,
}

impl Announcement {
    fn is_old(&self, now: Time) -> bool {
        now.since(self.at) >= KEPT_FOR
    }
}

/// The latest change of each subject in all rooms, the oldest first.
#[derive(Debug, Default)]
pub(super) struct RecentAnnouncements(VecDeque<RecentAnnouncement>);

#[derive(Debug)]
struct RecentAnnouncement {
    change: Announcement,
    rooms: HashSet<RoomId>,
}

impl RecentAnnouncements {
    fn push(&mut self, change: Announcement, rooms: &[RoomId]) {
        self.forget_old(change.at);
        let mut rooms: HashSet<RoomId> = rooms.iter().copied().collect();
        if let Some(earlier) = self.remove(&change.subject)
            && earlier.change.event.json() == change.event.json()
        {
            // One change comes in several parts if it concerns many rooms.
            rooms.extend(earlier.rooms);
        }
        if self.0.len() >= KEPT_MAX {
            self.0.pop_front();
        }
        self.0.push_back(RecentAnnouncement { change, rooms });
    }

    fn remove(&mut self, subject: &Subject) -> Option<RecentAnnouncement> {
        let mut recent = self.0.iter();
        let index = recent.position(|recent| recent.change.subject == *subject)?;
        self.0.remove(index)
    }

    fn forget_old(&mut self, now: Time) {
        while self
            .0
            .pop_front_if(|recent| recent.change.is_old(now))
            .is_some()
        {}
    }

    /// The changes that the channel of a room begins with if it opens now.
    pub fn of_room(&mut self, room: RoomId, now: Time) -> ChannelAnnouncements {
        self.forget_old(now);
        let mut announcements = ChannelAnnouncements::default();
        for recent in &self.0 {
            if recent.rooms.contains(&room) {
                announcements.push(recent.change.clone());
            }
        }
        announcements
    }
}

/// The latest changes in one room, in order and at most one of each subject.
#[derive(Debug, Default)]
pub(super) struct ChannelAnnouncements {
    /// Counts the changes, so that a follower knows which of them it has delivered.
    version: u64,
    changes: Vec<VersionedChange>,
}

#[derive(Debug)]
struct VersionedChange {
    version: u64,
    change: Announcement,
}

impl ChannelAnnouncements {
    fn push(&mut self, change: Announcement) {
        self.version += 1;
        self.changes.retain(|earlier| {
            earlier.change.subject != change.subject && !earlier.change.is_old(change.at)
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

    fn forget(&mut self, subject: &Subject) {
        self.changes
            .retain(|change| change.change.subject != *subject);
    }

    /// The next step of a follower that has delivered the changes up to this version.
    pub fn next_after(&self, delivered: u64) -> Option<Next> {
        let mut changes = self.changes.iter();
        let next = changes.find(|change| change.version > delivered)?;
        Some(Next::Announcement(next.change.event.clone(), next.version))
    }
}

impl Hub {
    /// Passes the changed display name of an account to the followers of these rooms.
    pub fn announce_name(&self, username: &str, name: &str, rooms: &[RoomId]) {
        let event = Ephemeral::encode(EventName::Name, &NameData { username, name });
        self.announce(Subject::Name(username.to_owned()), event, rooms);
    }

    /// Notifies the followers and the watchers of a room that its roles have changed.
    pub fn announce_roles(&self, room: RoomId) {
        let event = Ephemeral::encode(EventName::Roles, &RolesData { room });
        self.announce(Subject::Roles(room), event, &[room]);
    }

    /// Notifies the followers and the watchers of all rooms that roles may have changed.
    pub fn announce_roles_in_all_rooms(&self) {
        let followed: Vec<RoomId> = lock(&self.rooms).channels.keys().copied().collect();
        for room in followed {
            self.announce_roles(room);
        }
    }

    fn announce(&self, subject: Subject, event: Ephemeral, rooms: &[RoomId]) {
        let change = Announcement {
            at: self.clock.now(),
            subject,
            event,
        };
        // Channels that open after this begin with the change.
        lock(&self.announcements).push(change.clone(), rooms);
        for room in rooms {
            self.update_channel(*room, |channel| channel.announcements.push(change.clone()));
            self.notify_room(*room);
        }
    }

    /// The announcements that a follower of a room receives if it is the first.
    #[cfg(test)]
    pub fn announcements_of(&self, room: RoomId) -> Vec<Ephemeral> {
        let announcements = lock(&self.announcements).of_room(room, self.clock.now());
        let changes = announcements.changes.into_iter();
        changes.map(|change| change.change.event).collect()
    }

    /// Forgets the changed display name of an account that was deleted, so that no new
    /// account with its username gets it.
    pub fn forget_name(&self, username: &str) {
        let subject = Subject::Name(username.to_owned());
        lock(&self.announcements).remove(&subject);
        let channels: Vec<_> = lock(&self.rooms).channels.values().cloned().collect();
        for channel in channels {
            lock(&channel).announcements.forget(&subject);
        }
    }
}
