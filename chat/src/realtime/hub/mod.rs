//! The hub: tells the followers of a room that something happened.
//!
//! Per room with followers there is one channel: a bounded ring of recent frames, each encoded once, and those who wait, by
//! their tasks to be woken or by where to write to instead (`fan_out`). A subscriber has no queue of its own, only the cursor
//! that it brings along, so one that does not read costs nothing. The hub may forget: whoever is behind the ring reads the
//! store. A channel also knows who is here and who types, and stays until the last of them is told as gone.
//!
//! Locks are never held across an await. A channel's is held for a look at all who wait, at the longest, and the lock of
//! one of them for one write; the map's is taken before a channel's.

mod fan_out;
mod presence_task;

use std::collections::{HashMap, VecDeque};
use std::future::poll_fn;
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};

use protocol::{RoomId, Time};
use slab::Slab;
use tokio::runtime::Handle;

pub use self::fan_out::Sink;
use self::fan_out::{Lent, Line, Round, Waiting};
use crate::Clock;
use crate::identity::session_watch::SessionWatch;
use crate::realtime::frame::{Ephemeral, Frames};
use crate::realtime::presence::{Heard, Presence};
use crate::realtime::topics::{Topic, TopicRegistry};
use crate::room::Lifetime;
use crate::sync::lock;

/// How large the newest piece of a ring grows by what follows it, in bytes; what one commit brings is one piece, however large.
/// Who does not read may hold one.
const PIECE: usize = 16 * 1024;

#[derive(Clone, Debug)]
pub(crate) struct Hub {
    rooms: Arc<Mutex<Rooms>>,
    /// What each ring holds at most, in bytes of frames; the newest run of frames always stays.
    ring_bytes: usize,
    /// How many tasks share a large room.
    lanes: usize,
    clock: Clock,
    unsettled: Arc<presence_task::UnsettledRooms>,
    bells: TopicRegistry,
}

#[derive(Debug, Default)]
struct Rooms {
    channels: HashMap<RoomId, Arc<Mutex<Channel>>>,
    draining: bool,
}

#[derive(Debug, Default)]
struct Channel {
    ring: VecDeque<Frames>,
    ring_bytes: usize,
    /// How long the room lives, as the first follower has read it, and as it was changed since.
    lifetime: Option<Lifetime>,
    /// The end that followers have been warned of.
    warned: Option<Time>,
    end: Option<End>,
    /// How often it has changed who may listen.
    looks: u32,
    waiting: Slab<Option<Waiting>>,
    /// What the tasks are at that give to those who wait, by their lanes.
    rounds: HashMap<usize, Round>,
    presence: Presence,
}

/// Why a stream ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Closed,
    Draining,
}

/// What a subscriber is to do next.
#[derive(Clone, Debug)]
pub(crate) enum Next {
    /// Take these; they follow right after what was seen.
    Take(Frames),
    /// Read the store; messages have left the ring unseen.
    Behind,
    /// The room ends at this time, unless somebody writes.
    Closing(Time),
    /// Nothing more will come.
    End(End),
    /// Ask again whether you may listen, and then say so by [`Subscriber::looked`] with this.
    RecheckAccess(u32),
    /// Tell this, and then this has been heard.
    Ephemeral(Ephemeral, Heard),
}

impl Hub {
    /// A hub whose rings hold at most `ring_bytes` each.
    pub fn new(ring_bytes: usize, clock: Clock) -> Self {
        let lanes = Handle::current().metrics().num_workers();
        Self {
            rooms: Arc::default(),
            ring_bytes,
            lanes,
            clock,
            unsettled: Arc::default(),
            bells: TopicRegistry::default(),
        }
    }

    /// Begins to listen to a room.
    pub fn subscribe(&self, room: RoomId) -> Subscriber {
        let mut rooms = lock(&self.rooms);
        let draining = rooms.draining;
        let channel = rooms.channels.entry(room).or_default().clone();
        let (slot, looks) = {
            let mut channel = lock(&channel);
            if draining {
                channel.end.get_or_insert(End::Draining);
            }
            (channel.waiting.insert(None), channel.looks)
        };
        Subscriber {
            hub: self.clone(),
            room,
            channel: channel.clone(),
            slot,
            line: None,
            looks,
            warned: None,
            name: None,
            heard: Heard::default(),
        }
    }

    /// Those who are told that something happened, but not what.
    pub fn bells(&self) -> &TopicRegistry {
        &self.bells
    }

    /// Says that something happened in a room, to those who do not listen to it.
    pub fn notify_room(&self, room: RoomId) {
        self.bells.ring(Topic::Room(room));
    }

    /// Says that somebody belongs to more or fewer rooms, or has read something.
    pub fn notify_person(&self, person: i64) {
        self.bells.ring(Topic::Person(person));
    }

    /// Whether anybody listens to the room.
    pub fn is_followed(&self, room: RoomId) -> bool {
        lock(&self.rooms).channels.contains_key(&room)
    }

    /// Hands over frames that are committed, who wrote them, and how long the room lives now.
    pub fn publish<'a>(
        &self,
        room: RoomId,
        frames: Frames,
        authors: impl Iterator<Item = &'a str>,
        lifetime: Lifetime,
    ) {
        let Some(channel) = self.channel(room) else {
            return;
        };
        let (wakers, lanes) = {
            let mut channel = lock(&channel);
            channel.presence.wrote(authors);
            channel.push(frames, self.ring_bytes);
            channel.lifetime = Some(lifetime);
            (
                channel.wake(|waiting| matches!(waiting, Waiting::Task(_))),
                channel.begin_rounds(self.lanes),
            )
        };
        wakers.into_iter().for_each(Waker::wake);
        for lane in lanes {
            tokio::spawn(fan_out::give(channel.clone(), lane));
        }
    }

    /// Says that a room has been deleted.
    pub fn close(&self, room: RoomId) {
        self.change(room, |channel| channel.end = Some(End::Closed));
        self.notify_room(room);
    }

    /// Says that a room lives for another time than what was said last.
    pub fn set_lifetime(&self, room: RoomId, lifetime: Lifetime) {
        let Some(channel) = self.channel(room) else {
            return;
        };
        lock(&channel).lifetime = Some(lifetime);
    }

    /// Lets everybody who listens to a room ask again whether they may.
    pub fn recheck_access(&self, room: RoomId) {
        self.change(room, |channel| channel.looks += 1);
        self.notify_room(room);
    }

    /// Ends every stream, now and from now on, so that clients reconnect elsewhere.
    pub fn drain(&self) {
        self.bells.drain();
        let followed: Vec<RoomId> = {
            let mut rooms = lock(&self.rooms);
            rooms.draining = true;
            rooms.channels.keys().copied().collect()
        };
        for room in followed {
            self.change(room, |channel| {
                channel.end = channel.end.or(Some(End::Draining))
            });
        }
    }

    /// Warns the followers of every room whose time to be warned has come; returns when the next one has.
    pub fn warn(&self, now: Time) -> Option<Time> {
        let channels: Vec<(RoomId, Time)> = {
            let rooms = lock(&self.rooms);
            let due = |(id, channel): (&RoomId, &Arc<Mutex<Channel>>)| {
                Some((*id, lock(channel).unwarned()?))
            };
            rooms.channels.iter().filter_map(due).collect()
        };
        let (due, later): (Vec<_>, Vec<_>) = channels.into_iter().partition(|(_, at)| *at <= now);
        for (room, _) in due {
            self.change(room, |channel| {
                // Somebody may have written meanwhile.
                if channel.unwarned().is_some_and(|at| at <= now) {
                    channel.warned = channel.lifetime.map(|lifetime| lifetime.end);
                }
            });
        }
        later.into_iter().map(|(_, at)| at).min()
    }

    /// The channel of a room that somebody listens to, or has just left.
    fn channel(&self, room: RoomId) -> Option<Arc<Mutex<Channel>>> {
        lock(&self.rooms).channels.get(&room).cloned()
    }

    /// Changes a room's channel, if it has one, and wakes all who wait on it, outside the locks.
    fn change(&self, room: RoomId, change: impl FnOnce(&mut Channel)) {
        let Some(channel) = self.channel(room) else {
            return;
        };
        let wakers: Vec<Waker> = {
            let mut channel = lock(&channel);
            change(&mut channel);
            channel.wake(|_| true)
        };
        wakers.into_iter().for_each(Waker::wake);
    }
}

impl Channel {
    /// Adds what was said to the ring, and lets go of what is too old for it. What is new lies in one piece, so that
    /// whoever missed several commits takes them all in one write.
    fn push(&mut self, frames: Frames, ring_bytes: usize) {
        self.ring_bytes += frames.bytes().len();
        let most = PIECE.min(ring_bytes);
        let fits = |newest: &mut Frames| {
            newest.last() + 1 == frames.first()
                && newest.bytes().len() + frames.bytes().len() <= most
        };
        let newest = self.ring.pop_back_if(fits);
        self.ring
            .push_back(newest.map_or_else(|| frames.clone(), |newest| newest.join(&frames)));
        while self.ring_bytes > ring_bytes && self.ring.len() > 1 {
            self.ring_bytes -= self
                .ring
                .pop_front()
                .map_or(0, |oldest| oldest.bytes().len());
        }
    }

    /// The tasks of those who wait and are to be woken.
    fn wake(&mut self, whom: impl Fn(&Waiting) -> bool) -> Vec<Waker> {
        let waiting = self
            .waiting
            .iter_mut()
            .filter_map(|(_, waiting)| waiting.take_if(|waiting| whom(waiting)));
        waiting.filter_map(Waiting::wake).collect()
    }

    /// When its followers are to be warned of its end, unless they have been.
    fn unwarned(&self) -> Option<Time> {
        self.lifetime
            .filter(|lifetime| self.warned != Some(lifetime.end))
            .map(Lifetime::closing_at)
    }

    fn next(&self, seen: u64, warned: Option<Time>, heard: Heard) -> Option<Next> {
        if let Some(next) = following(&self.ring, seen) {
            return Some(next);
        }
        if let Some(end) = self.end {
            return Some(Next::End(end));
        }
        let current = self.lifetime.map(|lifetime| lifetime.end);
        let closing = self
            .warned
            .filter(|end| Some(*end) == current && Some(*end) != warned)
            .map(Next::Closing);
        closing.or_else(|| {
            self.presence
                .news(heard)
                .map(|(event, heard)| Next::Ephemeral(event, heard))
        })
    }
}

/// What comes for somebody who has seen everything up to `seen`, if this is the end of a room's log.
fn following(ring: &VecDeque<Frames>, seen: u64) -> Option<Next> {
    if ring.front().is_some_and(|oldest| oldest.first() > seen + 1) {
        return Some(Next::Behind);
    }
    let unseen = ring.partition_point(|frames| frames.last() <= seen);
    let frames = ring.get(unseen)?.after(seen)?;
    Some(if frames.first() == seen + 1 {
        Next::Take(frames)
    } else {
        Next::Behind
    })
}

/// One listener. Dropping it ends the listening; the last one takes the room's channel along.
#[derive(Debug)]
pub(crate) struct Subscriber {
    hub: Hub,
    room: RoomId,
    channel: Arc<Mutex<Channel>>,
    slot: usize,
    /// Where what is new is written to while this listener waits.
    line: Option<Arc<Line>>,
    looks: u32,
    /// The end that this listener has been warned of.
    warned: Option<Time>,
    /// The name that is here as long as this listener is.
    name: Option<Arc<str>>,
    heard: Heard,
}

impl Subscriber {
    /// Tells the hub how long the room lives, as the store says. Since there is a channel all changes are told, so what it
    /// knows is as new as what was read, or newer.
    pub fn learn(&self, lifetime: Lifetime) {
        lock(&self.channel).lifetime.get_or_insert(lifetime);
    }

    /// What does not wait until a listener has caught up.
    pub fn urgent(&self) -> Option<Next> {
        let channel = lock(&self.channel);
        let draining = channel
            .end
            .filter(|end| *end == End::Draining)
            .map(Next::End);
        self.doubts(&channel).or(draining)
    }

    /// Whether this listener has to ask again whether it may.
    fn doubts(&self, channel: &Channel) -> Option<Next> {
        (channel.looks != self.looks).then_some(Next::RecheckAccess(channel.looks))
    }

    /// This listener has asked again whether it may.
    pub fn looked(&mut self, looks: u32) {
        self.looks = looks;
    }

    /// From now on, while this listener waits, `sink` is given what is new, as long as it is somebody who is signed in.
    pub fn through(&mut self, sink: Arc<dyn Sink>, signed_in: SessionWatch) {
        self.line = Some(Arc::new(Line::new(sink, signed_in)));
    }

    /// What to do next for somebody who has seen everything up to `seen`; waits while there is nothing. What was given to the
    /// sink meanwhile counts as seen.
    pub async fn next(&mut self, seen: &mut u64) -> Next {
        let mut lent = Lent {
            line: self.line.as_ref(),
            seen,
        };
        let next = poll_fn(|context| {
            let mut channel = lock(&self.channel);
            lent.take_back();
            let next = || channel.next(*lent.seen, self.warned, self.heard);
            if let Some(next) = self.doubts(&channel).or_else(next) {
                return Poll::Ready(next);
            }
            if let Some(waiting) = channel.waiting.get_mut(self.slot) {
                *waiting = Some(lent.wait(context.waker()));
            }
            Poll::Pending
        })
        .await;
        drop(lent);
        match &next {
            Next::Closing(end) => self.warned = Some(*end),
            Next::Ephemeral(_, heard) => self.heard = *heard,
            _ => {}
        }
        next
    }
}

impl Drop for Subscriber {
    fn drop(&mut self) {
        let mut rooms = lock(&self.hub.rooms);
        let mut channel = lock(&self.channel);
        channel.waiting.remove(self.slot);
        self.leave(&mut channel);
        if channel.is_idle() {
            rooms.channels.remove(&self.room);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use protocol::Epoch;

    use super::*;
    use crate::realtime::frame::tests::message;

    /// What somebody who has seen nothing is to do, after so many messages of a commit each.
    fn after(messages: u64, ring_bytes: usize) -> Option<Next> {
        let mut channel = Channel::default();
        for id in 1..=messages {
            channel.push(
                Frames::encode(Epoch::new(0), &[message(id)]).unwrap(),
                ring_bytes,
            );
            let held: usize = channel.ring.iter().map(|frames| frames.bytes().len()).sum();
            assert_eq!(held, channel.ring_bytes);
        }
        channel.next(0, None, Heard::default())
    }

    #[test]
    fn several_commits_are_taken_at_once() {
        let Some(Next::Take(frames)) = after(20, 256 * 1024) else {
            panic!("nothing to take")
        };
        assert_eq!((frames.first(), frames.last()), (1, 20));
    }

    #[tokio::test]
    async fn all_are_warned_whoever_comes_before_the_warning() {
        let (clock, hour) = (Clock::default(), Duration::from_secs(3_600));
        let hub = Hub::new(0, clock.clone());
        let room = RoomId::from_bytes([1; 8]);
        let end = clock.now().after(hour);
        let listen = || {
            let listener = hub.subscribe(room);
            listener.learn(Lifetime { end, timeout: hour });
            listener
        };
        let mut first = listen();
        let waits = tokio::spawn(async move { first.next(&mut 0).await });
        tokio::task::yield_now().await;
        clock.advance(hour - Duration::from_secs(1));
        let mut second = listen();
        hub.warn(clock.now());
        let first = tokio::time::timeout(Duration::from_secs(10), waits)
            .await
            .expect("it is not woken")
            .unwrap();
        for warned in [first, second.next(&mut 0).await] {
            assert!(matches!(warned, Next::Closing(at) if at == end));
        }
    }

    #[tokio::test]
    async fn whoever_has_read_of_an_earlier_end_changes_nothing() {
        let (clock, hour) = (Clock::default(), Duration::from_secs(3_600));
        let hub = Hub::new(0, clock.clone());
        let room = RoomId::from_bytes([1; 8]);
        let [read, since] = [clock.now().after(hour), clock.now().after(2 * hour)]
            .map(|end| Lifetime { end, timeout: hour });
        for (first, second) in [(read, since), (since, read)] {
            let listener = hub.subscribe(room);
            let frames = Frames::encode(Epoch::new(0), &[message(1)]).unwrap();
            hub.publish(room, frames, std::iter::empty(), second);
            listener.learn(first);
            assert_eq!(hub.warn(clock.now()), Some(second.closing_at()));
        }
    }

    #[test]
    fn a_small_ring_forgets() {
        for ring_bytes in [0, 300, 1_000] {
            assert!(
                matches!(after(40, ring_bytes), Some(Next::Behind)),
                "{ring_bytes}"
            );
        }
    }
}
