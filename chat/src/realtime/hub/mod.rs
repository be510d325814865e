//! The hub: passes new messages, presence and warnings to the followers of each room.
//!
//! Each followed room has one channel: a bounded ring of recent frames, each encoded once, and the
//! list of waiting subscribers. A subscriber waits with its task, which the hub wakes, or with a
//! sink, which the hub writes to (`fan_out`).
//!
//! # Guarantees
//! - A subscriber has no queue, only the cursor that its follower passes in. A reader that does not
//!   read costs nothing.
//! - No lock is held across an await. The lock of a channel is held for at most one pass over the
//!   waiting subscribers, and the lock of a sink for one write. The lock of the map of rooms is
//!   taken before that of a channel.
//!
//! # Not here
//! - Messages that have left the ring: a follower reads them from the store.

mod announcements;
mod epochs;
mod fan_out;
#[cfg(test)]
mod name_tests;
mod presence_task;
mod remote;
mod ring;
mod shared_presence;
mod subscriber;
#[cfg(test)]
mod tests;
mod warnings;

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::task::Waker;

use protocol::{Epoch, RoomEnd, RoomId, Time};
use slab::Slab;
use tokio::runtime::Handle;

use self::announcements::{ChannelAnnouncements, RecentAnnouncements};
pub use self::fan_out::Sink;
use self::fan_out::{Round, Waiting};
use self::ring::next_in_ring;
pub(crate) use self::shared_presence::NotedRooms;
use self::shared_presence::SharedPresence;
pub(crate) use self::subscriber::Subscriber;
use crate::current_epoch::CurrentEpoch;
use crate::lifetime::Lifetime;
use crate::realtime::frame::{Ephemeral, Frames};
use crate::realtime::presence::{DeliveredVersions, Presence};
use crate::realtime::topics::{Topic, TopicRegistry};
use crate::sync::lock;
use crate::{Clock, Metrics};

/// The handle to the channels of all rooms. It is cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Hub {
    rooms: Arc<Mutex<Rooms>>,
    /// The most bytes of frames in one ring; the newest run always stays.
    ring_bytes: usize,
    /// How many tasks write to the sinks of a large room.
    lanes: usize,
    clock: Clock,
    epoch: CurrentEpoch,
    pending_rooms: Arc<presence_task::PendingRooms>,
    /// What passes presence to other nodes, if there can be any.
    shared_presence: Option<SharedPresence>,
    topics: TopicRegistry,
    pub(super) metrics: Metrics,
    /// Locked for one change or one look, inside of the lock of the map of rooms.
    announcements: Arc<Mutex<RecentAnnouncements>>,
}

#[derive(Debug, Default)]
struct Rooms {
    channels: HashMap<RoomId, Arc<Mutex<Channel>>>,
    draining: bool,
}

/// The state that all followers of a room share.
#[derive(Debug, Default)]
struct Channel {
    /// The epoch of the frames. Every channel of the map has one.
    epoch: Option<Epoch>,
    ring: VecDeque<Frames>,
    ring_bytes: usize,
    /// The newest sequence number that the store is known to have.
    advanced_to: u64,
    /// The lifetime of the room: as the first follower read it, or as it was changed since.
    lifetime: Option<Lifetime>,
    /// The end of the room that followers have been warned of.
    warned_end: Option<Time>,
    end: Option<End>,
    /// Counts the changes of who may follow the room.
    access_version: u32,
    waiting: Slab<Option<Waiting>>,
    /// The rounds of the tasks that write to sinks, by lane.
    rounds: HashMap<usize, Round>,
    presence: Presence,
    announcements: ChannelAnnouncements,
}

/// Why a stream ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The room has been deleted.
    Closed(RoomEnd),
    /// The server is about to stop.
    Draining,
}

/// What a follower has to do next.
#[derive(Clone, Debug)]
pub(crate) enum Next {
    /// Deliver these frames, which directly follow the delivered ones.
    Deliver(Frames),
    /// Read the store, because frames that were not delivered have left the ring.
    ReadStore,
    /// Warn the reader: the room ends at this time unless a message is posted.
    Closing(Time),
    /// End the stream.
    End(End),
    /// Check the access of the reader again, and then call [`Subscriber::confirm_access`] with this
    /// version.
    RecheckAccess(u32),
    /// Deliver this event; afterwards these versions are delivered.
    Ephemeral(Ephemeral, DeliveredVersions),
    /// Deliver this announcement; afterwards the announcements up to this version are delivered.
    Announcement(Ephemeral, u64),
}

/// What a follower has delivered beside the entries of the log.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct DeliveredEvents {
    /// The end of the room that the reader was warned of.
    warned_end: Option<Time>,
    presence: DeliveredVersions,
    /// The version of the last announcement.
    announcement: u64,
}

/// The tasks to start after frames were added to a channel.
struct Wakeups {
    wakers: Vec<Waker>,
    lanes: Vec<fan_out::Lane>,
}

impl Hub {
    /// A hub whose rings hold at most `ring_bytes` each.
    pub fn new(ring_bytes: usize, clock: Clock, metrics: Metrics, epoch: CurrentEpoch) -> Self {
        let lanes = Handle::current().metrics().num_workers();
        Self {
            rooms: Arc::default(),
            ring_bytes,
            lanes,
            clock,
            epoch,
            pending_rooms: Arc::default(),
            shared_presence: None,
            topics: TopicRegistry::default(),
            metrics,
            announcements: Arc::default(),
        }
    }

    /// Subscribes to a room.
    pub fn subscribe(&self, room: RoomId) -> Subscriber {
        let mut rooms = lock(&self.rooms);
        let draining = rooms.draining;
        let open_channel = || {
            self.note_wanted_names(room);
            let announcements = lock(&self.announcements).of_room(room, self.clock.now());
            Arc::new(Mutex::new(Channel {
                epoch: Some(self.epoch.get()),
                announcements,
                ..Channel::default()
            }))
        };
        let channel = rooms
            .channels
            .entry(room)
            .or_insert_with(open_channel)
            .clone();
        let mut locked = lock(&channel);
        if draining {
            locked.end.get_or_insert(End::Draining);
        }
        locked.announcements.forget_old(self.clock.now());
        let slot = locked.waiting.insert(None);
        let access_version = locked.access_version;
        let epoch = locked.epoch.unwrap_or_else(|| self.epoch.get());
        drop(locked);
        self.metrics.followers.inc();
        Subscriber::new(self.clone(), room, channel, slot, access_version, epoch)
    }

    /// The registry of watchers that learn that a room or a person has changed, but not how.
    pub fn topics(&self) -> &TopicRegistry {
        &self.topics
    }

    /// Notifies the watchers of a room that it has changed.
    pub fn notify_room(&self, room: RoomId) {
        self.topics.notify(Topic::Room(room));
    }

    /// Notifies the watchers of a person that their memberships or read markers have changed.
    pub fn notify_person(&self, person: i64) {
        self.topics.notify(Topic::Person(person));
    }

    /// Whether the room has a channel: it has followers, or its presence has yet to be updated.
    pub fn is_followed(&self, room: RoomId) -> bool {
        lock(&self.rooms).channels.contains_key(&room)
    }

    /// Passes committed frames to the followers of a room, with the authors of the messages and the
    /// lifetime of the room after them.
    pub fn publish<'a>(
        &self,
        room: RoomId,
        frames: Frames,
        authors: impl Iterator<Item = &'a str>,
        lifetime: Lifetime,
    ) {
        self.publish_if(|_| true, room, frames, authors, lifetime);
    }

    fn publish_if<'a>(
        &self,
        condition: impl FnOnce(&Channel) -> bool,
        room: RoomId,
        frames: Frames,
        authors: impl Iterator<Item = &'a str>,
        lifetime: Lifetime,
    ) {
        let Some(channel) = self.find_channel(room) else {
            return;
        };
        let Wakeups { wakers, lanes } = {
            let mut channel = lock(&channel);
            if channel.epoch != Some(frames.epoch()) || !condition(&channel) {
                return;
            }
            channel.presence.clear_typing(authors);
            channel.push_frames(frames, self.ring_bytes);
            channel.lifetime = Some(lifetime);
            Wakeups {
                wakers: channel.take_wakers(|waiting| matches!(waiting, Waiting::Task(_))),
                lanes: channel.begin_rounds(self.lanes),
            }
        };
        wakers.into_iter().for_each(Waker::wake);
        for lane in lanes {
            tokio::spawn(fan_out::run_lane(
                channel.clone(),
                lane,
                self.metrics.deliveries.clone(),
            ));
        }
    }

    /// Makes the followers of a room read the store up to this sequence number, unless they receive
    /// its frames, and notifies the watchers of the room.
    pub fn advance_log(&self, room: RoomId, seq: u64) {
        self.update_channel_if(room, |channel| {
            let is_ahead = channel.head() < seq;
            channel.advanced_to = channel.advanced_to.max(seq);
            is_ahead
        });
        self.notify_room(room);
    }

    /// Ends the streams of a room that has been deleted.
    pub fn close(&self, room: RoomId, end: RoomEnd) {
        self.update_channel(room, |channel| channel.end = Some(End::Closed(end)));
        self.notify_room(room);
    }

    /// Stores the changed lifetime of a room, which its next warning depends on.
    pub fn set_lifetime(&self, room: RoomId, lifetime: Lifetime) {
        let Some(channel) = self.find_channel(room) else {
            return;
        };
        lock(&channel).lifetime = Some(lifetime);
    }

    /// Makes all followers of a room check again whether they may follow it.
    pub fn recheck_access(&self, room: RoomId) {
        self.update_channel(room, |channel| channel.access_version += 1);
        self.notify_room(room);
    }

    /// Ends all streams, also those that start later, so that the clients reconnect elsewhere.
    pub fn drain(&self) {
        self.topics.drain();
        let followed: Vec<RoomId> = {
            let mut rooms = lock(&self.rooms);
            rooms.draining = true;
            rooms.channels.keys().copied().collect()
        };
        for room in followed {
            self.update_channel(room, |channel| {
                channel.end = channel.end.or(Some(End::Draining))
            });
        }
    }

    fn find_channel(&self, room: RoomId) -> Option<Arc<Mutex<Channel>>> {
        lock(&self.rooms).channels.get(&room).cloned()
    }

    /// Changes the channel of a room, if there is one, and wakes all waiting followers after the
    /// locks are released.
    fn update_channel(&self, room: RoomId, change: impl FnOnce(&mut Channel)) {
        self.update_channel_if(room, |channel| {
            change(channel);
            true
        });
    }

    /// Does the same as [`Hub::update_channel`], but wakes the followers only if `change` returns
    /// `true`.
    fn update_channel_if(&self, room: RoomId, change: impl FnOnce(&mut Channel) -> bool) {
        let Some(channel) = self.find_channel(room) else {
            return;
        };
        let wakers: Vec<Waker> = {
            let mut channel = lock(&channel);
            if !change(&mut channel) {
                return;
            }
            channel.take_wakers(|_| true)
        };
        wakers.into_iter().for_each(Waker::wake);
    }
}

impl Channel {
    /// The newest sequence number that the followers were woken for.
    fn head(&self) -> u64 {
        let newest = self.ring.back().map_or(0, Frames::last);
        newest.max(self.advanced_to)
    }

    /// Removes the selected waiting subscribers, and returns the wakers of their tasks.
    fn take_wakers(&mut self, is_selected: impl Fn(&Waiting) -> bool) -> Vec<Waker> {
        self.waiting
            .iter_mut()
            .filter_map(|(_, waiting)| waiting.take_if(|waiting| is_selected(waiting)))
            .filter_map(Waiting::into_waker)
            .collect()
    }

    /// The next step of a follower that has delivered everything up to `seen`, and these other
    /// events.
    fn next(&self, seen: u64, delivered: DeliveredEvents) -> Option<Next> {
        if let Some(next) = next_in_ring(&self.ring, seen) {
            return Some(next);
        }
        if self.advanced_to > seen {
            return Some(Next::ReadStore);
        }
        if let Some(end) = self.end {
            return Some(Next::End(end));
        }
        let current_end = self.lifetime.map(|lifetime| lifetime.end);
        let closing = self
            .warned_end
            .filter(|end| Some(*end) == current_end && Some(*end) != delivered.warned_end)
            .map(Next::Closing);
        let announcement = || self.announcements.next_after(delivered.announcement);
        let presence = || {
            self.presence
                .next_event(delivered.presence)
                .map(|(event, versions)| Next::Ephemeral(event, versions))
        };
        closing.or_else(announcement).or_else(presence)
    }
}
