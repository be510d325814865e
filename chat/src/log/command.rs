//! What is asked of the writer.

use protocol::RoomId;

/// A checked message on its way to the log.
#[derive(Debug)]
pub(crate) struct WriteRequest {
    pub room: RoomId,
    /// The ID of the person; 0 for nobody in particular.
    pub author: i64,
    /// Empty for a line that nobody wrote.
    pub username: String,
    pub body: String,
    /// The same key in the same room is the same message.
    pub key: Option<String>,
    pub command: Command,
}

/// What is to be done with a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    /// Say it.
    Post,
    /// Let the message of this sequence say it.
    Edit(u64),
    /// Let the message of this sequence say nothing any more.
    Delete(u64),
    /// Let somebody have this name in the lobby, and say so.
    JoinLobby(String),
    /// Let nobody have this name in the lobby, and say so.
    LeaveLobby(String),
}
