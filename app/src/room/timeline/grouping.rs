//! The rows of the timeline: which message starts a group, and which one starts a day.
//!
//! # Guarantees
//! - A group has messages of one author within one minute. The same name of an account, of a guest
//!   and of an unknown author are three authors.
//! - A day starts at midnight in the visitor's time zone.

use std::sync::Arc;

use protocol::{Author, Message, RoomId};

use crate::room::account_names::AccountNames;
use crate::room::outbox::pending_message::PendingMessage;
use crate::room::timeline::marked_text::Mentioned;

/// A message of the log, or one that is not delivered yet.
pub struct LogItem {
    message: Arc<Message>,
    pending: Option<PendingMessage>,
}

impl LogItem {
    /// A delivered message.
    pub fn delivered(message: &Arc<Message>) -> Self {
        Self {
            message: message.clone(),
            pending: None,
        }
    }

    /// A message in the outbox, which will have this author. `names` has the display name of the
    /// author's account.
    pub fn pending(
        pending: &PendingMessage,
        room: RoomId,
        author: Option<Author>,
        names: &AccountNames,
    ) -> Self {
        let shown = || names.shown(&pending.message.username).to_owned();
        let name = (author == Some(Author::Account)).then(shown);
        Self {
            message: Arc::new(pending.message(room, author, name)),
            pending: Some(pending.clone()),
        }
    }
}

/// A row of the timeline.
#[derive(Clone, Debug, PartialEq)]
pub struct TimelineRow {
    /// The message.
    pub message: Arc<Message>,
    /// The same message in the outbox, if it is not delivered yet.
    pub pending: Option<PendingMessage>,
    /// Whether it starts a group; then it shows author and time.
    pub starts_group: bool,
    /// The day that it starts, if it starts one.
    pub day: Option<i64>,
    /// Whether it is the first unread message; then a line is above it.
    pub starts_unread: bool,
    /// Whether the visitor wrote it.
    pub is_own: bool,
    /// The role of the author that everyone in the room sees, in one word; empty if there is none.
    pub role: &'static str,
    /// The persons whom it mentions, in the order of the marks; `None` for a name that no person in
    /// the room has.
    pub mentioned: Vec<Option<Mentioned>>,
}

/// The position of a row, which orders the timeline.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RowPosition {
    /// A delivered message: its sequence number.
    Delivered(u64),
    /// Below those, a message in the outbox: when it was written, and its idempotency key.
    Pending(i64, String),
}

impl RowPosition {
    /// The position of a message in the outbox.
    pub fn of_pending(pending: &PendingMessage) -> Self {
        Self::Pending(pending.written, pending.key.clone())
    }
}

impl TimelineRow {
    /// The position of the row.
    pub fn position(&self) -> RowPosition {
        self.pending.as_ref().map_or(
            RowPosition::Delivered(self.message.id),
            RowPosition::of_pending,
        )
    }
}

/// Makes rows of the messages after `previous`; `is_own` says whether the visitor wrote a message,
/// and `day` returns its day.
pub fn group_rows(
    mut previous: Option<Arc<Message>>,
    items: impl Iterator<Item = LogItem>,
    is_own: impl Fn(&Message) -> bool,
    day: impl Fn(&Message) -> i64,
) -> Vec<TimelineRow> {
    let row = |LogItem { message, pending }: LogItem| {
        let before = previous.replace(message.clone());
        let own_day = day(&message);
        let starts_day = before.as_ref().is_none_or(|before| day(before) != own_day);
        let starts_group =
            starts_day || before.is_none_or(|before| !are_grouped(&before, &message));
        let is_own = pending.is_some() || is_own(&message);
        TimelineRow {
            message,
            pending,
            starts_group,
            day: starts_day.then_some(own_day),
            starts_unread: false,
            is_own,
            role: "",
            mentioned: Vec::new(),
        }
    };
    items.map(row).collect()
}

/// Whether two messages on the same day belong to one group.
fn are_grouped(a: &Message, b: &Message) -> bool {
    let minute = |message: &Message| message.sent_at.millis() / 60_000;
    a.username == b.username && a.author == b.author && minute(a) == minute(b)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures;
    use protocol::Time;

    fn message(id: u64, username: &str, minute: i64) -> Arc<Message> {
        let sent_at = Time::from_millis(minute * 60_000 + 1);
        Arc::new(Message {
            username: username.into(),
            sent_at,
            ..fixtures::message(id)
        })
    }

    fn rows_after(previous: Option<Arc<Message>>, messages: &[Arc<Message>]) -> Vec<TimelineRow> {
        let items = messages.iter().map(LogItem::delivered);
        let day = |message: &Message| message.sent_at.millis() / 86_400_000;
        group_rows(previous, items, |message| message.own, day)
    }

    fn rows(messages: &[Arc<Message>]) -> Vec<TimelineRow> {
        rows_after(None, messages)
    }

    #[test]
    fn group_is_one_author_within_one_minute() {
        let messages = [
            message(1, "ada", 0),
            message(2, "ada", 0),
            message(3, "ben", 0),
            message(4, "ben", 1),
            message(5, "ada", 1),
        ];
        let starts: Vec<_> = rows(&messages).iter().map(|row| row.starts_group).collect();
        assert_eq!(starts, [true, false, true, true, true]);
    }

    #[test]
    fn same_name_of_different_kinds_of_authors_starts_a_group() {
        let by = |id, author| {
            Arc::new(Message {
                author,
                ..Message::clone(&message(id, "ada", 0))
            })
        };
        let messages = [
            by(1, None),
            by(2, Some(Author::Guest)),
            by(3, Some(Author::Account)),
        ];
        assert!(rows(&messages).iter().all(|row| row.starts_group));
    }

    #[test]
    fn only_the_first_message_of_a_day_starts_the_day_and_a_group() {
        let messages = [
            message(1, "ada", 1_439),
            message(2, "ada", 1_440),
            message(3, "ada", 1_440),
        ];
        let rows = rows(&messages);
        let days: Vec<_> = rows.iter().map(|row| row.day).collect();
        let starts: Vec<_> = rows.iter().map(|row| row.starts_group).collect();
        assert_eq!(days, [Some(0), Some(1), None]);
        assert_eq!(starts, [true, true, false]);
    }

    #[test]
    fn first_row_continues_the_group_of_the_message_before_it() {
        let messages = [message(1, "ada", 0), message(2, "ada", 0)];
        let rows = rows_after(messages.first().cloned(), &messages[1..]);
        assert!(!rows[0].starts_group);
    }

    #[test]
    fn pending_messages_are_below_delivered_ones_in_the_order_of_writing() {
        let pending = |written, key: &str| RowPosition::Pending(written, key.into());
        let positions = [
            RowPosition::Delivered(1),
            RowPosition::Delivered(u64::MAX),
            pending(-1, "c"),
            pending(7, "a"),
            pending(7, "b"),
            pending(8, "a"),
        ];
        assert!(positions.is_sorted());
    }
}
