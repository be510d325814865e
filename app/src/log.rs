//! The part of a room's log that this page holds, and the part of that which it draws.
//!
//! Promises: in order of sequence, each message once, however often and in whatever order it arrives; the drawn part
//! stays bounded however far somebody scrolls; a message that changed before it came is held as it is now. Leaves to
//! others: fetching (`visit`) and drawing (`timeline`).

use std::collections::VecDeque;
use std::sync::Arc;

use protocol::Message;

use crate::api::PAGE;

/// How many messages are drawn at most.
const DRAWN: usize = 4 * PAGE;

/// The messages that this page holds.
#[derive(Clone, Debug, Default)]
pub struct Log {
    messages: Vec<Arc<Message>>,
    /// The latest that changed and are not held: their page of history may be on its way, as they were.
    changed: VecDeque<Message>,
}

impl Log {
    /// A log of these messages.
    pub fn new(messages: Vec<Message>) -> Self {
        let mut log = Self::default();
        log.add(messages);
        log
    }

    /// Takes messages in; gives back those that were new, in the order of the batch.
    pub fn add(&mut self, batch: Vec<Message>) -> Vec<Arc<Message>> {
        let mut fresh = Vec::with_capacity(batch.len());
        for message in batch {
            let place = self.index(message.id);
            if self
                .messages
                .get(place)
                .is_none_or(|held| held.id != message.id)
            {
                let message = Arc::new(self.take_changed(message.id).unwrap_or(message));
                fresh.push(message.clone());
                self.messages.insert(place, message);
            }
        }
        fresh
    }

    /// Holds a message as it is now; one that is not held, when it comes.
    pub fn replace(&mut self, message: Message) {
        let place = self.index(message.id);
        if let Some(held) = self
            .messages
            .get_mut(place)
            .filter(|held| held.id == message.id)
        {
            *held = Arc::new(message);
            return;
        }
        self.take_changed(message.id);
        self.changed.push_back(message);
        if self.changed.len() > PAGE {
            self.changed.pop_front();
        }
    }

    fn take_changed(&mut self, seq: u64) -> Option<Message> {
        let place = self.changed.iter().position(|changed| changed.id == seq)?;
        self.changed.remove(place)
    }

    /// The message of this sequence, if it is held.
    pub fn find(&self, seq: u64) -> Option<Arc<Message>> {
        self.messages
            .get(self.index(seq))
            .filter(|held| held.id == seq)
            .cloned()
    }

    /// All that is held, oldest first.
    pub fn messages(&self) -> &[Arc<Message>] {
        &self.messages
    }

    /// The oldest sequence held; 0 if none.
    pub fn oldest(&self) -> u64 {
        self.messages.first().map_or(0, |message| message.id)
    }

    /// The newest sequence held; 0 if none.
    pub fn newest(&self) -> u64 {
        self.messages.last().map_or(0, |message| message.id)
    }

    /// Whether the room has older messages than those held.
    pub fn has_older(&self) -> bool {
        self.oldest() > 1
    }

    fn index(&self, seq: u64) -> usize {
        self.messages.partition_point(|held| held.id < seq)
    }
}

/// The drawn part of a log: from one sequence to another, or to the end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Window {
    from: u64,
    to: Option<u64>,
}

impl Window {
    /// The newest page.
    pub fn newest(log: &Log) -> Self {
        Self::between(
            log,
            log.messages.len().saturating_sub(PAGE),
            log.messages.len(),
        )
    }

    /// Which messages are drawn, as indices into the log.
    pub fn range(self, log: &Log) -> std::ops::Range<usize> {
        let end = self.to.map_or(log.messages.len(), |to| log.index(to + 1));
        log.index(self.from).min(end)..end
    }

    /// Whether it goes to the log's end.
    pub fn at_end(self) -> bool {
        self.to.is_none()
    }

    /// Whether there is something held before it.
    pub fn has_before(self, log: &Log) -> bool {
        self.range(log).start > 0
    }

    /// One page further up.
    #[must_use]
    pub fn up(self, log: &Log) -> Self {
        let range = self.range(log);
        let start = range.start.saturating_sub(PAGE);
        Self::between(log, start, range.end.min(start + DRAWN))
    }

    /// One page further down.
    #[must_use]
    pub fn down(self, log: &Log) -> Self {
        let range = self.range(log);
        let end = (range.end + PAGE).min(log.messages.len());
        Self::between(log, range.start.max(end.saturating_sub(DRAWN)), end)
    }

    /// The same without what has grown too long above it; for when its end is in view.
    #[must_use]
    pub fn trimmed(self, log: &Log) -> Self {
        let range = self.range(log);
        if range.len() <= DRAWN + PAGE {
            return self;
        }
        Self::between(log, range.end - DRAWN, range.end)
    }

    fn between(log: &Log, start: usize, end: usize) -> Self {
        let id = |index: usize| log.messages.get(index).map_or(0, |message| message.id);
        let from = if start == 0 { 0 } else { id(start) };
        Self {
            from,
            to: (end < log.messages.len()).then(|| id(end.saturating_sub(1))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::message;

    fn log(ids: impl IntoIterator<Item = u64>) -> Log {
        Log::new(ids.into_iter().map(message).collect())
    }

    fn drawn(window: Window, log: &Log) -> (u64, u64) {
        let messages = &log.messages()[window.range(log)];
        (messages[0].id, messages[messages.len() - 1].id)
    }

    #[test]
    fn every_message_is_held_once_and_in_order() {
        let mut log = log([3, 1, 2]);
        let fresh = log.add([message(5), message(2), message(4), message(5)].into());
        assert_eq!(fresh.iter().map(|m| m.id).collect::<Vec<_>>(), [5, 4]);
        assert_eq!(
            log.messages().iter().map(|m| m.id).collect::<Vec<_>>(),
            [1, 2, 3, 4, 5]
        );
        assert!(!log.has_older());
    }

    #[test]
    fn what_changed_before_it_came_is_held_as_it_is_now() {
        let said = |log: &Log, id| log.find(id).unwrap().body.clone();
        let changed = |id, body: &str| Message {
            body: body.into(),
            ..message(id)
        };
        let mut log = log([7]);
        log.replace(changed(3, "once"));
        log.replace(changed(3, "twice"));
        assert_eq!(log.messages().len(), 1, "a change alone shows nothing");
        log.add(vec![message(3), message(4)]);
        assert_eq!(
            (said(&log, 3).as_str(), said(&log, 4).as_str()),
            ("twice", "4")
        );
        log.replace(changed(3, "later"));
        assert_eq!(said(&log, 3), "later");
        (1_000..1_500).for_each(|id| log.replace(changed(id, "far away")));
        assert_eq!(log.changed.len(), PAGE, "what is kept is bounded");
    }

    #[test]
    fn an_empty_log_has_nothing_to_draw() {
        let empty = Log::default();
        for window in [
            Window::default(),
            Window::newest(&empty),
            Window::default().up(&empty).down(&empty),
        ] {
            assert_eq!(window.range(&empty), 0..0);
            assert!(window.at_end());
        }
        assert!(!empty.has_older());
    }

    #[test]
    fn the_window_stays_bounded_all_the_way_up_and_down() {
        let log = log(1..=2_000);
        let mut window = Window::newest(&log);
        assert_eq!(drawn(window, &log), (1_901, 2_000));
        while window.has_before(&log) {
            window = window.up(&log);
            assert!(window.range(&log).len() <= DRAWN);
        }
        assert_eq!(drawn(window, &log), (1, 400));
        while !window.at_end() {
            let last = drawn(window, &log).1;
            window = window.down(&log);
            assert!(window.range(&log).len() <= DRAWN);
            assert!(drawn(window, &log).1 > last);
        }
        assert_eq!(drawn(window, &log), (1_601, 2_000));
    }

    #[test]
    fn at_the_end_it_follows_and_is_trimmed_above() {
        let mut log = log(1_901..=2_000);
        let window = Window::newest(&log);
        log.add((2_001..=2_450).map(message).collect());
        assert_eq!(drawn(window, &log), (1_901, 2_450));
        assert_eq!(drawn(window.trimmed(&log), &log), (2_051, 2_450));
        log.add((1_801..=1_900).map(message).collect());
        assert_eq!(
            drawn(window, &log).0,
            1_801,
            "what is held before the oldest is drawn with it"
        );
    }
}
