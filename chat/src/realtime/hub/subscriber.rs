//! The subscription of one follower to the channel of a room.
//!
//! # Guarantees
//! - A dropped subscriber leaves nothing behind: the last one of a room takes the channel along,
//!   once the presence of the room is up to date.

use std::future::poll_fn;
use std::sync::{Arc, Mutex};
use std::task::Poll;

use protocol::{Epoch, RoomId};

use super::fan_out::{LendableSink, Sink, SinkLoan};
use super::{Channel, DeliveredEvents, End, Hub, Next, lock};
use crate::identity::session_watch::SessionWatch;
use crate::lifetime::Lifetime;

/// A subscription to a room. Dropping it ends the subscription.
#[derive(Debug)]
pub(crate) struct Subscriber {
    pub(super) hub: Hub,
    pub(super) room: RoomId,
    pub(super) channel: Arc<Mutex<Channel>>,
    slot: usize,
    epoch: Epoch,
    /// Where the hub writes new frames while this subscriber waits.
    sink: Option<Arc<LendableSink>>,
    /// The access version that the follower has checked.
    access_version: u32,
    /// The name that is present as long as this subscriber exists.
    pub(super) name: Option<Arc<str>>,
    delivered: DeliveredEvents,
}

impl Subscriber {
    pub(super) fn new(
        hub: Hub,
        room: RoomId,
        channel: Arc<Mutex<Channel>>,
        slot: usize,
        access_version: u32,
        epoch: Epoch,
    ) -> Self {
        Self {
            hub,
            room,
            channel,
            slot,
            epoch,
            sink: None,
            access_version,
            name: None,
            delivered: DeliveredEvents::default(),
        }
    }

    /// The epoch of all frames and cursors.
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// Passes the lifetime of the room, as read from the store, to a channel that does not know it.
    /// A channel that knows it has received all changes since, so what it knows is as new or newer.
    pub fn init_lifetime(&self, lifetime: Lifetime) {
        lock(&self.channel).lifetime.get_or_insert(lifetime);
    }

    /// A step that does not wait until the follower has delivered the history.
    pub fn next_urgent(&self) -> Option<Next> {
        let channel = lock(&self.channel);
        let draining = channel
            .end
            .filter(|end| *end == End::Draining)
            .map(Next::End);
        self.pending_recheck(&channel).or(draining)
    }

    fn pending_recheck(&self, channel: &Channel) -> Option<Next> {
        (channel.access_version != self.access_version)
            .then_some(Next::RecheckAccess(channel.access_version))
    }

    /// Stores that the access was checked after the change of this version.
    pub fn confirm_access(&mut self, access_version: u32) {
        self.access_version = access_version;
    }

    /// Lets the hub write new frames to `sink` while this subscriber waits, until the session ends.
    pub fn set_sink(&mut self, sink: Arc<dyn Sink>, session: SessionWatch) {
        self.sink = Some(Arc::new(LendableSink::new(sink, session)));
    }

    /// The next step of a follower that has delivered everything up to `seen`; waits while there is
    /// none. Frames that were written to the sink meanwhile count as delivered.
    pub async fn next(&mut self, seen: &mut u64) -> Next {
        let mut loan = SinkLoan {
            sink: self.sink.as_ref(),
            seen,
        };
        let next = poll_fn(|context| {
            let mut channel = lock(&self.channel);
            loan.end();
            let next = || channel.next(*loan.seen, self.delivered);
            if let Some(next) = self.pending_recheck(&channel).or_else(next) {
                return Poll::Ready(next);
            }
            if let Some(waiting) = channel.waiting.get_mut(self.slot) {
                *waiting = Some(loan.begin(context.waker()));
            }
            Poll::Pending
        })
        .await;
        drop(loan);
        match &next {
            Next::Closing(end) => self.delivered.warned_end = Some(*end),
            Next::Ephemeral(_, versions) => self.delivered.presence = *versions,
            Next::Announcement(_, version) => self.delivered.announcement = *version,
            _ => {}
        }
        next
    }
}

impl Drop for Subscriber {
    fn drop(&mut self) {
        self.hub.metrics.followers.dec();
        let mut rooms = lock(&self.hub.rooms);
        let mut channel = lock(&self.channel);
        channel.waiting.remove(self.slot);
        self.leave(&mut channel);
        if channel.is_idle() {
            Hub::forget_channel(&mut rooms, self.room, &self.channel);
        }
    }
}
