//! The requests that the writer receives.

use std::net::IpAddr;

use protocol::{FileId, MessageContent, RoomId, client_id};
use sha2::{Digest, Sha256};

use crate::store::{AccountSession, KeyDigests};

/// A validated request to append to the log of a room.
#[derive(Debug)]
pub(crate) struct WriteRequest {
    pub room: RoomId,
    /// The ID of the person; 0 for an anonymous author and for the server.
    pub author: i64,
    /// The author's session, if the author has an account.
    pub session: Option<AccountSession>,
    /// The name that the message is posted under; empty for a line of the lobby. For an edit or a
    /// deletion it is the actor's ID in the audit log.
    pub username: String,
    /// What the message says afterwards; `None` for a deletion.
    pub content: Option<MessageContent>,
    /// The files of the message to post.
    pub files: Vec<FileId>,
    /// What they show, in the same order; a file without one has no description.
    pub alts: Vec<String>,
    pub key: Option<KeyDigests>,
    pub command: Command,
}

/// The idempotency key of a post: the posts of an author with the same key append one message to a
/// room.
#[derive(Clone, Copy, Debug)]
pub struct IdempotencyKey<'a> {
    /// The key itself.
    pub text: &'a str,
    /// The network address of the caller, which tells anonymous authors apart.
    pub address: Option<IpAddr>,
}

/// The key of a caller without an address.
impl<'a> From<&'a str> for IdempotencyKey<'a> {
    fn from(text: &'a str) -> Self {
        let address = None;
        Self { text, address }
    }
}

impl IdempotencyKey<'_> {
    /// The digests of the key and of what was posted with it. `author` is the ID of the person; 0
    /// for an anonymous author, and `files` a text that differs between other files.
    pub(crate) fn digests(self, author: i64, content: &MessageContent, files: &str) -> KeyDigests {
        let address = self.address.filter(|_| author == 0);
        let address = address.map(|address| address.to_string());
        let said = match files {
            "" => mixed_digest(self.text, &content.body),
            // No text has the character that ends it here.
            files => mixed_digest(self.text, &format!("{}\0{files}", content.body)),
        };
        KeyDigests {
            client_id: client_id(self.text),
            sender: address.map_or(0, |address| mixed_digest(self.text, &address)),
            content: said,
        }
    }
}

/// A digest of a value that cannot be guessed without the key, which is not stored.
fn mixed_digest(key: &str, value: &str) -> i64 {
    let length = key.len().to_be_bytes();
    let digest = Sha256::new()
        .chain_update(length)
        .chain_update(key)
        .chain_update(value)
        .finalize();
    let beginning = digest.first_chunk().copied().unwrap_or_default();
    i64::from_be_bytes(beginning)
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
    /// Removes one file of the message with this sequence number.
    RemoveFile(u64, FileId),
    /// Claims a name in the lobby, and appends a line about it.
    JoinLobby(String),
    /// Releases a name in the lobby, and appends a line about it.
    LeaveLobby(String),
}
