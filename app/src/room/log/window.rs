//! The drawn part of a message log.
//!
//! # Guarantees
//! It stays bounded, however far the reader scrolls.

use crate::api::PAGE_SIZE;
use crate::room::log::message_log::MessageLog;

/// How many messages are drawn at most.
const DRAWN: usize = 4 * PAGE_SIZE;

/// The drawn part of a log: from one sequence to another, or to the end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LogWindow {
    from: u64,
    to: Option<u64>,
}

impl LogWindow {
    /// The newest page.
    pub fn newest(log: &MessageLog) -> Self {
        Self::between(
            log,
            log.messages().len().saturating_sub(PAGE_SIZE),
            log.messages().len(),
        )
    }

    /// Messages on both sides of this sequence, in its part of the log.
    pub fn around(log: &MessageLog, seq: u64) -> Self {
        let end = log.part_end();
        let middle = log.index(seq).min(end);
        let start = middle.saturating_sub(PAGE_SIZE / 2);
        Self::between(log, start, end.min(middle + PAGE_SIZE / 2))
    }

    /// Whether it shows this sequence, or would if there were a message, and no gap.
    pub fn contains(self, log: &MessageLog, seq: u64) -> bool {
        let range = self.range(log);
        range.contains(&log.index(seq)) && range.end <= log.part_end()
    }

    /// The indices of the drawn messages in the log.
    pub fn range(self, log: &MessageLog) -> std::ops::Range<usize> {
        let end = self.to.map_or(log.messages().len(), |to| log.index(to + 1));
        log.index(self.from).min(end)..end
    }

    /// Whether it reaches the end of the log.
    pub fn at_end(self) -> bool {
        self.to.is_none()
    }

    /// Whether it reaches the end of the earlier part of the log, after which messages are missing.
    pub fn at_gap(self, log: &MessageLog) -> bool {
        log.earlier_until().is_some() && self.range(log).end == log.part_end()
    }

    /// Whether the log holds earlier messages.
    pub fn has_before(self, log: &MessageLog) -> bool {
        self.range(log).start > 0
    }

    /// The window one page further up.
    #[must_use]
    pub fn up(self, log: &MessageLog) -> Self {
        let range = self.range(log);
        let start = range.start.saturating_sub(PAGE_SIZE);
        Self::between(log, start, range.end.min(start + DRAWN))
    }

    /// The window one page further down.
    #[must_use]
    pub fn down(self, log: &MessageLog) -> Self {
        let range = self.range(log);
        let end = (range.end + PAGE_SIZE).min(log.part_end());
        Self::between(log, range.start.max(end.saturating_sub(DRAWN)), end)
    }

    /// The window without the oldest messages, if it has grown too long. For when its end is in
    /// view.
    #[must_use]
    pub fn trimmed(self, log: &MessageLog) -> Self {
        let range = self.range(log);
        if range.len() <= DRAWN + PAGE_SIZE {
            return self;
        }
        Self::between(log, range.end - DRAWN, range.end)
    }

    fn between(log: &MessageLog, start: usize, end: usize) -> Self {
        let id = |index: usize| log.messages().get(index).map_or(0, |message| message.id);
        let from = if start == 0 { 0 } else { id(start) };
        Self {
            from,
            to: (end < log.messages().len()).then(|| id(end.saturating_sub(1))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::message;

    fn log(ids: impl IntoIterator<Item = u64>) -> MessageLog {
        MessageLog::new(ids.into_iter().map(message).collect())
    }

    fn drawn(window: LogWindow, log: &MessageLog) -> (u64, u64) {
        let messages = &log.messages()[window.range(log)];
        (messages[0].id, messages[messages.len() - 1].id)
    }

    #[test]
    fn empty_log_has_nothing_to_draw() {
        let empty = MessageLog::default();
        for window in [
            LogWindow::default(),
            LogWindow::newest(&empty),
            LogWindow::default().up(&empty).down(&empty),
        ] {
            assert_eq!(window.range(&empty), 0..0);
            assert!(window.at_end());
        }
        assert!(!empty.has_older());
    }

    #[test]
    fn window_stays_bounded_all_the_way_up_and_down() {
        let log = log(1..=2_000);
        let mut window = LogWindow::newest(&log);
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
    fn window_around_a_message_stays_in_the_earlier_part_until_the_gap_is_closed() {
        let mut log = log(901..=1_000);
        let newest = LogWindow::newest(&log);
        log.go_to((101..=200).map(message).collect());
        assert!(
            !newest.contains(&log, 150),
            "it starts with the oldest message"
        );
        let window = LogWindow::around(&log, 150);
        assert_eq!(drawn(window, &log), (101, 199));
        assert!(window.contains(&log, 150) && !window.contains(&log, 950));
        let window = window.down(&log);
        assert_eq!(drawn(window, &log), (101, 200));
        assert!(window.at_gap(&log) && !window.at_end());
        log.continue_earlier_part((201..=300).map(message).collect());
        assert_eq!(drawn(window.down(&log), &log), (101, 300));
        log.continue_earlier_part((301..=901).map(message).collect());
        let mut window = window;
        while !window.at_end() {
            assert!(!window.at_gap(&log));
            window = window.down(&log);
        }
        assert_eq!(drawn(window, &log), (601, 1_000));
    }

    #[test]
    fn window_at_the_end_follows_new_messages_and_is_trimmed_above() {
        let mut log = log(1_901..=2_000);
        let window = LogWindow::newest(&log);
        log.add((2_001..=2_450).map(message).collect());
        assert_eq!(drawn(window, &log), (1_901, 2_450));
        assert_eq!(drawn(window.trimmed(&log), &log), (2_051, 2_450));
        log.add((1_801..=1_900).map(message).collect());
        assert_eq!(
            drawn(window, &log).0,
            1_801,
            "older messages that are fetched are drawn with the oldest"
        );
    }
}
