//! What another node has committed.

use protocol::RoomId;

use super::{Channel, Hub};
use crate::lifetime::Lifetime;
use crate::realtime::frame::Frames;
use crate::sync::lock;

impl Hub {
    /// Passes frames that another node has committed to the followers of a room, unless its head is
    /// not `head` any more. Everything else is as in [`Hub::publish`].
    pub fn publish_after<'a>(
        &self,
        head: u64,
        room: RoomId,
        frames: Frames,
        authors: impl Iterator<Item = &'a str>,
        lifetime: Lifetime,
    ) {
        let is_next = |channel: &Channel| channel.head() == head;
        self.publish_if(is_next, room, frames, authors, lifetime);
    }

    /// The newest sequence number that the followers of a room were woken for, which is 0 if they
    /// were woken for none; `None` without followers.
    pub fn find_head(&self, room: RoomId) -> Option<u64> {
        let channel = self.find_channel(room)?;
        Some(lock(&channel).head())
    }

    /// The rooms that have followers.
    pub fn followed_rooms(&self) -> Vec<RoomId> {
        lock(&self.rooms).channels.keys().copied().collect()
    }
}
