//! The publisher: hands what the writer has committed to the hub.

use std::collections::HashMap;

use protocol::{Epoch, Refusal, RoomId};

use crate::log::decide::Done;
use crate::log::entry::Entry;
use crate::realtime::frame::Frames;
use crate::realtime::hub::Hub;
use crate::realtime::public_rooms::Directory;
use crate::room::Life;

/// Tells everybody who listens what was committed.
#[derive(Debug)]
pub(crate) struct Publisher {
    pub hub: Hub,
    pub directory: Directory,
    pub epoch: Epoch,
}

impl Publisher {
    /// Hands the new messages of each followed room to the hub, encoded once. The directory looks for itself whether a public
    /// room has changed.
    pub fn publish(&self, committed: &[Result<Done, Refusal>]) {
        let mut rooms: HashMap<RoomId, (Vec<&Entry>, Life)> = HashMap::new();
        for Done { room, entry, life } in committed.iter().flatten() {
            if let Some(newest) = life {
                let (entries, life) = rooms.entry(*room).or_insert_with(|| (Vec::new(), *newest));
                entries.push(entry);
                *life = *newest;
            }
        }
        self.directory.changed();
        for (room, (entries, life)) in rooms {
            self.hub.ring(room);
            if !self.hub.is_followed(room) {
                continue;
            }
            let authors = entries
                .iter()
                .filter_map(|entry| entry.message())
                .map(|message| message.username.as_str());
            if let Some(frames) = Frames::encode(self.epoch, entries.iter().copied()) {
                self.hub.publish(room, frames, authors, life);
            }
        }
    }
}
