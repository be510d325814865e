//! A message as clients see it, and the wish to send one.

use serde::{Deserialize, Serialize};

use crate::{Author, RoomId, Time};

/// A message, as every client sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Message {
    /// Its sequence in its room: 1, 2, 3 … the same for everyone, without gaps but for later changes of messages.
    #[cfg_attr(feature = "schema", schema(minimum = 1))]
    pub id: u64,
    /// The room it was sent to.
    #[cfg_attr(feature = "schema", schema(value_type = String, pattern = "^[0-9a-f]{16}$", example = "0123456789abcdef"))]
    pub room: RoomId,
    /// Who sent it.
    #[cfg_attr(feature = "schema", schema(min_length = 1, max_length = 32))]
    pub username: String,
    /// How far the server knows who that is; left out if it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    pub author: Option<Author>,
    /// Its text.
    #[cfg_attr(feature = "schema", schema(max_length = 4000))]
    pub body: String,
    /// When the server took it.
    #[cfg_attr(feature = "schema", schema(value_type = String, format = DateTime))]
    pub sent_at: Time,
    /// When its author changed it last; left out if never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(value_type = String, format = DateTime, nullable = false))]
    pub edited_at: Option<Time>,
    /// Whether it was deleted, and its text is gone; left out if not.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub deleted: bool,
}

/// What can happen to a message after it was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum ChangeKind {
    /// Its author wrote it anew.
    Edit = 1,
    /// Its author or a moderator deleted it.
    Deletion = 2,
}

impl ChangeKind {
    /// Every kind.
    pub const ALL: [Self; 2] = [Self::Edit, Self::Deletion];

    /// Its name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Edit => "edit",
            Self::Deletion => "deletion",
        }
    }
}

/// A change of an earlier message, with a sequence of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Change {
    /// What happened.
    pub event: ChangeKind,
    /// Its sequence in the room.
    pub id: u64,
    /// The room.
    #[cfg_attr(feature = "schema", schema(value_type = String, pattern = "^[0-9a-f]{16}$", example = "0123456789abcdef"))]
    pub room: RoomId,
    /// The message as it is now.
    pub message: Message,
}

/// The wish to send a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct NewMessage {
    /// Who sends it: 1 to 32 characters after trimming, no control characters.
    #[cfg_attr(feature = "schema", schema(value_type = crate::schema::Username))]
    pub username: String,
    /// Its text: 1 to 4,000 characters after trimming; newline and tab are the only control characters allowed.
    #[cfg_attr(feature = "schema", schema(value_type = crate::schema::Body))]
    pub body: String,
}
