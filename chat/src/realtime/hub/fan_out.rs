//! The fan-out: writes new frames to the sinks of waiting followers without waking their tasks.
//!
//! A follower whose reader can be written to at any time has a [`Sink`], and lends it to the
//! channel while it waits. Each publication starts a round: one task, or in a large room one task
//! per core (a lane), writes the new frames to all lent sinks, one after the other. Frames that are
//! published during a round reach the sinks that come later in it, and the others in the next
//! round.
//!
//! # Guarantees
//! - A sink receives exactly the frames after the delivered ones, in order, and nothing once its
//!   follower runs again.
//!
//! # Not here
//! - Events other than messages, and followers that are far behind or whose sink is full: their
//!   tasks are woken.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::task::Waker;

use prometheus_client::metrics::counter::Counter;
use tokio::task::yield_now;

use super::ring::next_in_ring;
use super::{Channel, Next, lock};
use crate::identity::session_watch::SessionWatch;
use crate::realtime::frame::Frames;

/// How many sinks are written to before other tasks run, such as those that post. Small in tests,
/// so that a small room has several groups.
const GROUP_SIZE: usize = if cfg!(test) { 2 } else { 64 };

/// How many of the newest runs of a ring are written to sinks; a follower that is further behind is
/// woken.
const OFFERED_RUNS: usize = 2;

/// The destination of a reader's messages.
pub trait Sink: std::fmt::Debug + Send + Sync {
    /// Takes all of `frames`, or nothing, without waiting, and returns whether it took them. After
    /// `false` it is not called again until its follower has run.
    fn try_write(&self, frames: &Frames) -> bool;
}

/// How a waiting subscriber is reached.
#[derive(Debug)]
pub(super) enum Waiting {
    Task(Waker),
    Sink(Arc<LendableSink>),
}

impl Waiting {
    /// The waker of the follower's task, unless the task has been woken.
    pub fn into_waker(self) -> Option<Waker> {
        match self {
            Self::Task(waker) => Some(waker),
            Self::Sink(sink) => lock(&sink.loan).waker.take(),
        }
    }
}

/// A sink that its follower lends to the channel while it waits.
#[derive(Debug)]
pub(super) struct LendableSink {
    sink: Arc<dyn Sink>,
    session: SessionWatch,
    /// Locked after a channel.
    loan: Mutex<Loan>,
}

#[derive(Debug, Default)]
struct Loan {
    /// Wakes the follower's task; `Some` as long as the sink is lent.
    waker: Option<Waker>,
    /// The sequence number up to which everything is delivered.
    seen: u64,
}

impl LendableSink {
    pub fn new(sink: Arc<dyn Sink>, session: SessionWatch) -> Self {
        Self {
            sink,
            session,
            loan: Mutex::default(),
        }
    }

    /// Writes the new frames to the sink. Returns the waker of the follower's task if the follower
    /// has to continue.
    fn write_new_frames(&self, runs: &mut NewestRuns) -> Option<Waker> {
        let mut loan = lock(&self.loan);
        loan.waker.as_ref()?;
        if self.session.has_ended() {
            return loan.waker.take();
        }
        while let Some(next) = runs.next_after(loan.seen) {
            match next {
                Next::Deliver(frames) if self.sink.try_write(frames) => {
                    loan.seen = frames.last();
                    let count = frames.len() as u64;
                    runs.delivered += count;
                }
                _ => return loan.waker.take(),
            }
        }
        None
    }
}

/// Lends the sink of a subscriber, if it has one, and takes it back when this is dropped.
pub(super) struct SinkLoan<'a> {
    pub sink: Option<&'a Arc<LendableSink>>,
    /// The sequence number up to which the follower has delivered everything.
    pub seen: &'a mut u64,
}

impl SinkLoan<'_> {
    /// Lends the sink. Returns how the channel reaches the subscriber.
    pub fn begin(&self, task: &Waker) -> Waiting {
        let Some(sink) = self.sink else {
            return Waiting::Task(task.clone());
        };
        *lock(&sink.loan) = Loan {
            waker: Some(task.clone()),
            seen: *self.seen,
        };
        Waiting::Sink(sink.clone())
    }

    /// Takes the sink back: from now on only the follower writes to it.
    pub fn end(&mut self) {
        if let Some(sink) = self.sink {
            let mut loan = lock(&sink.loan);
            loan.waker = None;
            *self.seen = loan.seen.max(*self.seen);
        }
    }
}

impl Drop for SinkLoan<'_> {
    fn drop(&mut self) {
        self.end();
    }
}

/// The newest runs of a ring.
struct NewestRuns {
    ring: VecDeque<Frames>,
    /// How many entries the sinks have taken.
    delivered: u64,
    /// The latest result of [`NewestRuns::next_after`] with its argument, because most followers
    /// have delivered the same.
    cached: Option<(u64, Option<Next>)>,
}

impl NewestRuns {
    /// The next step of a follower that has delivered everything up to `seen`.
    fn next_after(&mut self, seen: u64) -> Option<&Next> {
        if self.ring.back().is_none_or(|newest| newest.last() <= seen) {
            return None;
        }
        if self
            .cached
            .as_ref()
            .is_none_or(|(cached, _)| *cached != seen)
        {
            self.cached = Some((seen, next_in_ring(&self.ring, seen)));
        }
        self.cached.as_ref()?.1.as_ref()
    }
}

/// A part of a room's sinks: every `count`th group of slots, beginning with group `first`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lane {
    first: usize,
    count: usize,
}

/// The state of a lane's task.
#[derive(Clone, Copy, Debug)]
pub(super) enum Round {
    /// Another round has to follow the one that may be running.
    Due,
    /// A round is running, and no other has to follow it.
    Last,
}

/// The sinks to write to before other tasks run, and the frames to write.
struct Group {
    runs: NewestRuns,
    sinks: Vec<Arc<LendableSink>>,
}

impl Channel {
    /// Makes a round due in each of `count` lanes that has sinks. Returns the lanes that have no
    /// running task.
    pub(super) fn begin_rounds(&mut self, count: usize) -> Vec<Lane> {
        let lanes = (0..count).map(|first| Lane { first, count });
        let mut lanes: Vec<Lane> = lanes.filter(|lane| self.has_sinks(*lane)).collect();
        lanes.retain(|lane| self.rounds.insert(lane.first, Round::Due).is_none());
        lanes
    }

    /// Whether this lane has a lent sink; in most lanes the first slot has one.
    fn has_sinks(&self, lane: Lane) -> bool {
        let groups = (lane.first..self.waiting.capacity().div_ceil(GROUP_SIZE)).step_by(lane.count);
        let mut slots = groups.flat_map(|group| (group * GROUP_SIZE..).take(GROUP_SIZE));
        slots.any(|slot| matches!(self.waiting.get(slot), Some(Some(Waiting::Sink(_)))))
    }

    /// Begins a round if one is due in this lane; otherwise the task of the lane ends.
    fn begin_round(&mut self, lane: Lane) -> bool {
        let is_due = matches!(self.rounds.remove(&lane.first), Some(Round::Due));
        if is_due {
            self.rounds.insert(lane.first, Round::Last);
        }
        is_due
    }

    /// The group with this number; `None` after the last one.
    fn find_group(&self, group: usize) -> Option<Group> {
        let slots = group * GROUP_SIZE..self.waiting.capacity().min((group + 1) * GROUP_SIZE);
        if slots.is_empty() {
            return None;
        }
        let find_sink = |slot| match self.waiting.get(slot)?.as_ref()? {
            Waiting::Sink(sink) => Some(sink.clone()),
            Waiting::Task(_) => None,
        };
        let ring = self
            .ring
            .iter()
            .skip(self.ring.len().saturating_sub(OFFERED_RUNS))
            .cloned()
            .collect();
        Some(Group {
            runs: NewestRuns {
                ring,
                delivered: 0,
                cached: None,
            },
            sinks: slots.filter_map(find_sink).collect(),
        })
    }
}

/// Ends the rounds of a lane whose task panics: the next message starts a new task, and the
/// followers that this round would have reached continue by themselves.
struct EndOnPanic<'a> {
    channel: &'a Mutex<Channel>,
    lane: Lane,
}

impl Drop for EndOnPanic<'_> {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            return;
        }
        let wakers = {
            let mut channel = lock(self.channel);
            channel.rounds.remove(&self.lane.first);
            channel.take_wakers(|_| true)
        };
        wakers.into_iter().for_each(Waker::wake);
    }
}

/// Runs the rounds of a lane until none is due.
pub(super) async fn run_lane(channel: Arc<Mutex<Channel>>, lane: Lane, deliveries: Counter) {
    let _end_on_panic = EndOnPanic {
        channel: &channel,
        lane,
    };
    let mut is_first = true;
    while lock(&channel).begin_round(lane) {
        for number in (lane.first..).step_by(lane.count) {
            if !std::mem::take(&mut is_first) {
                yield_now().await;
            }
            let Some(mut group) = lock(&channel).find_group(number) else {
                break;
            };
            group
                .sinks
                .iter()
                .filter_map(|sink| sink.write_new_frames(&mut group.runs))
                .for_each(Waker::wake);
            deliveries.inc_by(group.runs.delivered);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;

    use protocol::Epoch;

    use super::*;
    use crate::realtime::frame::tests::message;

    #[derive(Debug, Default)]
    struct CountingWaker(AtomicUsize);

    impl Wake for CountingWaker {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[derive(Debug)]
    struct FullSink;

    impl Sink for FullSink {
        fn try_write(&self, _: &Frames) -> bool {
            false
        }
    }

    fn channel_with_sinks(count: usize) -> Channel {
        let mut channel = Channel::default();
        for _ in 0..count {
            let sink = LendableSink::new(Arc::new(FullSink), SessionWatch::default());
            channel.waiting.insert(Some(Waiting::Sink(Arc::new(sink))));
        }
        channel
    }

    #[derive(Debug)]
    struct PanickingSink;

    impl Sink for PanickingSink {
        fn try_write(&self, _: &Frames) -> bool {
            panic!("a test asked for it")
        }
    }

    #[tokio::test]
    async fn lane_that_panics_wakes_its_followers_and_can_run_again() {
        let mut channel = Channel::default();
        let sink = Arc::new(LendableSink::new(
            Arc::new(PanickingSink),
            SessionWatch::default(),
        ));
        let woken = Arc::new(CountingWaker::default());
        let mut seen = 0;
        let loan = SinkLoan {
            sink: Some(&sink),
            seen: &mut seen,
        };
        let waiting = loan.begin(&woken.clone().into());
        channel.waiting.insert(Some(waiting));
        channel.push_frames(Frames::encode(Epoch::new(0), &[message(1)]).unwrap(), 1);
        let lanes = channel.begin_rounds(1);
        let channel = Arc::new(Mutex::new(channel));
        let ended = tokio::spawn(run_lane(channel.clone(), lanes[0], Counter::default())).await;
        assert!(ended.is_err_and(|error| error.is_panic()));
        assert_eq!(woken.0.load(Ordering::Relaxed), 1, "the follower is woken");
        assert!(lock(&channel).rounds.is_empty(), "a next task can begin");
    }

    #[test]
    fn message_during_a_round_gets_another_round() {
        let mut channel = channel_with_sinks(1);
        for _ in 0..2 {
            let lanes = channel.begin_rounds(1);
            assert_eq!(lanes.len(), 1);
            assert!(channel.begin_round(lanes[0]));
            for _ in 0..3 {
                assert!(channel.begin_rounds(1).is_empty(), "one task at a time");
            }
            assert!(channel.begin_round(lanes[0]));
            assert!(!channel.begin_round(lanes[0]));
        }
    }

    #[test]
    fn lanes_of_a_room_contain_each_sink_once() {
        for (sinks, count) in [(1, 1), (1, 4), (5, 1), (7, 2), (40, 3), (41, 16)] {
            let mut channel = channel_with_sinks(sinks);
            let lanes = channel.begin_rounds(count);
            assert_eq!(lanes.len(), count.min(sinks.div_ceil(GROUP_SIZE)));
            let groups = |lane: &Lane| {
                (lane.first..)
                    .step_by(lane.count)
                    .map_while(|group| channel.find_group(group))
            };
            let mut found: Vec<_> = lanes
                .iter()
                .flat_map(groups)
                .flat_map(|group| group.sinks)
                .collect();
            assert_eq!(found.len(), sinks, "in {count} lanes");
            found.sort_by_key(Arc::as_ptr);
            found.dedup_by_key(|sink| Arc::as_ptr(sink));
            assert_eq!(found.len(), sinks, "in {count} lanes");
        }
    }
}
