//! The epochs of channels.
//!
//! # Guarantees
//! - All frames of a channel, and the cursors of its followers, are of one epoch. After another one has
//!   begun, the followers end, so that their clients reconnect, and hear that their cursors are void.

use std::sync::{Arc, Mutex};
use std::task::Waker;

use protocol::RoomId;

use super::{Channel, End, Hub, Rooms};
use crate::sync::lock;

impl Hub {
    /// Ends the streams of earlier epochs.
    pub fn end_earlier_epochs(&self) {
        let current = self.epoch.get();
        let mut earlier = Vec::new();
        lock(&self.rooms).channels.retain(|_, channel| {
            let is_current = lock(channel).epoch == Some(current);
            if !is_current {
                earlier.push(channel.clone());
            }
            is_current
        });
        for channel in earlier {
            let wakers = {
                let mut channel = lock(&channel);
                channel.end.get_or_insert(End::Draining);
                channel.take_wakers(|_| true)
            };
            wakers.into_iter().for_each(Waker::wake);
        }
    }

    /// Removes the channel of a room, unless the room has another one by now.
    pub(super) fn forget_channel(rooms: &mut Rooms, room: RoomId, channel: &Arc<Mutex<Channel>>) {
        let is_same = |own: &Arc<_>| Arc::ptr_eq(own, channel);
        if rooms.channels.get(&room).is_some_and(is_same) {
            rooms.channels.remove(&room);
        }
    }
}
