//! The overview: all rooms and direct messages of one person, with unread counts.

use serde::{Deserialize, Serialize};

use crate::{Message, Room, RoomId};

/// The rooms and direct messages of one person.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Overview {
    /// The rooms that the person belongs to, and further rooms that the request named; the most
    /// recently active first.
    pub rooms: Vec<Room>,
    /// The person's direct messages by conversation, the most recent first.
    pub chats: Vec<DirectChat>,
}

/// The direct messages between two accounts, as one of the two sees them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct DirectChat {
    /// The username of the other participant.
    pub username: String,
    /// The name of the other participant, for display.
    pub name: String,
    /// The ID of the room that stores the messages.
    #[cfg_attr(feature = "schema", schema(value_type = String, pattern = "^[0-9a-f]{16}$", example = "0123456789abcdef"))]
    pub room: RoomId,
    /// The number of unread messages from the other participant.
    pub unread: u64,
    /// The newest message, with the first 200 characters of its text; `null` if there is none.
    pub last: Option<Message>,
}
