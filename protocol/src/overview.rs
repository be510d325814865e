//! The overview: all rooms and direct messages of one person, with unread counts.

use serde::{Deserialize, Serialize};

use crate::room::{is_default_level, known_level};
use crate::{Message, NotificationLevel, NotificationSettings, Room, RoomId};

/// The rooms and direct messages of one person.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Overview {
    /// The person's own rooms: those that they belong to or keep, and those that the request named
    /// and the person has not hidden; the most recently active first.
    pub rooms: Vec<Room>,
    /// The rooms that the same stream follows and that are not among the person's own; absent if
    /// there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub open: Vec<Room>,
    /// The person's direct messages by conversation, the most recent first.
    pub chats: Vec<DirectChat>,
}

/// An overview with the notification settings of the person. The page reads only the overview.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PersonOverview {
    /// The rooms and direct messages.
    #[serde(flatten)]
    pub overview: Overview,
    /// The username of the person's account; `null` without one.
    pub username: Option<String>,
    /// When the person receives no notifications.
    pub notifications: NotificationSettings,
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
    /// Which messages notify the person; absent for `mentions`, the default.
    #[serde(
        default,
        skip_serializing_if = "is_default_level",
        deserialize_with = "known_level"
    )]
    #[cfg_attr(feature = "schema", schema(required = false))]
    pub level: NotificationLevel,
}
