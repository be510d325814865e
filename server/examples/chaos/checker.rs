//! The checker: knows what was acknowledged and what each follower heard.
//!
//! # Guarantees
//! - A violation is noted when it is seen, with the last events of the follower.
//! - Each text stands at one place in one room, each place has one text, and each follower hears the
//!   places 1, 2, 3 … once and in order.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How many of a follower's last events are kept.
const EVENTS_KEPT: usize = 12;

/// How many violations are printed.
const PRINTED: usize = 20;

/// How often it is looked whether followers have heard all.
const LOOK: Duration = Duration::from_millis(20);

pub struct Checker {
    begin: Instant,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    rooms: Vec<Room>,
    followers: Vec<Follower>,
    writers: Vec<Writer>,
    /// Where each text stands.
    places: HashMap<String, Place>,
    counters: Counters,
    fault_counts: HashMap<String, u64>,
    recoveries: Vec<Duration>,
    violations: Vec<String>,
    /// Whether there is no fault, so that no request may fail.
    is_calm: bool,
    /// Whether writers begin no message.
    is_quiet: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Place {
    room: usize,
    seq: u64,
}

#[derive(Default)]
struct Room {
    /// The texts that were acknowledged or heard.
    texts: HashMap<u64, String>,
    /// The newest acknowledged place.
    acknowledged: u64,
}

#[derive(Default)]
struct Follower {
    name: String,
    /// The newest place that it has heard in each of its rooms.
    heard: HashMap<usize, u64>,
    events: VecDeque<String>,
}

#[derive(Default)]
struct Writer {
    /// The newest acknowledged place in each room.
    acknowledged: HashMap<usize, u64>,
    /// What it is sending, and since when.
    pending: Option<(String, Instant)>,
}

/// Counts for the report.
#[derive(Default)]
pub struct Counters {
    pub acknowledged: u64,
    pub retries: u64,
    pub repeated: u64,
    pub abandoned: u64,
    pub deliveries: u64,
    pub connects: u64,
    pub broken: u64,
    pub resets: u64,
}

impl Checker {
    pub fn new(rooms: usize, followers: usize, writers: usize) -> Self {
        let state = State {
            rooms: std::iter::repeat_with(Room::default).take(rooms).collect(),
            followers: std::iter::repeat_with(Follower::default)
                .take(followers)
                .collect(),
            writers: std::iter::repeat_with(Writer::default)
                .take(writers)
                .collect(),
            ..State::default()
        };
        Self {
            begin: Instant::now(),
            state: Mutex::new(state),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> String {
        format!("{:.2}", self.begin.elapsed().as_secs_f64())
    }

    pub fn count(&self, count: impl FnOnce(&mut Counters)) {
        count(&mut self.state().counters);
    }

    /// Says whether no request may fail.
    pub fn set_calm(&self, is_calm: bool) {
        self.state().is_calm = is_calm;
    }

    /// Says whether writers begin no message. A follower that has missed one then does not learn of it
    /// by the next one.
    pub fn set_quiet(&self, is_quiet: bool) {
        self.state().is_quiet = is_quiet;
    }

    pub fn is_quiet(&self) -> bool {
        self.state().is_quiet
    }

    /// Notes a failed request, which is a violation while there is no fault.
    pub fn request_failed(&self, who: &str, why: &str) {
        if self.state().is_calm {
            self.violation(format!("a request of {who} failed without a fault: {why}"));
        }
    }

    pub fn violation(&self, text: String) {
        let mut state = self.state();
        let text = format!("at {} s: {text}", self.now());
        if state.violations.len() < PRINTED {
            println!("VIOLATION {text}");
        }
        state.violations.push(text);
    }

    pub fn has_violations(&self) -> bool {
        !self.state().violations.is_empty()
    }

    /// Notes a fault.
    pub fn fault(&self, kind: &str, text: &str) {
        let mut state = self.state();
        let text = format!("at {} s: {text}", self.now());
        println!("{text}");
        *state.fault_counts.entry(kind.to_owned()).or_default() += 1;
    }

    pub fn fault_count(&self, kind: &str) -> u64 {
        self.state()
            .fault_counts
            .get(kind)
            .copied()
            .unwrap_or_default()
    }

    pub fn recovered(&self, within: Duration) {
        self.state().recoveries.push(within);
    }

    /// Notes what a writer sends, until it is acknowledged or given up.
    pub fn sends(&self, writer: usize, text: Option<String>) {
        self.state().writers[writer].pending = text.map(|text| (text, Instant::now()));
    }

    /// Checks the answer to a post.
    pub fn acknowledged(&self, writer: usize, room: usize, seq: u64, text: &str) {
        let problem = {
            let mut state = self.state();
            state.counters.acknowledged += 1;
            let problem = state.observe(Place { room, seq }, text);
            let newest = state.writers[writer]
                .acknowledged
                .insert(room, seq)
                .unwrap_or_default();
            let head = &mut state.rooms[room].acknowledged;
            *head = (*head).max(seq);
            let order =
                (newest >= seq).then(|| format!("out of order: {text:?} is {seq} after {newest}"));
            problem.or(order)
        };
        if let Some(problem) = problem {
            self.violation(format!("writer {writer}, room {room}: {problem}"));
        }
    }

    /// Checks what stands at a place.
    pub fn observed(&self, who: &str, room: usize, seq: u64, text: &str) {
        let problem = self.state().observe(Place { room, seq }, text);
        if let Some(problem) = problem {
            self.violation(format!("{who}, room {room}: {problem}"));
        }
    }

    pub fn add_follower(&self, number: usize, name: String, rooms: &[usize]) {
        let follower = &mut self.state().followers[number];
        follower.name = name;
        follower.heard = rooms.iter().map(|room| (*room, 0)).collect();
    }

    /// The newest place that a follower has heard.
    pub fn heard_up_to(&self, number: usize, room: usize) -> u64 {
        self.state().followers[number]
            .heard
            .get(&room)
            .copied()
            .unwrap_or_default()
    }

    /// Notes an event of a follower for the details of a violation.
    pub fn note(&self, number: usize, event: &str) {
        let text = format!("{} s: {event}", self.now());
        push(
            &mut self.state().followers[number].events,
            text,
            EVENTS_KEPT,
        );
    }

    /// Checks a message that a follower has heard.
    pub fn heard(&self, number: usize, room: usize, seq: u64, text: &str) {
        let problem = {
            let mut state = self.state();
            state.counters.deliveries += 1;
            let problem = state.observe(Place { room, seq }, text);
            match state.followers[number].heard.get_mut(&room) {
                None => Some(format!(
                    "a message of room {room}, which it does not follow"
                )),
                Some(heard) if seq == *heard + 1 => {
                    *heard = seq;
                    problem
                }
                Some(heard) if seq <= *heard => Some(format!("{seq} again, after {heard}")),
                Some(heard) => Some(format!("{seq} after {heard}: a gap")),
            }
        };
        if let Some(problem) = problem {
            self.follower_violation(number, &format!("room {room}: {problem}"));
        }
    }

    /// Notes a violation with the last events of a follower.
    pub fn follower_violation(&self, number: usize, problem: &str) {
        let details = {
            let state = self.state();
            let follower = &state.followers[number];
            let events: Vec<_> = follower.events.iter().map(String::as_str).collect();
            format!(
                "{}, {problem}; heard {:?}; its last events:\n      {}",
                follower.name,
                follower.heard,
                events.join("\n      ")
            )
        };
        self.violation(details);
    }

    /// Waits until all followers have heard what is acknowledged now, and all that writers are
    /// sending now is acknowledged, and heard as well if they are quiet. A violation if that takes
    /// longer than this.
    pub async fn wait_until_all_heard(&self, patience: Duration) {
        let begin = Instant::now();
        let mut heads = self.acknowledged_heads();
        loop {
            if self.is_quiet() {
                heads = self.acknowledged_heads();
            }
            let (behind, waiting) = self.state().find_late(&heads, begin);
            if behind.is_empty() && waiting.is_empty() {
                return self.recovered(begin.elapsed());
            }
            if begin.elapsed() > patience {
                for number in behind.iter().take(3) {
                    let problem = format!("incomplete after {patience:?}; acknowledged: {heads:?}");
                    self.follower_violation(*number, &problem);
                }
                let what = format!(
                    "{} followers incomplete, {} posts unanswered after {patience:?}: {waiting:?}",
                    behind.len(),
                    waiting.len()
                );
                return self.violation(what);
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// The newest acknowledged place of each room.
    pub fn acknowledged_heads(&self) -> Vec<u64> {
        self.state()
            .rooms
            .iter()
            .map(|room| room.acknowledged)
            .collect()
    }

    pub fn print(&self, elapsed: Duration) {
        let state = self.state();
        let c = &state.counters;
        println!(
            "{:.0} s: {} posts acknowledged, {} retries, {} repeated afterwards, {} given up; {} deliveries to {} followers, {} connections of which {} broke, {} resets",
            elapsed.as_secs_f64(),
            c.acknowledged,
            c.retries,
            c.repeated,
            c.abandoned,
            c.deliveries,
            state.followers.len(),
            c.connects,
            c.broken,
            c.resets
        );
        let mut faults: Vec<_> = state
            .fault_counts
            .iter()
            .map(|(kind, count)| format!("{kind} {count}"))
            .collect();
        faults.sort();
        println!("faults: {}", faults.join(", "));
        let mut times = state.recoveries.clone();
        times.sort();
        if let (Some(median), Some(longest)) = (times.get(times.len() / 2), times.last()) {
            println!(
                "complete after the end of a fault: median {:.2} s, longest {:.2} s, of {}",
                median.as_secs_f64(),
                longest.as_secs_f64(),
                times.len()
            );
        }
        println!("{} violations", state.violations.len());
    }
}

impl State {
    /// Compares a text with what else is known of its place. Returns what is wrong.
    fn observe(&mut self, place: Place, text: &str) -> Option<String> {
        let seq = place.seq;
        let known = self.rooms[place.room]
            .texts
            .entry(seq)
            .or_insert_with(|| text.to_owned());
        if known != text {
            return Some(format!("{seq} is {text:?} and also {known:?}"));
        }
        let first = *self.places.entry(text.to_owned()).or_insert(place);
        (first != place).then(|| format!("doubled: {text:?} is at {first:?} and at {place:?}"))
    }

    /// The followers who have not heard all, and the texts that writers have been sending since
    /// before this moment.
    fn find_late(&self, heads: &[u64], moment: Instant) -> (Vec<usize>, Vec<String>) {
        let is_behind = |follower: &Follower| {
            follower
                .heard
                .iter()
                .any(|(room, heard)| *heard < heads[*room])
        };
        let behind = self
            .followers
            .iter()
            .enumerate()
            .filter(|(_, follower)| is_behind(follower));
        let pending = self
            .writers
            .iter()
            .filter_map(|writer| writer.pending.as_ref());
        let waiting = pending.filter(|(_, since)| *since <= moment);
        (
            behind.map(|(number, _)| number).collect(),
            waiting.map(|(text, _)| text.clone()).collect(),
        )
    }
}

fn push(list: &mut VecDeque<String>, text: String, kept: usize) {
    if list.len() >= kept {
        list.pop_front();
    }
    list.push_back(text);
}
