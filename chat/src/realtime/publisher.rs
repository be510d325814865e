//! The publisher: hands what the writer has committed to the hub.

use std::collections::HashMap;

use protocol::{Epoch, Refusal, RoomId};

use crate::log::decide::Appended;
use crate::log::entry::Entry;
use crate::realtime::frame::Frames;
use crate::realtime::hub::Hub;
use crate::realtime::public_rooms::PublicRooms;
use crate::room::Lifetime;

/// Tells everybody who listens what was committed.
#[derive(Debug)]
pub(crate) struct Publisher {
    pub hub: Hub,
    pub public_rooms: PublicRooms,
    pub epoch: Epoch,
}

impl Publisher {
    /// Hands the new messages of each followed room to the hub, encoded once. The directory looks for itself whether a public
    /// room has changed.
    pub fn publish(&self, committed: &[Result<Appended, Refusal>]) {
        let mut rooms: HashMap<RoomId, (Vec<&Entry>, Lifetime)> = HashMap::new();
        for Appended {
            room,
            entry,
            lifetime,
        } in committed.iter().flatten()
        {
            if let Some(newest) = lifetime {
                let (entries, lifetime) =
                    rooms.entry(*room).or_insert_with(|| (Vec::new(), *newest));
                entries.push(entry);
                *lifetime = *newest;
            }
        }
        self.public_rooms.changed();
        for (room, (entries, lifetime)) in rooms {
            self.hub.notify_room(room);
            if !self.hub.is_followed(room) {
                continue;
            }
            let authors = entries
                .iter()
                .filter_map(|entry| entry.message())
                .map(|message| message.username.as_str());
            if let Some(frames) = Frames::encode(self.epoch, entries.iter().copied()) {
                self.hub.publish(room, frames, authors, lifetime);
            }
        }
    }
}
