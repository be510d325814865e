//! The overview: all rooms and direct chats of one person, with unread counts.

use serde::{Deserialize, Serialize};

use crate::{Message, Room, RoomId};

/// The rooms and direct chats of one person.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Overview {
    /// The rooms that the person belongs to, and further rooms that the request named; the most
    /// recently active first.
    pub rooms: Vec<Room>,
    /// The person's direct chats that have messages, the most recent first.
    pub chats: Vec<DirectChat>,
}

/// A direct chat, as one of its two participants sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct DirectChat {
    /// The username of the other participant.
    pub username: String,
    /// The name of the other participant, for display.
    pub name: String,
    /// The ID of the room that stores the direct chat.
    #[cfg_attr(feature = "schema", schema(value_type = String, pattern = "^[0-9a-f]{16}$", example = "0123456789abcdef"))]
    pub room: RoomId,
    /// The number of unread messages from the other participant.
    pub unread: u64,
    /// The newest message; `null` if there is none.
    pub last: Option<Message>,
}
