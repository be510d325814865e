//! The presence that the nodes of one database share: what this node contributes, and what the others
//! do.
//!
//! # Guarantees
//! - A room is noted once, however often it changes before the note is taken.
//!
//! # Not here
//! - What passes the names between the nodes: `nodes`.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use protocol::RoomId;
use tokio::sync::Notify;

use super::{Hub, lock};
use crate::realtime::presence::{ContributedNames, Elsewhere};

/// The rooms whose presence has to be passed on. The lock is taken after all others.
#[derive(Clone, Debug, Default)]
pub(super) struct SharedPresence(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    noted: Mutex<NotedRooms>,
    has_more: Notify,
}

/// The rooms whose presence has to be passed on.
#[derive(Debug, Default)]
pub(crate) struct NotedRooms {
    /// Those that the other nodes have to hear of.
    pub changed: HashSet<RoomId>,
    /// Those whose presence on the other nodes may be another one.
    pub wanted: HashSet<RoomId>,
}

impl SharedPresence {
    fn note(&self, change: impl FnOnce(&mut NotedRooms)) {
        change(&mut lock(&self.0.noted));
        self.0.has_more.notify_one();
    }
}

impl Hub {
    /// The same hub, whose presence is shared with other nodes.
    pub fn sharing_presence(mut self) -> Self {
        self.shared_presence = Some(SharedPresence::default());
        self
    }

    /// Notes that the names of this node in a room have changed.
    pub(super) fn note_changed_names(&self, room: RoomId) {
        if let Some(shared) = &self.shared_presence {
            shared.note(|noted| {
                noted.changed.insert(room);
            });
        }
    }

    /// Notes that a followed room may have other names on other nodes.
    pub fn want_names_elsewhere(&self, room: RoomId) {
        if self.is_followed(room) {
            self.note_wanted_names(room);
        }
    }

    /// Does the same for a room that is about to be followed.
    pub(super) fn note_wanted_names(&self, room: RoomId) {
        if let Some(shared) = &self.shared_presence {
            shared.note(|noted| {
                noted.wanted.insert(room);
            });
        }
    }

    /// Notes all followed rooms, because other nodes have come or gone.
    pub fn want_all_names_elsewhere(&self) {
        let followed = self.followed_rooms();
        if let Some(shared) = &self.shared_presence {
            shared.note(|noted| noted.wanted.extend(followed));
        }
    }

    /// Notes all followed rooms, because the other nodes know none of the names of this one.
    pub fn note_all_names(&self) {
        let followed = self.followed_rooms();
        if let Some(shared) = &self.shared_presence {
            shared.note(|noted| noted.changed.extend(followed));
        }
    }

    /// Takes the noted rooms; waits while there are none.
    pub async fn take_noted_rooms(&self) -> NotedRooms {
        let Some(shared) = &self.shared_presence else {
            return std::future::pending().await;
        };
        loop {
            let noted = std::mem::take(&mut *lock(&shared.0.noted));
            if !noted.changed.is_empty() || !noted.wanted.is_empty() {
                return noted;
            }
            shared.0.has_more.notified().await;
        }
    }

    /// Notes rooms again, because they could not be passed on.
    pub fn put_noted_rooms_back(&self, rooms: NotedRooms) {
        if let Some(shared) = &self.shared_presence {
            shared.note(|noted| {
                noted.changed.extend(rooms.changed);
                noted.wanted.extend(rooms.wanted);
            });
        }
    }

    /// The names that are present in a room by way of this node.
    pub fn contributed_names(&self, room: RoomId) -> ContributedNames {
        let channel = self.find_channel(room);
        channel.map_or_else(ContributedNames::default, |channel| {
            lock(&channel).presence.contributed_names()
        })
    }

    /// Stores who is present in a room by way of other nodes.
    pub fn set_names_elsewhere(&self, room: RoomId, elsewhere: Elsewhere) {
        let Some(channel) = self.find_channel(room) else {
            return;
        };
        if lock(&channel).presence.set_elsewhere(elsewhere) {
            self.pending_rooms.add(room);
        }
    }

    /// Notes that a person types in a room by way of another node.
    pub fn record_typing_elsewhere(&self, room: RoomId, name: &str) {
        if let Some(channel) = self.find_channel(room) {
            let now = self.clock.now();
            lock(&channel).presence.start_typing(name.into(), now);
            self.pending_rooms.add(room);
        }
    }
}
