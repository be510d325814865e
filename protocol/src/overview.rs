//! The overview: all rooms and direct chats of one person, with unread counts.

use serde::{Deserialize, Serialize};

use crate::{Conversation, Room};

/// The rooms and direct chats of one person.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Overview {
    /// The rooms that the person belongs to, and further rooms that the request named; the most
    /// recently active first.
    pub rooms: Vec<Room>,
    /// The person's direct chats that have messages, the most recent first.
    pub chats: Vec<Conversation>,
}
