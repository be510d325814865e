//! How far a page has received a room's log.
//!
//! # Guarantees
//! - The cursor never passes a gap, whatever arrives, however often and in whatever order.
//! - Each gap is reported once.
//!
//! # Not here
//! Asking for what is missing (`room/events`), holding each message once (`message_log`).

use std::mem;

use protocol::Message;

/// How far a room's log was received without a gap.
#[derive(Default)]
pub struct SequenceTracker {
    seq: u64,
    cursor: String,
    /// The sequence after which a gap was found and reported.
    reported_gap: Option<u64>,
    batch: Vec<Message>,
}

/// What an entry of the log was for the tracker.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TrackedEntry {
    /// Whether it is after the cursor.
    pub is_new: bool,
    /// Whether it is the first message of a batch.
    pub starts_batch: bool,
    /// Whether there is a gap before it that was not reported before.
    pub found_gap: bool,
}

impl SequenceTracker {
    /// A tracker of a page that has everything up to this sequence.
    pub fn at(seq: u64) -> Self {
        Self {
            seq,
            ..Self::default()
        }
    }

    /// Records a message, and adds it to the batch if it is new.
    pub fn take(&mut self, message: Message, cursor: String) -> TrackedEntry {
        let mut entry = self.pass(message.id, cursor);
        if entry.is_new {
            entry.starts_batch = self.batch.is_empty();
            self.batch.push(message);
        }
        entry
    }

    /// Takes the messages that came since the last call.
    pub fn take_batch(&mut self) -> Vec<Message> {
        mem::take(&mut self.batch)
    }

    /// The cursor to go on from.
    pub fn cursor(&self) -> String {
        if self.cursor.is_empty() {
            self.seq.to_string()
        } else {
            self.cursor.clone()
        }
    }

    /// Records an entry of the log: moves the cursor past it if there is no gap before it.
    pub fn pass(&mut self, seq: u64, cursor: String) -> TrackedEntry {
        let is_new = seq > self.seq;
        let found_gap = seq > self.seq + 1 && self.reported_gap != Some(self.seq);
        if found_gap {
            self.reported_gap = Some(self.seq);
        }
        if seq == self.seq + 1 {
            self.seq = seq;
            self.cursor = cursor;
        }
        TrackedEntry {
            is_new,
            starts_batch: false,
            found_gap,
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::rngs::SmallRng;
    use rand::{RngExt, SeedableRng};

    use super::*;
    use crate::fixtures;
    use crate::room::log::message_log::MessageLog;
    use crate::room::log::simulation::for_each_seed;

    const LENGTH: u64 = 40;

    /// An entry of a room's log, as the stream sends it.
    #[derive(Clone, Debug)]
    enum Entry {
        Message(Message),
        Change(u64, Message),
    }

    impl Entry {
        fn seq(&self) -> u64 {
            match self {
                Self::Message(message) => message.id,
                Self::Change(seq, _) => *seq,
            }
        }
    }

    fn message(id: u64, body: &str) -> Message {
        Message {
            content: Some(protocol::MessageContent::text(body)),
            ..fixtures::message(id)
        }
    }

    /// A log of messages and of changes of earlier messages.
    fn random_log(random: &mut SmallRng) -> Vec<Entry> {
        let mut messages = vec![1];
        let mut entry = |seq| {
            if seq == 1 || random.random_range(0..3) > 0 {
                messages.push(seq);
                return Entry::Message(message(seq, "as it was written"));
            }
            let changed = messages[random.random_range(0..messages.len())];
            Entry::Change(seq, message(changed, &format!("changed by {seq}")))
        };
        (1..=LENGTH).map(&mut entry).collect()
    }

    /// What a page does with the entries that it receives.
    #[derive(Default)]
    struct Page {
        tracker: SequenceTracker,
        log: MessageLog,
        gaps: usize,
    }

    impl Page {
        fn receive(&mut self, entry: &Entry) {
            let cursor = format!("epoch.{}", entry.seq());
            let tracked = match entry {
                Entry::Message(message) => self.tracker.take(message.clone(), cursor),
                Entry::Change(seq, message) => {
                    let tracked = self.tracker.pass(*seq, cursor);
                    if tracked.is_new {
                        self.add_batch();
                        self.log.replace(message.clone());
                    }
                    tracked
                }
            };
            self.gaps += usize::from(tracked.found_gap);
        }

        fn add_batch(&mut self) {
            let batch = self.tracker.take_batch();
            self.log.add(batch);
        }

        /// The sequence of the cursor.
        fn seq(&self) -> u64 {
            let cursor = self.tracker.cursor();
            cursor.rsplit('.').next().unwrap().parse().unwrap()
        }

        fn bodies(&self) -> Vec<(u64, String)> {
            self.log
                .messages()
                .iter()
                .map(|message| (message.id, message.body().to_owned()))
                .collect()
        }
    }

    /// What a page shows that received everything once and in order.
    fn expected_bodies(entries: &[Entry]) -> Vec<(u64, String)> {
        let mut page = Page::default();
        for entry in entries {
            page.receive(entry);
            page.add_batch();
        }
        page.bodies()
    }

    /// A page receives entries that were lost, repeated and reordered, and then everything after
    /// its cursor.
    fn receive_at_random(seed: u64) {
        let random = &mut SmallRng::seed_from_u64(seed);
        let entries = random_log(random);
        let mut page = Page::default();
        let mut received = Vec::new();
        for _ in 0..random.random_range(0..120) {
            let entry = &entries[random.random_range(0..entries.len())];
            page.receive(entry);
            received.push(entry.seq());
            if random.random_range(0..4) == 0 {
                page.add_batch();
            }
            let seq = page.seq();
            assert!(
                (1..=seq).all(|seq| received.contains(&seq)),
                "seed {seed}: {seq} after {received:?}"
            );
        }
        // Sometimes from further back, as another tab asked for it.
        let from = usize::try_from(page.seq()).unwrap();
        let from = from - random.random_range(0..=from);
        for entry in &entries[from..] {
            page.receive(entry);
        }
        page.add_batch();
        assert_eq!(page.seq(), LENGTH, "seed {seed}");
        assert_eq!(page.bodies(), expected_bodies(&entries), "seed {seed}");
    }

    /// `WEBCHAT_SEEDS=100000` runs more seeds.
    #[test]
    fn cursor_never_passes_a_gap_whatever_arrives() {
        for_each_seed(500, receive_at_random);
    }

    #[test]
    fn each_gap_is_reported_once() {
        let mut page = Page {
            tracker: SequenceTracker::at(4),
            ..Page::default()
        };
        for seq in [7, 8, 7, 9] {
            page.receive(&Entry::Message(message(seq, "early")));
        }
        assert_eq!(page.gaps, 1);
        assert_eq!(page.tracker.cursor(), "4");
        for seq in [5, 6, 7] {
            page.receive(&Entry::Message(message(seq, "in order")));
        }
        page.receive(&Entry::Message(message(9, "early")));
        assert_eq!(page.gaps, 2, "another gap is reported again");
        assert_eq!(page.seq(), 7);
    }

    #[test]
    fn only_the_first_new_message_starts_a_batch() {
        let mut tracker = SequenceTracker::at(1);
        let mut starts = |seq| {
            let tracked = tracker.take(message(seq, "x"), String::new());
            tracked.starts_batch
        };
        assert_eq!([starts(1), starts(2), starts(3)], [false, true, false]);
        assert_eq!(tracker.take_batch().len(), 2);
        assert_eq!(tracker.take_batch().len(), 0);
    }
}
