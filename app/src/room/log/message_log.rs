//! The part of a room's log that this page holds, and the part of that which it draws.
//!
//! Promises: in order of sequence, each message once, however often and in whatever order it arrives; the drawn part
//! stays bounded however far somebody scrolls; a message that changed before it came is held as it is now. Leaves to
//! others: fetching (`visit`) and drawing (`timeline`).

use std::collections::VecDeque;
use std::sync::Arc;

use protocol::Message;

use crate::api::PAGE_SIZE;

/// The messages that this page holds.
#[derive(Clone, Debug, Default)]
pub struct MessageLog {
    messages: Vec<Arc<Message>>,
    /// The latest that changed and are not held: their page of history may be on its way, as they were.
    changed: VecDeque<Message>,
}

impl MessageLog {
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
        if self.changed.len() > PAGE_SIZE {
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

    /// Where this sequence stands, or would stand.
    pub fn index(&self, seq: u64) -> usize {
        self.messages.partition_point(|held| held.id < seq)
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
        let said = |log: &MessageLog, id| log.find(id).unwrap().body.clone();
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
        assert_eq!(log.changed.len(), PAGE_SIZE, "what is kept is bounded");
    }
}
