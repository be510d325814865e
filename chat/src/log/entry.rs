//! What a room's log holds at one sequence: a message, or a change of an earlier one.

use protocol::{Change, Message};

/// An entry of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    Message(Message),
    Change(Change),
}

impl Entry {
    /// Its sequence.
    pub fn seq(&self) -> u64 {
        match self {
            Self::Message(message) => message.id,
            Self::Change(change) => change.id,
        }
    }

    /// The message that it is, if it is one.
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
