//! A message as clients see it, and the wish to send one.

use serde::{Deserialize, Serialize};

use crate::{Author, RoomId, Time};

/// A message, as every client sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Message {
    /// Its sequence in its room: 1, 2, 3 … without gaps, the same for everyone.
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
    #[cfg_attr(feature = "schema", schema(min_length = 1, max_length = 4000))]
    pub body: String,
    /// When the server took it.
    #[cfg_attr(feature = "schema", schema(value_type = String, format = DateTime))]
    pub sent_at: Time,
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
