//! How far a room was heard.
//!
//! Promises: its place never passes a hole, whatever comes, however often and in whatever order; each hole is asked for
//! once. Leaves to others: asking (`visit`), and taking each message once (`log`).

use std::mem;

use protocol::Message;

/// How far a room was heard without a hole.
#[derive(Default)]
pub struct SequenceTracker {
    seq: u64,
    cursor: String,
    /// The sequence after which a hole was found and asked for.
    hole: Option<u64>,
    batch: Vec<Message>,
}

impl SequenceTracker {
    /// One that heard everything up to here.
    pub fn at(seq: u64) -> Self {
        Self {
            seq,
            ..Self::default()
        }
    }

    /// Takes a message; says whether it is the first since the last batch was taken, and what [`SequenceTracker::pass`] says of
    /// holes.
    pub fn take(&mut self, message: Message, cursor: String) -> (bool, bool) {
        let (fresh, hole) = self.pass(message.id, cursor);
        if fresh {
            self.batch.push(message);
        }
        (fresh && self.batch.len() == 1, hole)
    }

    /// The messages that came since this was asked last.
    pub fn batch(&mut self) -> Vec<Message> {
        mem::take(&mut self.batch)
    }

    /// From where to go on.
    pub fn cursor(&self) -> String {
        if self.cursor.is_empty() {
            self.seq.to_string()
        } else {
            self.cursor.clone()
        }
    }

    /// Passes a sequence; says whether it is new, and whether there is a hole before it that nobody has asked for yet.
    pub fn pass(&mut self, id: u64, cursor: String) -> (bool, bool) {
        let fresh = id > self.seq;
        let hole = id > self.seq + 1 && self.hole != Some(self.seq);
        if hole {
            self.hole = Some(self.seq);
        }
        if id == self.seq + 1 {
            (self.seq, self.cursor) = (id, cursor);
        }
        (fresh, hole)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures;
    use crate::room::log::message_log::MessageLog;

    /// A room's log: messages, and changes of earlier ones, each as it is told.
    #[derive(Clone, Debug)]
    enum Told {
        Message(Message),
        Change(u64, Message),
    }

    impl Told {
        fn seq(&self) -> u64 {
            match self {
                Self::Message(message) => message.id,
                Self::Change(seq, _) => *seq,
            }
        }
    }

    /// Numbers that look like chance and are the same each time.
    struct Chance(u64);

    impl Chance {
        fn below(&mut self, bound: usize) -> usize {
            self.0 = self
                .0
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(self.0 >> 33).unwrap() % bound
        }
    }

    fn message(id: u64, body: &str) -> Message {
        Message {
            body: body.into(),
            ..fixtures::message(id)
        }
    }

    fn room(length: u64, chance: &mut Chance) -> Vec<Told> {
        let mut said = vec![1];
        let mut tell = |seq| {
            if chance.below(3) > 0 || seq == 1 {
                said.push(seq);
                return Told::Message(message(seq, "as it was"));
            }
            let changed = said[chance.below(said.len())];
            Told::Change(seq, message(changed, &format!("changed by {seq}")))
        };
        (1..=length).map(&mut tell).collect()
    }

    /// What a page does with what it hears.
    #[derive(Default)]
    struct Page {
        reader: SequenceTracker,
        log: MessageLog,
        asked: usize,
    }

    impl Page {
        fn hear(&mut self, told: &Told) {
            let cursor = format!("epoch.{}", told.seq());
            let hole = match told {
                Told::Message(message) => self.reader.take(message.clone(), cursor).1,
                Told::Change(seq, message) => {
                    let (fresh, hole) = self.reader.pass(*seq, cursor);
                    if fresh {
                        self.rest();
                        self.log.replace(message.clone());
                    }
                    hole
                }
            };
            self.asked += usize::from(hole);
        }

        fn rest(&mut self) {
            let batch = self.reader.batch();
            self.log.add(batch);
        }

        /// Where the reader says that it is.
        fn place(&self) -> u64 {
            let cursor = self.reader.cursor();
            cursor.rsplit('.').next().unwrap().parse().unwrap()
        }

        fn bodies(&self) -> Vec<(u64, String)> {
            self.log
                .messages()
                .iter()
                .map(|message| (message.id, message.body.clone()))
                .collect()
        }
    }

    /// What a page shows that heard everything once and in order.
    fn right(room: &[Told]) -> Vec<(u64, String)> {
        let mut page = Page::default();
        for told in room {
            page.hear(told);
            page.rest();
        }
        page.bodies()
    }

    #[test]
    fn its_place_never_passes_a_hole() {
        for seed in 0..500 {
            let chance = &mut Chance(seed);
            let room = room(40, chance);
            let (mut page, mut heard) = (Page::default(), Vec::new());
            // Lost, repeated, out of order.
            for _ in 0..chance.below(120) {
                let told = &room[chance.below(room.len())];
                page.hear(told);
                heard.push(told.seq());
                if chance.below(4) == 0 {
                    page.rest();
                }
                let place = page.place();
                assert!(
                    (1..=place).all(|seq| heard.contains(&seq)),
                    "seed {seed}: {place} after {heard:?}"
                );
            }
            // Then told again from there, and now and then from further back, as another page asked for it.
            let from = usize::try_from(page.place()).unwrap();
            room[from - chance.below(from + 1)..]
                .iter()
                .for_each(|told| page.hear(told));
            page.rest();
            assert_eq!(
                (page.place(), page.bodies()),
                (40, right(&room)),
                "seed {seed}"
            );
        }
    }

    #[test]
    fn a_hole_is_asked_for_once() {
        let mut page = Page {
            reader: SequenceTracker::at(4),
            ..Page::default()
        };
        for seq in [7, 8, 7, 9] {
            page.hear(&Told::Message(message(seq, "early")));
        }
        assert_eq!((page.asked, page.reader.cursor().as_str()), (1, "4"));
        for seq in [5, 6, 7] {
            page.hear(&Told::Message(message(seq, "in its turn")));
        }
        page.hear(&Told::Message(message(9, "early")));
        assert_eq!(
            (page.asked, page.place()),
            (2, 7),
            "another hole is another question"
        );
    }

    #[test]
    fn the_first_of_a_batch_says_so() {
        let mut reader = SequenceTracker::at(1);
        let mut take = |seq| reader.take(message(seq, "x"), String::new());
        assert_eq!([take(1).0, take(2).0, take(3).0], [false, true, false]);
        assert_eq!(reader.batch().len(), 2);
        assert_eq!(reader.batch().len(), 0);
    }
}
