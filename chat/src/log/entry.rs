//! The entry at one sequence number of a room's log: a message, or a change of an earlier message.

use protocol::{Change, Message};

/// An entry of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    Message(Message),
    Change(Change),
}

impl Entry {
    /// The sequence number of the entry.
    pub fn seq(&self) -> u64 {
        match self {
            Self::Message(message) => message.id,
            Self::Change(change) => change.id,
        }
    }

    /// The message, unless the entry is a change.
    pub fn message(&self) -> Option<&Message> {
        match self {
            Self::Message(message) => Some(message),
            Self::Change(_) => None,
        }
    }
}

impl From<Message> for Entry {
    fn from(message: Message) -> Self {
        Self::Message(message)
    }
}
