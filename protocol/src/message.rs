//! Messages, and requests to send them.

use serde::{Deserialize, Serialize};

use crate::{Author, RoomId, Time};

/// A message, as clients see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Message {
    /// The message's sequence in its room: 1, 2, 3 …, the same for every client. Edits and
    /// deletions use sequences of their own; apart from them there are no gaps.
    #[cfg_attr(feature = "schema", schema(minimum = 1))]
    pub id: u64,
    /// The ID of the message's room.
    #[cfg_attr(feature = "schema", schema(value_type = String, pattern = "^[0-9a-f]{16}$", example = "0123456789abcdef"))]
    pub room: RoomId,
    /// The name under which the author wrote.
    #[cfg_attr(feature = "schema", schema(min_length = 1, max_length = 32))]
    pub username: String,
    /// How the server identified the author; absent if it did not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    pub author: Option<Author>,
    /// The text.
    #[cfg_attr(feature = "schema", schema(max_length = 4000))]
    pub body: String,
    /// When the server accepted the message.
    #[cfg_attr(feature = "schema", schema(value_type = String, format = DateTime))]
    pub sent_at: Time,
    /// When the author last edited the message; absent if never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(value_type = String, format = DateTime, nullable = false))]
    pub edited_at: Option<Time>,
    /// Whether the message was deleted, so that its text is empty; absent if it was not.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub deleted: bool,
    /// A digest of the `Idempotency-Key` under which the message was sent, by which its sender knows
    /// it again: the first 128 bits of the key's SHA-256 in hexadecimal. Absent without a key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(
        feature = "schema",
        schema(nullable = false, pattern = "^[0-9a-f]{32}$")
    )]
    pub client_id: Option<String>,
    /// Whether the caller wrote the message, with the same account or guest's key, under whatever
    /// name; absent if not. Only pages of history say it: a stream is the same for all readers, and
    /// the sender of a message knows its author.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub own: bool,
}

/// A request to send a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct NewMessage {
    /// The name under which the author writes: 1 to 32 characters after trimming, no control
    /// characters.
    #[cfg_attr(feature = "schema", schema(value_type = crate::schema::Username))]
    pub username: String,
    /// The text: 1 to 4,000 characters after trimming; newline and tab are the only control
    /// characters allowed.
    #[cfg_attr(feature = "schema", schema(value_type = crate::schema::Body))]
    pub body: String,
}
