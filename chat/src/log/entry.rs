//! The entry at one sequence number of a room's log: a message, or a change of an earlier message.

use protocol::{Change, ChangeKind, Message, RoomId};

use crate::store::EntryRow;

/// An entry of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    Message(Message),
    Change(Change),
    /// An entry of a kind that a later version has written.
    Unknown {
        room: RoomId,
        seq: u64,
    },
}

impl Entry {
    /// The entry in a row of a room's log.
    pub fn from_row(room: RoomId, row: EntryRow) -> Self {
        match row {
            EntryRow::Message(message) => Self::Message(message),
            EntryRow::Change { seq, kind, message } => {
                Self::Change(Change::new(kind, seq, message))
            }
            EntryRow::Unknown { seq } => Self::Unknown { room, seq },
        }
    }

    /// The sequence number of the entry.
    pub fn seq(&self) -> u64 {
        match self {
            Self::Message(message) => message.id,
            Self::Change(change) => change.id,
            Self::Unknown { seq, .. } => *seq,
        }
    }

    /// The message, if the entry is one.
    pub fn message(&self) -> Option<&Message> {
        match self {
            Self::Message(message) => Some(message),
            Self::Change(_) | Self::Unknown { .. } => None,
        }
    }

    /// The message, or the message after the change.
    pub fn message_mut(&mut self) -> Option<&mut Message> {
        match self {
            Self::Message(message) => Some(message),
            Self::Change(change) => Some(&mut change.message),
            Self::Unknown { .. } => None,
        }
    }

    /// The kind of change, if the entry is one of a kind that this version knows.
    pub fn change(&self) -> Option<ChangeKind> {
        match self {
            Self::Message(_) | Self::Unknown { .. } => None,
            Self::Change(change) => Some(change.kind),
        }
    }
}

impl From<Message> for Entry {
    fn from(message: Message) -> Self {
        Self::Message(message)
    }
}
