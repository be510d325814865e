//! The requests that the writer receives.

use protocol::{MessageContent, RoomId};

/// A validated request to append to the log of a room.
#[derive(Debug)]
pub(crate) struct WriteRequest {
    pub room: RoomId,
    /// The ID of the person; 0 for an anonymous author and for the server.
    pub author: i64,
    /// The name that the message is posted under; empty for a line of the lobby. For an edit or a
    /// deletion it is the actor's ID in the audit log.
    pub username: String,
    /// What the message says afterwards; `None` for a deletion.
    pub content: Option<MessageContent>,
    /// Requests of an author with the same digest of an idempotency key append one message to a
    /// room.
    pub client_id: Option<String>,
    pub command: Command,
}

/// What the writer does with a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    /// Appends a message.
    Post,
    /// Replaces the content of the message with this sequence number.
    Edit(u64),
    /// Removes the content of the message with this sequence number.
    Delete(u64),
    /// Claims a name in the lobby, and appends a line about it.
    JoinLobby(String),
    /// Releases a name in the lobby, and appends a line about it.
    LeaveLobby(String),
}
