//! The state that a batch of write requests is decided by.

use std::collections::{HashMap, HashSet};

use protocol::{FileId, RoomEnd, RoomId};

use crate::log::command::WriteRequest;
use crate::store::file_rows::FileRow;
use crate::store::{AccountSession, NameClaim, OpenRoom, StoredMessage, WritePolicy};

/// What is known of a room.
#[derive(Clone, Copy, Debug)]
pub(crate) enum RoomState {
    Open(OpenRoom),
    NotOpen,
}

/// A person in a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct RoomPerson {
    pub room: RoomId,
    pub person: i64,
}

/// A message in a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct MessageId {
    pub room: RoomId,
    pub seq: u64,
}

/// A message by its author and the digest of its idempotency key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ClientMessageId {
    pub author: RoomPerson,
    /// Tells anonymous authors apart.
    pub sender: i64,
    pub client_id: String,
}

/// What is known of the message of an earlier request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct EarlierRequest {
    pub seq: u64,
    /// The digest of what it first said; `None` if that is not known any more.
    pub content: Option<i64>,
}

/// The state that a batch is decided by. It has everything that a request of the batch refers to.
#[derive(Debug, Default)]
pub(crate) struct BatchState {
    /// The time of deadlines, in milliseconds since the Unix epoch.
    pub now: i64,
    /// The time that readers see.
    pub wall_time: i64,
    /// The most bytes that the texts of a room may have.
    pub room_bytes: i64,
    /// Whether the disk has no space for more text.
    pub is_disk_full: bool,
    pub rooms: HashMap<RoomId, RoomState>,
    /// For the authors of requests to rooms that are not open: how a room ended that the author could
    /// find.
    pub ended: HashMap<RoomPerson, Option<RoomEnd>>,
    /// The policies of rooms that have one, and of all rooms where a request changes a message.
    pub policies: HashMap<RoomPerson, WritePolicy>,
    /// The messages that requests change or that have one of their idempotency keys.
    pub messages: HashMap<MessageId, StoredMessage>,
    /// The messages that requests change, whether or not they exist.
    pub targets: HashSet<MessageId>,
    /// The messages that have an idempotency key of a request.
    pub earlier: HashMap<ClientMessageId, EarlierRequest>,
    /// The files of requests, those that exist.
    pub files: HashMap<FileId, FileRow>,
    /// The claims that look like a name of a request.
    pub claims: HashMap<RoomId, Vec<NameClaim>>,
    /// The names of requests that look like the username of an account.
    pub registered: HashSet<String>,
    /// The names in the lobby that look like a name of a request.
    pub lobby_names: HashMap<RoomId, Vec<NameClaim>>,
    /// The display names of the accounts among the authors, by their sessions; `None` for a session
    /// that has ended.
    pub sessions: HashMap<AccountSession, Option<String>>,
}

impl RoomPerson {
    pub fn author_of(request: &WriteRequest) -> Self {
        Self {
            room: request.room,
            person: request.author,
        }
    }
}

impl ClientMessageId {
    pub fn of(request: &WriteRequest) -> Option<Self> {
        let key = request.key.as_ref()?;
        Some(Self {
            author: RoomPerson::author_of(request),
            sender: key.sender,
            client_id: key.client_id.clone(),
        })
    }
}
