//! What is decided about write requests.

use protocol::{Message, Refusal, RoomId};

use crate::lifetime::Lifetime;
use crate::log::entry::Entry;
use crate::store::RowChange;

/// An entry that a granted request appended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Appended {
    pub room: RoomId,
    pub entry: Entry,
    /// The lifetime of the room after the entry; `None` if an earlier request with the same
    /// idempotency key appended the entry.
    pub lifetime: Option<Lifetime>,
}

/// What a granted request leads to.
#[derive(Debug)]
pub(crate) struct AppendedMessage {
    /// The message as it is now.
    pub message: Message,
    /// Whether an earlier request has appended it.
    pub is_repeated: bool,
}

impl Appended {
    /// The message; `None` for an entry that this version would not append.
    pub fn into_message(self) -> Option<AppendedMessage> {
        let message = match self.entry {
            Entry::Message(message) => message,
            Entry::Change(change) => change.message,
            Entry::Unknown { .. } => return None,
        };
        Some(AppendedMessage {
            message,
            is_repeated: self.lifetime.is_none(),
        })
    }
}

/// The decision about a request.
pub(crate) type Outcome = Result<Appended, Refusal>;

/// A batch that is committed.
#[derive(Debug, Default)]
pub(crate) struct Committed {
    /// One for each request.
    pub outcomes: Vec<Outcome>,
    /// The rooms in which a person whose role everyone sees writes under another name than before.
    pub renamed_moderators: Vec<RoomId>,
    /// Whether messages have lost files, whose bytes are to be deleted.
    pub has_removed_files: bool,
}

impl Decisions {
    /// Whether messages lose files.
    pub fn remove_files(&self) -> bool {
        let mut changes = self.row_changes.iter();
        changes.any(|change| matches!(change, RowChange::RemoveFiles { .. }))
    }
}

/// The decision about a batch.
#[derive(Debug, Default)]
pub(crate) struct Decisions {
    /// One for each request.
    pub outcomes: Vec<Outcome>,
    /// The changes of rows beside the log, in order.
    pub row_changes: Vec<RowChange>,
}
