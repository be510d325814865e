//! The overview: what somebody has on this server, at a glance.

use serde::{Deserialize, Serialize};

use crate::{Conversation, Room};

/// The rooms and the conversations of one person.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Overview {
    /// The rooms that they belong to, and those that were asked for besides; the most recently active first.
    pub rooms: Vec<Room>,
    /// Their direct chats in which something was said, the latest first.
    pub chats: Vec<Conversation>,
}
