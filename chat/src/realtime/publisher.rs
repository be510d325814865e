//! The publisher: passes committed entries to the hub.

use std::collections::HashMap;

use protocol::{Epoch, RoomId};

use crate::log::decide::Appended;
use crate::log::entry::Entry;
use crate::log::writer::Outcome;
use crate::realtime::frame::Frames;
use crate::realtime::hub::Hub;
use crate::realtime::public_rooms::PublicRooms;
use crate::room::Lifetime;

/// Publishes what the writer commits.
#[derive(Debug)]
pub(crate) struct Publisher {
    pub hub: Hub,
    pub public_rooms: PublicRooms,
    pub epoch: Epoch,
}

/// The new entries of a room, and its lifetime after them.
struct RoomUpdate<'a> {
    entries: Vec<&'a Entry>,
    lifetime: Lifetime,
}

impl Publisher {
    /// Passes the new entries of each followed room to the hub, encoded once, and notifies the
    /// watchers of the rooms. Whether a public room is among them is not checked: the list of
    /// public rooms is sent only if it differs.
    pub fn publish(&self, outcomes: &[Outcome]) {
        self.public_rooms.mark_changed();
        for (room, update) in group_by_room(outcomes) {
            self.hub.notify_room(room);
            if self.hub.is_followed(room) {
                self.publish_to_followers(room, &update);
            }
        }
    }

    fn publish_to_followers(&self, room: RoomId, update: &RoomUpdate<'_>) {
        let authors = update
            .entries
            .iter()
            .filter_map(|entry| entry.message())
            .map(|message| message.username.as_str());
        if let Some(frames) = Frames::encode(self.epoch, update.entries.iter().copied()) {
            self.hub.publish(room, frames, authors, update.lifetime);
        }
    }
}

/// The new entries of the granted requests, by room. The entry of a repeated request is not new.
fn group_by_room(outcomes: &[Outcome]) -> HashMap<RoomId, RoomUpdate<'_>> {
    let mut updates: HashMap<RoomId, RoomUpdate<'_>> = HashMap::new();
    for appended in outcomes.iter().flatten() {
        let Appended {
            room,
            entry,
            lifetime,
        } = appended;
        let Some(lifetime) = *lifetime else {
            continue;
        };
        let update = updates.entry(*room).or_insert_with(|| RoomUpdate {
            entries: Vec::new(),
            lifetime,
        });
        update.entries.push(entry);
        update.lifetime = lifetime;
    }
    updates
}
