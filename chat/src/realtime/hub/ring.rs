//! The ring of a channel: the newest frames of a room.

use std::collections::VecDeque;

use super::{Channel, Next};
use crate::realtime::frame::Frames;

/// The size in bytes up to which the frames of several commits are joined into one run, so that a
/// reader who missed them receives them in one write. The frames of one commit are one run, however
/// large. A reader that does not read may keep one run in memory.
const MAX_JOINED_BYTES: usize = 16 * 1024;

impl Channel {
    /// Adds frames to the ring, joined with the newest run if both together are small enough, and
    /// removes the oldest runs that no longer fit.
    pub(super) fn push_frames(&mut self, frames: Frames, ring_bytes: usize) {
        self.ring_bytes += frames.bytes().len();
        let max_bytes = MAX_JOINED_BYTES.min(ring_bytes);
        let can_join = |newest: &mut Frames| {
            newest.last() + 1 == frames.first()
                && newest.bytes().len() + frames.bytes().len() <= max_bytes
        };
        let newest = self.ring.pop_back_if(can_join);
        self.ring
            .push_back(newest.map_or_else(|| frames.clone(), |newest| newest.join(&frames)));
        while self.ring_bytes > ring_bytes && self.ring.len() > 1 {
            self.ring_bytes -= self
                .ring
                .pop_front()
                .map_or(0, |oldest| oldest.bytes().len());
        }
    }
}

/// The next step of a follower that has delivered everything up to `seen`, if the ring, which holds
/// the newest frames of a room, has anything after it.
pub(super) fn next_in_ring(ring: &VecDeque<Frames>, seen: u64) -> Option<Next> {
    if ring.front().is_some_and(|oldest| oldest.first() > seen + 1) {
        return Some(Next::ReadStore);
    }
    let undelivered = ring.partition_point(|frames| frames.last() <= seen);
    let frames = ring.get(undelivered)?.after(seen)?;
    Some(if frames.first() == seen + 1 {
        Next::Deliver(frames)
    } else {
        Next::ReadStore
    })
}
