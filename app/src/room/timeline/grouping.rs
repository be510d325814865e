//! How messages are set: which one begins a group, which one begins a day.
//!
//! Promises: a group is one person, known equally well, within one minute; a day begins where the visitor's calendar says so.

use std::sync::Arc;

use protocol::{Author, Message, Time};

use crate::room::outbox::pending_message::PendingMessage;

/// A message and how it is set.
#[derive(Clone, Debug, PartialEq)]
pub struct TimelineRow {
    /// The message.
    pub message: Arc<Message>,
    /// What it still is, if it is on its way.
    pub parcel: Option<PendingMessage>,
    /// Whether it begins a group, and so shows who and when.
    pub head: bool,
    /// The day that it begins, if it does.
    pub day: Option<i64>,
    /// Whether it is by the visitor's name.
    pub own: bool,
}

/// Where a row stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RowPosition {
    /// What was delivered, by its sequence.
    Said(u64),
    /// Below all that, what is on its way: by when it was written, and its key.
    Waiting(i64, String),
}

impl RowPosition {
    /// The place of what is on its way.
    pub fn of(parcel: &PendingMessage) -> Self {
        Self::Waiting(parcel.written, parcel.key.clone())
    }
}

impl TimelineRow {
    /// Where it stands.
    pub fn place(&self) -> RowPosition {
        self.parcel
            .as_ref()
            .map_or(RowPosition::Said(self.message.id), RowPosition::of)
    }
}

/// Sets messages that follow on `previous`, for who goes by `name`; `day` tells the day of each.
pub fn group_rows(
    mut previous: Option<Arc<Message>>,
    messages: impl Iterator<Item = (Arc<Message>, Option<PendingMessage>)>,
    name: &str,
    day: impl Fn(&Message) -> i64,
) -> Vec<TimelineRow> {
    let set = |(message, parcel): (Arc<Message>, Option<PendingMessage>)| {
        let before = previous.replace(message.clone());
        let today = day(&message);
        let new_day = before.as_ref().is_none_or(|before| day(before) != today);
        let head = new_day || before.is_none_or(|before| !together(by(&before), by(&message)));
        let own = parcel.is_some() || message.username == name;
        TimelineRow {
            message,
            parcel,
            head,
            day: new_day.then_some(today),
            own,
        }
    };
    messages.map(set).collect()
}

/// Who wrote a message, how far that is known, and when.
type By<'a> = (&'a str, Option<Author>, Time);

/// Whether two messages belong to one group.
fn together(a: By<'_>, b: By<'_>) -> bool {
    (a.0, a.1, a.2.millis() / 60_000) == (b.0, b.1, b.2.millis() / 60_000)
}

/// Who wrote this one.
fn by(message: &Message) -> By<'_> {
    (&message.username, message.author, message.sent_at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures;

    fn message(id: u64, username: &str, minute: i64) -> Arc<Message> {
        let sent_at = Time::from_millis(minute * 60_000 + 1);
        Arc::new(Message {
            username: username.into(),
            sent_at,
            ..fixtures::message(id)
        })
    }

    fn sent(
        messages: &[Arc<Message>],
    ) -> impl Iterator<Item = (Arc<Message>, Option<PendingMessage>)> {
        messages.iter().map(|message| (message.clone(), None))
    }

    fn set(messages: &[Arc<Message>]) -> Vec<(bool, Option<i64>)> {
        let rows = group_rows(None, sent(messages), "ada", |m| {
            m.sent_at.millis() / 86_400_000
        });
        rows.iter().map(|row| (row.head, row.day)).collect()
    }

    #[test]
    fn a_group_is_one_person_within_one_minute() {
        let messages = [
            message(1, "ada", 0),
            message(2, "ada", 0),
            message(3, "ben", 0),
            message(4, "ben", 1),
            message(5, "ada", 1),
        ];
        let heads: Vec<_> = set(&messages).into_iter().map(|(head, _)| head).collect();
        assert_eq!(heads, [true, false, true, true, true]);
    }

    #[test]
    fn one_name_known_in_two_ways_is_two_groups() {
        let known = |id, author| {
            Arc::new(Message {
                author,
                ..Message::clone(&message(id, "ada", 0))
            })
        };
        let messages = [
            known(1, None),
            known(2, Some(Author::Guest)),
            known(3, Some(Author::Account)),
        ];
        assert!(set(&messages).into_iter().all(|(head, _)| head));
    }

    #[test]
    fn a_day_begins_once() {
        let messages = [
            message(1, "ada", 1_439),
            message(2, "ada", 1_440),
            message(3, "ada", 1_440),
        ];
        assert_eq!(
            set(&messages),
            [(true, Some(0)), (true, Some(1)), (false, None)]
        );
    }

    #[test]
    fn what_follows_on_an_undrawn_message_goes_on_its_group() {
        let messages = [message(1, "ada", 0), message(2, "ada", 0)];
        assert!(!group_rows(messages.first().cloned(), sent(&messages[1..]), "", |_| 0)[0].head);
    }

    #[test]
    fn what_is_on_its_way_stands_below_in_the_order_of_writing() {
        let place = |written, key: &str| RowPosition::Waiting(written, key.into());
        let places = [
            RowPosition::Said(1),
            RowPosition::Said(u64::MAX),
            place(-1, "c"),
            place(7, "a"),
            place(7, "b"),
            place(8, "a"),
        ];
        assert!(places.is_sorted());
    }
}
