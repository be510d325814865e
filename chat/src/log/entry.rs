//! The entry at one sequence number of a room's log: a message, or a change of an earlier message.

use protocol::{Change, ChangeKind, Message};

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

    /// The kind of change, unless the entry is a message.
    pub fn change(&self) -> Option<ChangeKind> {
        match self {
            Self::Message(_) => None,
            Self::Change(change) => Some(change.kind),
        }
    }
}

impl From<Message> for Entry {
    fn from(message: Message) -> Self {
        Self::Message(message)
    }
}
