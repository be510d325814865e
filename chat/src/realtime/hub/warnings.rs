//! The warnings of the end of a room.

use protocol::{RoomId, Time};

use super::{Channel, Hub, lock};
use crate::lifetime::Lifetime;

impl Hub {
    /// Warns the followers of all rooms that end soon. Returns when the next warning is due.
    pub fn warn_of_expiry(&self, now: Time) -> Option<Time> {
        let channels: Vec<(RoomId, Time)> = {
            let rooms = lock(&self.rooms);
            rooms
                .channels
                .iter()
                .filter_map(|(id, channel)| Some((*id, lock(channel).warning_due()?)))
                .collect()
        };
        let (due, later): (Vec<_>, Vec<_>) = channels.into_iter().partition(|(_, at)| *at <= now);
        for (room, _) in due {
            self.update_channel(room, |channel| {
                // A message may have extended the lifetime since the check above.
                if channel.warning_due().is_some_and(|at| at <= now) {
                    channel.warned_end = channel.lifetime.map(|lifetime| lifetime.end);
                }
            });
        }
        later.into_iter().map(|(_, at)| at).min()
    }
}

impl Channel {
    /// When to warn the followers of the room's end; `None` if they have been warned.
    fn warning_due(&self) -> Option<Time> {
        self.lifetime
            .filter(|lifetime| self.warned_end != Some(lifetime.end))
            .map(Lifetime::closing_at)
    }
}
