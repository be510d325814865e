//! The fan-out: what is new is written to those who wait for it, without waking their tasks.
//!
//! A follower whose reader can be written to at any time has a [`Sink`], and lends it to the channel while it waits. Whoever
//! publishes starts a round: one task (a lane for each core, in a large room) gives all of them what is new, one after the
//! other, and for each there is nothing left to do but the write. What is published meanwhile goes to those who have yet to
//! have their turn, and to the others in a round that follows.
//!
//! Promises: a sink is given what follows right after what its follower has seen, and nothing once that goes on by itself.
//! Leaves to others: whatever is no message, and who is far behind, or does not read: those are woken.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::task::Waker;

use tokio::task::yield_now;

use super::{Channel, Next, following, lock};
use crate::identity::session_watch::SessionWatch;
use crate::realtime::frame::Frames;

/// How many sinks are given to before others have their turn: those who post among them. Tests have several groups in a
/// small room.
const GROUP: usize = if cfg!(test) { 2 } else { 64 };

/// How many of the ring's newest pieces are given; whoever is behind them reads on by itself.
const PIECES: usize = 2;

/// Where a reader's messages go.
pub trait Sink: std::fmt::Debug + Send + Sync {
    /// Takes all of `frames` or nothing of them, and waits for nothing; tells whether it has taken them. One that has not is
    /// given nothing more until its follower goes on.
    fn take(&self, frames: &Frames) -> bool;
}

/// Who waits on a channel.
#[derive(Debug)]
pub(super) enum Waiting {
    Task(Waker),
    Line(Arc<Line>),
}

impl Waiting {
    /// The task to be woken, unless it is awake.
    pub fn wake(self) -> Option<Waker> {
        match self {
            Self::Task(waker) => Some(waker),
            Self::Line(line) => lock(&line.state).lender.take(),
        }
    }
}

/// A sink that is lent now and then.
#[derive(Debug)]
pub(super) struct Line {
    sink: Arc<dyn Sink>,
    signed_in: SessionWatch,
    /// Locked after a channel.
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The follower's task, as long as it lends the sink.
    lender: Option<Waker>,
    /// What the follower has seen.
    seen: u64,
}

impl Line {
    pub fn new(sink: Arc<dyn Sink>, signed_in: SessionWatch) -> Self {
        Self {
            sink,
            signed_in,
            state: Mutex::default(),
        }
    }

    /// Lends the sink for a follower that has seen so much.
    fn lend(&self, lender: &Waker, seen: u64) {
        *lock(&self.state) = State {
            lender: Some(lender.clone()),
            seen,
        };
    }

    /// Gives the sink what is new. Gives back the task that is to go on, if that cannot be done here.
    fn give(&self, newest: &mut Newest) -> Option<Waker> {
        let mut state = lock(&self.state);
        state.lender.as_ref()?;
        if self.signed_in.has_ended() {
            return state.lender.take();
        }
        while let Some(next) = newest.after(state.seen) {
            match next {
                Next::Take(frames) if self.sink.take(frames) => state.seen = frames.last(),
                _ => return state.lender.take(),
            }
        }
        None
    }
}

/// A line that is lent for a while, and taken back when this is dropped.
pub(super) struct Lent<'a> {
    pub line: Option<&'a Arc<Line>>,
    /// What its follower has seen.
    pub seen: &'a mut u64,
}

impl Lent<'_> {
    /// Lets whoever waits be found: by its line, if it has one, or else by its task.
    pub fn wait(&self, task: &Waker) -> Waiting {
        match self.line {
            None => Waiting::Task(task.clone()),
            Some(line) => {
                line.lend(task, *self.seen);
                Waiting::Line(line.clone())
            }
        }
    }

    /// From now on nobody else gives to the sink.
    pub fn take_back(&mut self) {
        if let Some(line) = self.line {
            let mut state = lock(&line.state);
            state.lender = None;
            *self.seen = state.seen.max(*self.seen);
        }
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        self.take_back();
    }
}

/// The newest pieces of a ring.
struct Newest {
    ring: VecDeque<Frames>,
    /// What was given last, and to whom has seen how much: most have seen the same.
    last: Option<(u64, Option<Next>)>,
}

impl Newest {
    /// What comes for somebody who has seen everything up to `seen`.
    fn after(&mut self, seen: u64) -> Option<&Next> {
        if self.ring.back().is_none_or(|newest| newest.last() <= seen) {
            return None;
        }
        if self.last.as_ref().is_none_or(|(last, _)| *last != seen) {
            self.last = Some((seen, following(&self.ring, seen)));
        }
        self.last.as_ref()?.1.as_ref()
    }
}

/// A part of a room's lines: every `of`th group, beginning with the `first`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lane {
    first: usize,
    of: usize,
}

/// What a lane's task is at.
#[derive(Clone, Copy, Debug)]
pub(super) enum Round {
    /// It is to begin a round, after the one that it may be in.
    Due,
    /// It is in its last one, as far as is known.
    Last,
}

impl Channel {
    /// The lanes that need a task, because there is something new for them; others have one, which is told.
    pub(super) fn begin_rounds(&mut self, of: usize) -> Vec<Lane> {
        let lanes = (0..of).map(|first| Lane { first, of });
        let mut lanes: Vec<Lane> = lanes.filter(|lane| self.has_lines(*lane)).collect();
        lanes.retain(|lane| self.rounds.insert(lane.first, Round::Due).is_none());
        lanes
    }

    /// Whether anybody waits by a line in this lane; most have the first one.
    fn has_lines(&self, Lane { first, of }: Lane) -> bool {
        let groups = (first..self.waiting.capacity().div_ceil(GROUP)).step_by(of);
        let mut slots = groups.flat_map(|group| (group * GROUP..).take(GROUP));
        slots.any(|slot| matches!(self.waiting.get(slot), Some(Some(Waiting::Line(_)))))
    }

    /// Whether there is one more round in this lane.
    fn begin_round(&mut self, lane: Lane) -> bool {
        let is_due = matches!(self.rounds.remove(&lane.first), Some(Round::Due));
        if is_due {
            self.rounds.insert(lane.first, Round::Last);
        }
        is_due
    }

    /// A group of lines that are to be given something, and what is there to give. There is none behind the last one.
    fn group(&self, group: usize) -> Option<(Newest, Vec<Arc<Line>>)> {
        let slots = group * GROUP..self.waiting.capacity().min((group + 1) * GROUP);
        if slots.is_empty() {
            return None;
        }
        let line = |slot| match self.waiting.get(slot)?.as_ref()? {
            Waiting::Line(line) => Some(line.clone()),
            Waiting::Task(_) => None,
        };
        let ring = self
            .ring
            .iter()
            .skip(self.ring.len().saturating_sub(PIECES))
            .cloned()
            .collect();
        Some((
            Newest { ring, last: None },
            slots.filter_map(line).collect(),
        ))
    }
}

/// Gives the lines of a lane what is new, until there is nothing new.
pub(super) async fn give(channel: Arc<Mutex<Channel>>, lane: Lane) {
    let mut is_first = true;
    while lock(&channel).begin_round(lane) {
        for group in (lane.first..).step_by(lane.of) {
            if !std::mem::take(&mut is_first) {
                yield_now().await;
            }
            let Some((mut newest, lines)) = lock(&channel).group(group) else {
                break;
            };
            lines
                .iter()
                .filter_map(|line| line.give(&mut newest))
                .for_each(Waker::wake);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Nowhere;

    impl Sink for Nowhere {
        fn take(&self, _: &Frames) -> bool {
            false
        }
    }

    fn channel(lines: usize) -> Channel {
        let mut channel = Channel::default();
        for _ in 0..lines {
            let line = Line::new(Arc::new(Nowhere), SessionWatch::default());
            channel.waiting.insert(Some(Waiting::Line(Arc::new(line))));
        }
        channel
    }

    #[test]
    fn what_comes_during_a_round_has_a_round_of_its_own() {
        let mut channel = channel(1);
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
    fn the_lanes_of_a_room_have_each_line_once() {
        for (lines, of) in [(1, 1), (1, 4), (5, 1), (7, 2), (40, 3), (41, 16)] {
            let mut channel = channel(lines);
            let lanes = channel.begin_rounds(of);
            assert_eq!(lanes.len(), of.min(lines.div_ceil(GROUP)));
            let groups = |lane: &Lane| {
                (lane.first..)
                    .step_by(lane.of)
                    .map_while(|group| channel.group(group))
            };
            let mut given: Vec<_> = lanes
                .iter()
                .flat_map(groups)
                .flat_map(|(_, lines)| lines)
                .collect();
            assert_eq!(given.len(), lines, "in {of} lanes");
            given.sort_by_key(Arc::as_ptr);
            given.dedup_by_key(|line| Arc::as_ptr(line));
            assert_eq!(given.len(), lines, "in {of} lanes");
        }
    }
}
