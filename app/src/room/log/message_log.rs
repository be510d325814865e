//! The part of a room's log that this page holds.
//!
//! # Guarantees
//! - Each message once and in order of sequence, however often and in whatever order it arrives.
//! - A message that changes before it arrives is held in its current version.
//! - A message that was once the visitor's own stays that, whichever version of it comes later.
//! - The messages have at most one gap: between an earlier part, around a message that the reader
//!   went to, and the newest part.
//!
//! # Not here
//! Fetching (`room/history`), which messages are drawn (`window`), drawing them (`room/timeline`).

use std::collections::VecDeque;
use std::sync::Arc;

use protocol::Message;

use crate::api::PAGE_SIZE;

/// The messages that this page holds.
#[derive(Clone, Debug, Default)]
pub struct MessageLog {
    messages: Vec<Arc<Message>>,
    /// The last sequence of the earlier part, if there is one.
    earlier_until: Option<u64>,
    /// The latest changed messages that are not held: their page of history may be on its way, with
    /// the version before the change.
    changed: VecDeque<Message>,
    /// The client IDs of the visitor's latest messages that are not held yet.
    own_client_ids: VecDeque<String>,
}

impl MessageLog {
    /// A log of these messages.
    pub fn new(messages: Vec<Message>) -> Self {
        let mut log = Self::default();
        log.add(messages);
        log
    }

    /// Adds messages; returns those that were new, in the order of the batch.
    pub fn add(&mut self, batch: Vec<Message>) -> Vec<Arc<Message>> {
        let mut fresh = Vec::with_capacity(batch.len());
        for message in batch {
            let place = self.index(message.id);
            match self.messages.get_mut(place) {
                Some(held) if held.id == message.id => mark_own(held, message.own),
                _ => {
                    let is_own = self.take_own_client_id(&message) || message.own;
                    let mut arrived = Arc::new(self.take_changed(message.id).unwrap_or(message));
                    mark_own(&mut arrived, is_own);
                    fresh.push(arrived.clone());
                    self.messages.insert(place, arrived);
                }
            }
        }
        fresh
    }

    /// Adds a page of messages from anywhere in the log. It replaces the earlier part, unless it
    /// reaches the newest part.
    pub fn go_to(&mut self, page: Vec<Message>) {
        self.drop_earlier_part();
        let newest_from = self.oldest();
        let last = page.last().map(|message| message.id);
        self.earlier_until = last.filter(|last| *last < newest_from);
        self.add(page);
    }

    /// Adds the page that follows the earlier part. An empty one shows that nothing is missing.
    pub fn continue_earlier_part(&mut self, page: Vec<Message>) {
        let newest_from = self.messages.get(self.part_end()).map(|message| message.id);
        let last = page.last().map(|message| message.id);
        self.earlier_until = last.filter(|last| Some(*last) < newest_from);
        self.add(page);
    }

    /// Drops the earlier part.
    pub fn drop_earlier_part(&mut self) {
        let end = self.earlier_until.map_or(0, |until| self.index(until + 1));
        self.messages.drain(..end);
        self.earlier_until = None;
    }

    /// The last sequence of the earlier part, if there is one: messages are missing after it.
    pub fn earlier_until(&self) -> Option<u64> {
        self.earlier_until
    }

    /// The index after the last message of the earlier part, or of the log if that has no gap.
    pub fn part_end(&self) -> usize {
        self.earlier_until
            .map_or(self.messages.len(), |until| self.index(until + 1))
    }

    /// Replaces a message by its current version, now or when it arrives.
    pub fn replace(&mut self, message: Message) {
        let place = self.index(message.id);
        if let Some(held) = self
            .messages
            .get_mut(place)
            .filter(|held| held.id == message.id)
        {
            let was_own = held.own;
            *held = Arc::new(message);
            return mark_own(held, was_own);
        }
        let was_own = self.take_changed(message.id).is_some_and(|held| held.own);
        self.changed.push_back(Message {
            own: was_own || message.own,
            ..message
        });
        if self.changed.len() > PAGE_SIZE {
            self.changed.pop_front();
        }
    }

    fn take_changed(&mut self, seq: u64) -> Option<Message> {
        let place = self.changed.iter().position(|changed| changed.id == seq)?;
        self.changed.remove(place)
    }

    /// Gives all messages of an account another display name.
    pub fn rename(&mut self, username: &str, name: &str) {
        let has_other = |message: &Message| {
            message.username == username && message.name.as_deref().is_some_and(|old| old != name)
        };
        for held in self.messages.iter_mut().filter(|held| has_other(held)) {
            Arc::make_mut(held).name = Some(name.to_owned());
        }
        for changed in self.changed.iter_mut().filter(|held| has_other(held)) {
            changed.name = Some(name.to_owned());
        }
    }

    /// Marks a message as the visitor's own.
    pub fn mark_own(&mut self, seq: u64) {
        let place = self.index(seq);
        if let Some(held) = self.messages.get_mut(place).filter(|held| held.id == seq) {
            mark_own(held, true);
        }
    }

    /// Marks the message with this client ID as the visitor's own, now or when it arrives; returns
    /// whether a message that is held was not marked before.
    pub fn mark_own_by_client_id(&mut self, client_id: &str) -> bool {
        let mut newest_first = self.messages.iter_mut().rev();
        let held = newest_first.find(|held| held.client_id.as_deref() == Some(client_id));
        if let Some(held) = held {
            let was_own = held.own;
            mark_own(held, true);
            return !was_own;
        }
        if !self.own_client_ids.iter().any(|own| own == client_id) {
            self.own_client_ids.push_back(client_id.to_owned());
        }
        if self.own_client_ids.len() > PAGE_SIZE {
            self.own_client_ids.pop_front();
        }
        false
    }

    fn take_own_client_id(&mut self, message: &Message) -> bool {
        let place = message
            .client_id
            .as_ref()
            .and_then(|id| self.own_client_ids.iter().position(|own| own == id));
        place
            .and_then(|place| self.own_client_ids.remove(place))
            .is_some()
    }

    /// The message with this sequence, if it is held.
    pub fn find(&self, seq: u64) -> Option<Arc<Message>> {
        self.messages
            .get(self.index(seq))
            .filter(|held| held.id == seq)
            .cloned()
    }

    /// The messages that are held, oldest first.
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

    /// The index of this sequence, or the one that it would have.
    pub fn index(&self, seq: u64) -> usize {
        self.messages.partition_point(|held| held.id < seq)
    }
}

/// Marks a message as the visitor's own, if it is.
fn mark_own(held: &mut Arc<Message>, is_own: bool) {
    if is_own && !held.own {
        Arc::make_mut(held).own = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::message;

    fn log(ids: impl IntoIterator<Item = u64>) -> MessageLog {
        MessageLog::new(ids.into_iter().map(message).collect())
    }

    #[test]
    fn messages_are_held_once_and_in_order() {
        let mut log = log([3, 1, 2]);
        let fresh = log.add(vec![message(5), message(2), message(4), message(5)]);
        assert_eq!(fresh.iter().map(|m| m.id).collect::<Vec<_>>(), [5, 4]);
        assert_eq!(
            log.messages().iter().map(|m| m.id).collect::<Vec<_>>(),
            [1, 2, 3, 4, 5]
        );
        assert!(!log.has_older());
    }

    #[test]
    fn log_has_one_gap_until_the_parts_meet() {
        let page = |ids: std::ops::RangeInclusive<u64>| ids.map(message).collect::<Vec<_>>();
        let held = |log: &MessageLog| log.messages().iter().map(|m| m.id).collect::<Vec<_>>();
        let mut log = log(90..=99);
        log.go_to(page(10..=14));
        assert_eq!((log.part_end(), log.earlier_until()), (5, Some(14)));
        log.go_to(page(30..=34));
        log.add(page(28..=29));
        log.add(page(100..=100));
        assert_eq!(held(&log)[..7], [28, 29, 30, 31, 32, 33, 34]);
        assert_eq!(held(&log)[7..], (90..=100).collect::<Vec<_>>());
        log.continue_earlier_part(page(35..=60));
        assert_eq!(log.earlier_until(), Some(60));
        let mut dropped = log.clone();
        dropped.drop_earlier_part();
        assert_eq!(held(&dropped), (90..=100).collect::<Vec<_>>());
        let mut without_entries = log.clone();
        without_entries.continue_earlier_part(Vec::new());
        assert_eq!(without_entries.earlier_until(), None);
        log.continue_earlier_part(page(61..=95));
        assert_eq!(log.earlier_until(), None);
        assert_eq!(held(&log), (28..=100).collect::<Vec<_>>());
        log.go_to(page(80..=92));
        assert_eq!(
            log.part_end(),
            log.messages().len(),
            "it reaches the newest part"
        );
    }

    #[test]
    fn message_that_changed_before_it_arrived_is_held_in_its_current_version() {
        let body = |log: &MessageLog, id| log.find(id).unwrap().body().to_owned();
        let changed = |id, body: &str| Message {
            content: Some(protocol::MessageContent::text(body)),
            ..message(id)
        };
        let mut log = log([7]);
        log.replace(changed(3, "once"));
        log.replace(changed(3, "twice"));
        assert_eq!(log.messages().len(), 1, "a change alone shows nothing");
        log.add(vec![message(3), message(4)]);
        assert_eq!(body(&log, 3), "twice");
        assert_eq!(body(&log, 4), "4");
        log.replace(changed(3, "later"));
        assert_eq!(body(&log, 3), "later");
    }

    #[test]
    fn own_message_stays_own_in_every_later_version() {
        let own = |id| Message {
            own: true,
            ..message(id)
        };
        let is_own = |log: &MessageLog, id| log.find(id).unwrap().own;
        let mut log = log([7]);
        assert!(!is_own(&log, 7));
        log.add(vec![own(7)]);
        assert!(is_own(&log, 7), "the answer came after the stream");
        log.replace(message(7));
        assert!(is_own(&log, 7), "a change from the stream says nothing");
        log.replace(message(3));
        log.add(vec![own(3)]);
        assert!(is_own(&log, 3), "changed before its page arrived");
    }

    #[test]
    fn message_that_another_tab_wrote_is_own_whether_it_is_held_or_arrives_later() {
        let sent = |id, client_id: &str| Message {
            client_id: Some(client_id.to_owned()),
            ..message(id)
        };
        let is_own = |log: &MessageLog, id| log.find(id).unwrap().own;
        let mut log = MessageLog::new(vec![sent(1, "a"), sent(2, "b"), message(3)]);
        assert!(log.mark_own_by_client_id("a"));
        assert!(!log.mark_own_by_client_id("a"), "it is marked already");
        assert!(!log.mark_own_by_client_id("c"), "nothing shown changes");
        assert!(!log.mark_own_by_client_id("d"));
        log.replace(sent(5, "d"));
        log.add(vec![sent(4, "c"), sent(5, "d"), sent(6, "e"), message(7)]);
        let own: Vec<_> = (1..=7).filter(|id| is_own(&log, *id)).collect();
        assert_eq!(own, [1, 4, 5]);
        for id in 0..500 {
            log.mark_own_by_client_id(&id.to_string());
        }
        assert_eq!(log.own_client_ids.len(), PAGE_SIZE);
    }

    #[test]
    fn account_is_renamed_in_all_its_messages_and_a_guest_of_the_same_name_in_none() {
        let by_account = |id| Message {
            name: Some("Ada".into()),
            ..message(id)
        };
        let mut log = MessageLog::new(vec![by_account(3), message(4)]);
        log.replace(by_account(2));
        log.rename("ada", "Countess");
        log.add(vec![by_account(2)]);
        let shown: Vec<_> = log.messages().iter().map(|m| m.shown_name()).collect();
        assert_eq!(shown, ["Countess", "Countess", "ada"]);
    }

    #[test]
    fn changes_of_messages_that_are_not_held_are_bounded() {
        let mut log = log([7]);
        for id in 1_000..1_500 {
            log.replace(message(id));
        }
        assert_eq!(log.changed.len(), PAGE_SIZE);
    }
}
