//! The publisher: passes committed entries to the hub.

use std::collections::HashMap;

use protocol::RoomId;

use crate::Listeners;
use crate::current_epoch::CurrentEpoch;
use crate::events::DomainEvent;
use crate::lifetime::Lifetime;
use crate::log::decide::{Appended, Committed, Outcome};
use crate::log::entry::Entry;
use crate::realtime::frame::Frames;

/// Publishes what the writer commits.
#[derive(Debug)]
pub(crate) struct Publisher {
    pub listeners: Listeners,
    pub epoch: CurrentEpoch,
}

/// The new entries of a room, and its lifetime after them.
struct RoomUpdate<'a> {
    entries: Vec<&'a Entry>,
    lifetime: Lifetime,
}

impl Publisher {
    /// Passes the new entries of each followed room to the hub, encoded once, so that its followers
    /// need not read the store. All others hear only that the log has advanced.
    pub fn publish(&self, committed: &Committed) {
        let Committed {
            outcomes,
            renamed_moderators,
            has_removed_files,
        } = committed;
        if *has_removed_files {
            self.listeners.files.notify_one();
        }
        for (room, update) in group_by_room(outcomes) {
            if self.listeners.hub.is_followed(room) {
                self.publish_to_followers(room, &update);
            }
            let seq = update.entries.last().map_or(0, |entry| entry.seq());
            self.listeners
                .announce(&DomainEvent::LogAdvanced { room, seq });
        }
        // If the publication of the first request failed, its repetition makes up for it.
        for repeated in outcomes
            .iter()
            .flatten()
            .filter(|appended| appended.lifetime.is_none())
        {
            let (room, seq) = (repeated.room, repeated.entry.seq());
            self.listeners
                .announce(&DomainEvent::LogAdvanced { room, seq });
        }
        for &room in renamed_moderators {
            self.listeners.announce(&DomainEvent::RolesChanged { room });
        }
    }

    fn publish_to_followers(&self, room: RoomId, update: &RoomUpdate<'_>) {
        let authors = update
            .entries
            .iter()
            .filter_map(|entry| entry.message())
            .map(|message| message.username.as_str());
        if let Some(frames) = Frames::encode(self.epoch.get(), update.entries.iter().copied()) {
            self.listeners
                .hub
                .publish(room, frames, authors, update.lifetime);
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
