//! What the writer loads to decide about a batch of requests, and what it appends.

use protocol::{ChangeKind, FileId, Message, Role, RoomId};

use crate::store::rows::{ActiveSanction, MessageRow};
use crate::store::sql::{FromRow, Row};

/// The columns of an open room that an entry reads or changes. Times are milliseconds since the
/// Unix epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OpenRoom {
    /// The small number of the room, which the keys of its messages begin with.
    pub number: i64,
    /// The newest sequence number.
    pub head: i64,
    pub message_count: i64,
    /// The length of all texts, in bytes.
    pub text_bytes: i64,
    pub timeout: i64,
    pub last_active_at: i64,
    pub expires_at: i64,
    /// Whether the room restricts who may write, or how often.
    pub has_policy: bool,
    /// Whether a guest has claimed a name in the room.
    pub has_name_claims: bool,
    /// Whether the room has changed since it was loaded.
    pub is_changed: bool,
    /// Whether the minute of `last_active_at` has changed.
    pub is_minute_changed: bool,
}

/// The write policy of a room for one person. Times are milliseconds since the Unix epoch.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct WritePolicy {
    /// Whether only members may know of the room.
    pub hidden: bool,
    pub read_only: bool,
    /// The pause between two messages in slow mode, in milliseconds; 0 without slow mode.
    pub slow_mode: i64,
    pub role: Option<Role>,
    pub sanction: Option<ActiveSanction>,
    /// When the person last wrote in slow mode.
    pub last_write: Option<i64>,
}

/// A message, and who wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StoredMessage {
    /// The ID of the person; 0 for an anonymous author.
    pub author: i64,
    pub message: Message,
}

/// The digests of an idempotency key and of what was posted with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KeyDigests {
    /// The digest that the message carries.
    pub client_id: String,
    /// Tells anonymous authors apart; 0 for all others.
    pub sender: i64,
    /// Tells another text from a repeated one.
    pub content: i64,
}

/// The message of an earlier request with the same idempotency key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EarlierMessage {
    pub stored: StoredMessage,
    /// The digest of what it first said; `None` if that is not known any more.
    pub content: Option<i64>,
}

/// An entry of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum EntryRow {
    Message(Message),
    /// A change, and the message as it is now.
    Change {
        seq: u64,
        kind: ChangeKind,
        message: Message,
    },
    /// An entry of a kind that a later version has written.
    Unknown {
        seq: u64,
    },
}

impl FromRow for EntryRow {
    fn from_row(row: &Row) -> sqlx::Result<Self> {
        let seq = row.try_get::<i64, _>("place")?.unsigned_abs();
        let stored: i64 = row.try_get("kind")?;
        if stored == 0 {
            return Ok(Self::Message(MessageRow::from_row(row)?.0));
        }
        let mut known = ChangeKind::ALL.into_iter();
        Ok(match known.find(|kind| *kind as i64 == stored) {
            Some(kind) => Self::Change {
                seq,
                kind,
                message: MessageRow::from_row(row)?.0,
            },
            None => Self::Unknown { seq },
        })
    }
}

/// The name that a guest writes under in a room, or that a client has in the lobby.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NameClaim {
    /// 0 in the lobby.
    pub person: i64,
    pub name: String,
    /// The skeleton of the name in lower case.
    pub skeleton: String,
    /// The skeleton of the name as it is written.
    pub cased_skeleton: String,
}

/// A change of a row beside the log, made with the entry of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum RowChange {
    /// A guest claims a name, instead of the one that the guest has in the room.
    ClaimName { room: RoomId, claim: NameClaim },
    /// A person has written in slow mode.
    RecordWrite { room: RoomId, person: i64 },
    /// A client claims a name in the lobby from a sequence number on.
    ClaimLobbyName {
        room: RoomId,
        claim: NameClaim,
        since: i64,
    },
    /// A client releases its name in the lobby.
    ReleaseLobbyName { room: RoomId, name: String },
    /// A moderator has deleted the message of another author, or a file of it.
    RecordDeletion {
        room: RoomId,
        actor: String,
        action: &'static str,
        target: u64,
    },
    /// A message that is inserted with this change has these files.
    AttachFiles {
        /// The key of the message.
        message: i64,
        files: Vec<FileId>,
        /// The files as they are stored with the message.
        stored: Option<String>,
    },
    /// A message has these files no more, and their bytes are to be deleted.
    RemoveFiles {
        /// The key of the message.
        message: i64,
        files: Vec<FileId>,
        /// The other files of the message, as they are stored with it.
        rest: Option<String>,
    },
}
