//! The messages of one room that wait for the server: shown at once, in the order they were
//! written.
//!
//! # Guarantees
//! - A message leaves only when the server answered for it or its author gives it up.
//! - A message is never shown twice, whichever comes first, the answer or the event of the stream,
//!   and none is taken for another: a message of the log is known by its `client_id` alone.
//! - All tabs that wrote have the same order.
//!
//! # Not here
//! When to send (`dispatcher`), and where all tabs find the messages (`record_store`).

use protocol::Message;

use crate::room::outbox::pending_message::PendingMessage;

/// The pending messages of one room, in the order they were written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outbox {
    messages: Vec<PendingMessage>,
    /// The one that was delivered last, with its sequence.
    delivered: Option<PendingMessage>,
}

impl Outbox {
    /// Puts a message in the queue, by the time it was written.
    pub fn put(&mut self, message: PendingMessage) {
        if self.get(&message.key).is_some() {
            return;
        }
        let is_earlier = |held: &PendingMessage| {
            (held.written, &held.key) <= (message.written, &message.key) //
        };
        let place = self.messages.partition_point(is_earlier);
        self.messages.insert(place, message);
    }

    /// Takes over what is stored, from any tab. A message that is not stored yet stays; so does one
    /// that is in the database, if that could not be read (`is_complete`).
    pub fn merge(&mut self, kept: Vec<PendingMessage>, is_complete: bool) {
        let before = std::mem::take(&mut self.messages);
        for message in before.iter().filter(|it| !it.kept || it.is_only_here) {
            self.put(message.clone());
        }
        for message in kept {
            self.put(message);
        }
        for message in before.iter().filter(|it| !is_complete && !it.is_local) {
            self.put(message.clone());
        }
        for message in before.into_iter().filter(|message| message.seen.is_some()) {
            match self.get_mut(&message.key) {
                Some(held) => held.seen = message.seen,
                // Another tab had the answer.
                None => self.delivered = Some(message),
            }
        }
    }

    /// A message was stored, or could not be.
    pub fn mark_kept(&mut self, key: &str, is_stored: bool) {
        if let Some(message) = self.get_mut(key) {
            message.kept = true;
            message.is_only_here = !is_stored;
        }
    }

    /// When the last message was written, in milliseconds.
    pub fn latest(&self) -> i64 {
        self.messages.last().map_or(0, |message| message.written)
    }

    /// The message to send next.
    pub fn next_to_send(&self) -> Option<&PendingMessage> {
        self.messages
            .iter()
            .find(|message| message.refused.is_none())
    }

    /// The messages to show below the log.
    pub fn shown(&self) -> impl Iterator<Item = &PendingMessage> {
        self.messages
            .iter()
            .filter(|message| message.seen.is_none())
    }

    /// The sequences of the messages that are in the log already.
    pub fn arrived(&self) -> impl Iterator<Item = u64> {
        self.messages.iter().filter_map(|message| message.seen)
    }

    /// How many messages still wait for the server.
    pub fn waiting(&self) -> usize {
        self.shown()
            .filter(|message| message.refused.is_none())
            .count()
    }

    /// The message with this key.
    pub fn get(&self, key: &str) -> Option<&PendingMessage> {
        self.messages.iter().find(|message| message.key == key)
    }

    fn get_mut(&mut self, key: &str) -> Option<&mut PendingMessage> {
        self.messages.iter_mut().find(|message| message.key == key)
    }

    /// The message that became the one of this sequence, among those that wait and the one
    /// delivered last.
    pub fn delivered_as(&self, seq: u64) -> Option<&PendingMessage> {
        self.messages
            .iter()
            .chain(&self.delivered)
            .find(|message| message.seen == Some(seq))
    }

    /// Removes a message that was delivered under this sequence.
    pub fn deliver(&mut self, key: &str, seq: u64) {
        if let Some(message) = self.remove(key) {
            self.delivered = Some(PendingMessage {
                seen: Some(seq),
                ..message
            });
        }
    }

    /// The room's log is replaced by another one, in which nothing has arrived yet.
    pub fn restart_log(&mut self) {
        self.delivered = None;
        for message in &mut self.messages {
            message.seen = None;
        }
    }

    /// Removes a message that its author gives up.
    pub fn remove(&mut self, key: &str) -> Option<PendingMessage> {
        let place = self
            .messages
            .iter()
            .position(|message| message.key == key)?;
        Some(self.messages.remove(place))
    }

    /// A message is in the log: if it is a pending one, that is no longer shown.
    pub fn record_arrival(&mut self, message: &Message) {
        let Some(client_id) = &message.client_id else {
            return;
        };
        let pending = self
            .messages
            .iter_mut()
            .find(|pending| pending.client_id == *client_id);
        if let Some(pending) = pending {
            pending.seen = Some(message.id);
        }
    }

    /// A message that was refused although it is in the log: an earlier attempt had succeeded. Returns
    /// its key and its sequence.
    pub fn find_arrived_refused(&self) -> Option<(String, u64)> {
        let mut refused = self.messages.iter().filter(|it| it.refused.is_some());
        refused.find_map(|message| Some((message.key.clone(), message.seen?)))
    }

    /// A message was refused: it is shown with the reason, and with a free name if the name is the
    /// reason. Returns it.
    pub fn refuse(
        &mut self,
        key: &str,
        reason: String,
        free_name: Option<String>,
    ) -> Option<PendingMessage> {
        let message = self.get_mut(key)?;
        message.refused = Some(reason);
        message.free = free_name;
        Some(message.clone())
    }

    /// Sends a refused message again, now as the latest, and under another name if one is given.
    /// Returns it.
    pub fn retry(&mut self, key: &str, name: Option<String>, now: i64) -> Option<PendingMessage> {
        let mut message = self.remove(key)?;
        message.refused = None;
        message.free = None;
        message.kept = false;
        message.is_only_here = false;
        if let Some(name) = name {
            message.message.username = name;
        }
        message.written = now.max(self.latest() + 1);
        self.put(message.clone());
        Some(message)
    }
}

#[cfg(test)]
mod tests {
    use protocol::{NewMessage, client_id};

    use super::*;
    use crate::fixtures;

    fn pending(key: &str) -> PendingMessage {
        PendingMessage {
            kept: true,
            ..PendingMessage::new(key.into(), ada_says("hi"), 0)
        }
    }

    fn ada_says(body: &str) -> NewMessage {
        NewMessage {
            username: "ada".into(),
            body: body.into(),
        }
    }

    fn written(at: i64, message: PendingMessage) -> PendingMessage {
        PendingMessage {
            written: at,
            ..message
        }
    }

    /// A message of the log that was sent under this key. All have the same name and text.
    fn arrived(id: u64, key: &str) -> Message {
        Message {
            content: Some(protocol::MessageContent::text("hi")),
            client_id: Some(client_id(key)),
            ..fixtures::message(id)
        }
    }

    fn outbox(keys: &[&str]) -> Outbox {
        let mut outbox = Outbox::default();
        for key in keys {
            outbox.put(pending(key));
        }
        outbox
    }

    fn shown(outbox: &Outbox) -> Vec<&str> {
        outbox.shown().map(|message| message.key.as_str()).collect()
    }

    fn next(outbox: &Outbox) -> &str {
        &outbox.next_to_send().unwrap().key
    }

    fn delivered_as(outbox: &Outbox, seq: u64) -> Option<&str> {
        outbox.delivered_as(seq).map(|it| it.key.as_str())
    }

    #[test]
    fn messages_leave_in_the_order_they_were_written() {
        let mut outbox = outbox(&["a", "b"]);
        assert_eq!(next(&outbox), "a");
        outbox.remove("a");
        assert_eq!(next(&outbox), "b");
        outbox.put(written(-1, pending("c")));
        assert_eq!(next(&outbox), "c", "one of an earlier visit goes first");
        outbox.put(pending("b"));
        assert_eq!(shown(&outbox), ["c", "b"], "the same key is one message");
    }

    #[test]
    fn other_tabs_add_and_remove_messages() {
        let mut outbox = outbox(&["a", "b"]);
        outbox.put(PendingMessage {
            kept: false,
            ..written(3, pending("c"))
        });
        outbox.record_arrival(&arrived(5, "a"));
        outbox.merge(vec![written(7, pending("d")), pending("a")], true);
        assert_eq!(
            shown(&outbox),
            ["c", "d"],
            "a message that has arrived stays hidden, one that is not kept yet stays"
        );
        assert_eq!(outbox.latest(), 7);
        assert_eq!(next(&outbox), "a");
        outbox.mark_kept("c", true);
        outbox.merge(Vec::new(), true);
        assert_eq!(outbox.messages.len(), 0);
        assert_eq!(delivered_as(&outbox, 5), Some("a"));
    }

    #[test]
    fn message_in_a_database_that_cannot_be_read_stays() {
        let local = |key| PendingMessage {
            is_local: true,
            ..pending(key)
        };
        let mut outbox = outbox(&["a"]);
        outbox.put(local("b"));
        outbox.merge(vec![local("c")], false);
        assert_eq!(
            shown(&outbox),
            ["a", "c"],
            "another tab has removed the second one"
        );
        outbox.merge(vec![local("c")], true);
        assert_eq!(shown(&outbox), ["c"]);
    }

    #[test]
    fn delivered_message_is_known_by_its_sequence() {
        let mut outbox = outbox(&["a", "b", "c"]);
        assert_eq!(delivered_as(&outbox, 5), None);
        outbox.record_arrival(&arrived(5, "a"));
        assert_eq!(delivered_as(&outbox, 5), Some("a"));
        outbox.deliver("a", 5);
        outbox.deliver("b", 7);
        assert_eq!(delivered_as(&outbox, 6), None);
        assert_eq!(delivered_as(&outbox, 7), Some("b"));
        outbox.remove("c");
        let still = delivered_as(&outbox, 7);
        assert_eq!(still, Some("b"), "one that is given up was not delivered");
    }

    #[test]
    fn two_tabs_that_wrote_at_the_same_time_have_the_same_order() {
        let a = outbox(&["a", "b"]);
        let b = outbox(&["b", "a"]);
        assert_eq!(shown(&a), shown(&b));
    }

    #[test]
    fn of_two_equal_texts_the_one_with_the_key_has_arrived() {
        let mut outbox = outbox(&["a", "b"]);
        outbox.record_arrival(&arrived(5, "b"));
        assert_eq!(shown(&outbox), ["a"]);
        outbox.record_arrival(&arrived(5, "b"));
        assert_eq!(shown(&outbox), ["a"], "a repeated event hides no other one");
        outbox.deliver("b", 5);
        outbox.record_arrival(&arrived(5, "b"));
        assert_eq!(shown(&outbox), ["a"], "nor after the answer");
        outbox.record_arrival(&arrived(6, "a"));
        assert_eq!(shown(&outbox), [""; 0]);
    }

    #[test]
    fn equal_texts_under_another_key_or_none_have_not_arrived() {
        let mut outbox = outbox(&["a"]);
        outbox.record_arrival(&arrived(5, "x"));
        outbox.record_arrival(&Message {
            client_id: None,
            ..arrived(6, "a")
        });
        assert_eq!(shown(&outbox), ["a"]);
    }

    #[test]
    fn tab_that_has_only_the_database_takes_none_for_another() {
        let mut other = Outbox::default();
        other.merge(vec![pending("b"), pending("c")], true);
        other.record_arrival(&arrived(5, "a"));
        assert_eq!(shown(&other), ["b", "c"]);
        other.record_arrival(&arrived(6, "b"));
        assert_eq!(shown(&other), ["c"]);
    }

    #[test]
    fn message_of_a_replaced_log_has_not_arrived_in_the_new_one() {
        let mut outbox = outbox(&["a", "b"]);
        outbox.deliver("a", 5);
        outbox.record_arrival(&arrived(6, "b"));
        outbox.restart_log();
        assert_eq!(shown(&outbox), ["b"]);
        assert_eq!(delivered_as(&outbox, 5), None);
        outbox.record_arrival(&arrived(3, "b"));
        assert_eq!(delivered_as(&outbox, 3), Some("b"));
    }

    #[test]
    fn refused_message_stays_holds_up_no_other_and_is_retried_last() {
        let mut outbox = outbox(&["a", "b"]);
        outbox.refuse("a", "no".into(), Some("ada2".into()));
        assert_eq!(shown(&outbox), ["a", "b"]);
        assert_eq!(next(&outbox), "b");
        assert_eq!(outbox.waiting(), 1);
        assert_eq!(outbox.get("a").unwrap().free.as_deref(), Some("ada2"));
        let again = outbox.retry("a", Some("ada2".into()), 9).unwrap();
        assert_eq!(again.refused, None);
        assert_eq!(again.free, None);
        assert_eq!(again.message.username, "ada2");
        assert_eq!(shown(&outbox), ["b", "a"]);
    }

    #[test]
    fn refused_message_that_is_in_the_log_is_found() {
        let mut outbox = outbox(&["a", "b"]);
        outbox.record_arrival(&arrived(5, "a"));
        assert_eq!(outbox.find_arrived_refused(), None);
        outbox.refuse("a", "no".into(), None);
        outbox.refuse("b", "no".into(), None);
        assert_eq!(outbox.find_arrived_refused(), Some(("a".to_owned(), 5)));
        assert_eq!(shown(&outbox), ["b"]);
    }
}
