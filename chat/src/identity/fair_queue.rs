//! A queue for a scarce resource that serves its sources in turn, so that a source with many
//! requests delays its own requests and not those of others.
//!
//! # Guarantees
//! - Of the sources that wait, each is served once before one is served again.
//! - The requests that wait are bounded for each source and for all together. If the queue is full,
//!   a source that waits less displaces the newest request of the one that waits most.
//! - A request whose caller has gone takes neither a place nor a turn.
//!
//! # Not here
//! - What is done with the resource: `password`.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;

/// A request that waits.
pub(crate) trait Ticket {
    /// Whether the caller no longer waits.
    fn is_abandoned(&self) -> bool;
}

/// The bounds of a queue.
#[derive(Clone, Copy, Debug)]
pub(crate) struct QueueLimits {
    /// How many requests run at once.
    pub running: usize,
    /// How many requests of one source may wait.
    pub per_source: usize,
    /// How many requests may wait.
    pub total: usize,
}

/// What happens to a new request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Admission<T> {
    /// It runs now.
    Runs,
    /// It waits. The request that it has displaced, if there is one, is refused.
    Waits { displaced: Option<T> },
    /// It is refused, because too many of its source wait.
    SourceIsFull,
    /// It is refused, because too many wait.
    QueueIsFull,
}

/// The requests that run and wait.
#[derive(Debug)]
pub(crate) struct FairQueue<S, T> {
    limits: QueueLimits,
    running: usize,
    waiting: HashMap<S, VecDeque<T>>,
    /// The sources that wait, in the order of their turns.
    turns: VecDeque<S>,
}

impl<S: Clone + Eq + Hash, T: Ticket> FairQueue<S, T> {
    pub fn new(limits: QueueLimits) -> Self {
        Self {
            limits,
            running: 0,
            waiting: HashMap::new(),
            turns: VecDeque::new(),
        }
    }

    /// Admits a request. It waits if `limits.running` of them run.
    pub fn enter(&mut self, source: S, ticket: T) -> Admission<T> {
        if self.running < self.limits.running {
            self.running += 1;
            return Admission::Runs;
        }
        self.remove_abandoned();
        let own = self.waiting.get(&source).map_or(0, VecDeque::len);
        if own >= self.limits.per_source {
            return Admission::SourceIsFull;
        }
        let mut displaced = None;
        if self.count_waiting() >= self.limits.total {
            displaced = self.displace(own);
            if displaced.is_none() {
                return Admission::QueueIsFull;
            }
        }
        if own == 0 {
            self.turns.push_back(source.clone());
        }
        self.waiting.entry(source).or_default().push_back(ticket);
        Admission::Waits { displaced }
    }

    /// Ends a request that runs. Returns the one that runs instead, if one waits.
    pub fn finish(&mut self) -> Option<T> {
        self.remove_abandoned();
        let Some(source) = self.turns.pop_front() else {
            self.running -= 1;
            return None;
        };
        let queue = self.waiting.get_mut(&source)?;
        let next = queue.pop_front();
        if queue.is_empty() {
            self.waiting.remove(&source);
        } else {
            self.turns.push_back(source);
        }
        next
    }

    fn count_waiting(&self) -> usize {
        self.waiting.values().map(VecDeque::len).sum()
    }

    /// Removes the newest request of the source that waits most, if more of its requests wait than
    /// `own` and one more.
    fn displace(&mut self, own: usize) -> Option<T> {
        let longest = self.waiting.values_mut().max_by_key(|queue| queue.len())?;
        if longest.len() > own + 1 {
            longest.pop_back()
        } else {
            None
        }
    }

    fn remove_abandoned(&mut self) {
        self.waiting.retain(|_, queue| {
            queue.retain(|ticket| !ticket.is_abandoned());
            !queue.is_empty()
        });
        let waiting = &self.waiting;
        self.turns.retain(|source| waiting.contains_key(source));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Eq)]
    struct Request {
        name: &'static str,
        is_abandoned: bool,
    }

    impl Ticket for Request {
        fn is_abandoned(&self) -> bool {
            self.is_abandoned
        }
    }

    const LIMITS: QueueLimits = QueueLimits {
        running: 1,
        per_source: 3,
        total: 4,
    };

    /// A queue of these requests, each of the source that its name begins with. One of another
    /// source runs.
    fn queue_of(names: &[&'static str]) -> FairQueue<char, Request> {
        let mut queue = FairQueue::new(LIMITS);
        assert_eq!(enter(&mut queue, "running"), Admission::Runs);
        for name in names {
            let admission = enter(&mut queue, name);
            assert_eq!(admission, Admission::Waits { displaced: None }, "{name}");
        }
        queue
    }

    fn request(name: &'static str) -> Request {
        Request {
            name,
            is_abandoned: false,
        }
    }

    fn enter(queue: &mut FairQueue<char, Request>, name: &'static str) -> Admission<Request> {
        queue.enter(name.chars().next().unwrap(), request(name))
    }

    /// The names of the requests in the order in which they run.
    fn order(mut queue: FairQueue<char, Request>) -> Vec<&'static str> {
        std::iter::from_fn(|| queue.finish())
            .map(|request| request.name)
            .collect()
    }

    #[test]
    fn sources_are_served_in_turn_and_each_in_its_order() {
        let queue = queue_of(&["a1", "a2", "a3", "b1"]);
        assert_eq!(order(queue), ["a1", "b1", "a2", "a3"]);
    }

    #[test]
    fn source_that_comes_back_waits_for_the_others() {
        let mut queue = queue_of(&["a1", "b1", "c1"]);
        assert_eq!(queue.finish().map(|request| request.name), Some("a1"));
        enter(&mut queue, "a2");
        assert_eq!(order(queue), ["b1", "c1", "a2"]);
    }

    #[test]
    fn source_beyond_its_bound_is_refused_and_another_is_admitted() {
        let mut queue = queue_of(&["a1", "a2", "a3"]);
        assert_eq!(enter(&mut queue, "a4"), Admission::SourceIsFull);
        assert_eq!(
            enter(&mut queue, "b1"),
            Admission::Waits { displaced: None }
        );
    }

    #[test]
    fn full_queue_admits_a_source_that_waits_less_and_refuses_the_others() {
        let mut queue = queue_of(&["a1", "a2", "a3", "b1"]);
        let displaced = Some(request("a3"));
        assert_eq!(enter(&mut queue, "c1"), Admission::Waits { displaced });
        assert_eq!(enter(&mut queue, "b2"), Admission::QueueIsFull);
        let displaced = Some(request("a2"));
        assert_eq!(enter(&mut queue, "d1"), Admission::Waits { displaced });
        assert_eq!(enter(&mut queue, "e1"), Admission::QueueIsFull);
        assert_eq!(order(queue), ["a1", "b1", "c1", "d1"]);
    }

    #[test]
    fn abandoned_request_takes_no_place_and_no_turn() {
        let mut queue = queue_of(&["b1"]);
        for _ in 0..3 * LIMITS.total {
            let gone = Request {
                name: "gone",
                is_abandoned: true,
            };
            queue.enter('a', gone);
        }
        enter(&mut queue, "a1");
        assert_eq!(order(queue), ["b1", "a1"]);
    }

    #[test]
    fn empty_queue_keeps_nothing_and_runs_the_next_request_at_once() {
        let mut queue = queue_of(&["a1", "b1"]);
        while queue.finish().is_some() {}
        assert!(queue.waiting.is_empty() && queue.turns.is_empty());
        assert_eq!(enter(&mut queue, "a2"), Admission::Runs);
    }
}
