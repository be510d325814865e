//! Rooms, room IDs, and requests to create or change a room.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::{Account, NotificationLevel, Role, Time};

/// A room's ID in URLs: 16 lower-case hexadecimal characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RoomId([u8; 8]);

impl RoomId {
    /// Returns the ID with these eight bytes. Take them from the operating system's random source
    /// for a new room, because in open rooms the ID is the only secret.
    pub fn from_bytes(bytes: [u8; 8]) -> Self {
        Self(bytes)
    }

    /// Returns the eight bytes.
    pub fn bytes(self) -> [u8; 8] {
        self.0
    }

    /// Returns the sixteen hexadecimal digits, each 0 to 15, in writing order.
    pub fn digits(self) -> [u8; 16] {
        std::array::from_fn(|i| {
            if i % 2 == 0 {
                self.0[i / 2] >> 4
            } else {
                self.0[i / 2] & 15
            }
        })
    }

    /// Finds the ID in pasted text: an ID alone or a room's link, in upper or lower case.
    pub fn find_in(pasted: &str) -> Option<Self> {
        let pasted = pasted.trim();
        let id = match pasted.split_once("/rooms/") {
            Some((_, rest)) => rest.split(['/', '?', '#']).next().unwrap_or(rest),
            None => pasted,
        };
        id.to_ascii_lowercase().parse().ok()
    }
}

impl fmt::Display for RoomId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", u64::from_be_bytes(self.0))
    }
}

/// The error for text that is not 16 lower-case hexadecimal characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseRoomIdError;

impl fmt::Display for ParseRoomIdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a room ID is 16 characters, each 0-9 or a-f")
    }
}

impl std::error::Error for ParseRoomIdError {}

impl FromStr for RoomId {
    type Err = ParseRoomIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let hex = |b: &u8| matches!(b, b'0'..=b'9' | b'a'..=b'f');
        if text.len() != 16 || !text.as_bytes().iter().all(hex) {
            return Err(ParseRoomIdError);
        }
        let number = u64::from_str_radix(text, 16).map_err(|_| ParseRoomIdError)?;
        Ok(Self(number.to_be_bytes()))
    }
}

impl Serialize for RoomId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for RoomId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

/// A room, as clients see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Room {
    /// The room's ID.
    #[cfg_attr(feature = "schema", schema(value_type = String, pattern = "^[0-9a-f]{16}$", example = "0123456789abcdef"))]
    pub id: RoomId,
    /// The room's name; `null` if it has none.
    #[cfg_attr(feature = "schema", schema(min_length = 1, max_length = 80))]
    pub name: Option<String>,
    /// Whether `GET /rooms/` lists the room.
    pub public: bool,
    /// When the room was created.
    #[cfg_attr(feature = "schema", schema(value_type = String, format = DateTime))]
    pub created_at: Time,
    /// When the newest message was sent; the room's creation while it has no message.
    #[cfg_attr(feature = "schema", schema(value_type = String, format = DateTime))]
    pub last_active_at: Time,
    /// When the room is archived and deleted if no further message is sent.
    #[cfg_attr(feature = "schema", schema(value_type = String, format = DateTime))]
    pub expires_at: Time,
    /// The number of messages. It equals the `id` of the newest message unless messages were edited
    /// or deleted.
    pub message_count: u64,
    /// The room's description; absent if it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false, max_length = 500))]
    pub description: Option<String>,
    /// Whether only members can find and read the room; absent if not.
    #[serde(default, skip_serializing_if = "is_false")]
    pub private: bool,
    /// Whether only moderators can write; absent if not.
    #[serde(default, skip_serializing_if = "is_false")]
    pub read_only: bool,
    /// The number of seconds that each person must wait between two messages; absent if 0.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub slow_mode: u64,
    /// The caller's role in the room; absent if the caller is no member.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "known_role"
    )]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    pub role: Option<Role>,
    /// Whether the caller is muted in the room; absent if not.
    #[serde(default, skip_serializing_if = "is_false")]
    pub muted: bool,
    /// When the caller's mute ends; absent if it does not end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(value_type = String, format = DateTime, required = false))]
    pub muted_until: Option<Time>,
    /// The number of other people's messages that the caller has not read. Only overviews have it;
    /// absent if 0.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub unread: u64,
    /// The number of unread messages that mention the caller by the username of their account, among
    /// the first 100 unread ones. Only overviews have it; absent if 0.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub mentions: u64,
    /// Which messages of the room notify the caller; absent for `mentions`, the default.
    #[serde(
        default,
        skip_serializing_if = "is_default_level",
        deserialize_with = "known_level"
    )]
    #[cfg_attr(feature = "schema", schema(required = false))]
    pub level: NotificationLevel,
    /// The sequence number up to which the caller has read the room. Only the answer for one room has
    /// it; absent if the caller is no member.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    pub read_seq: Option<u64>,
    /// The people whose role everyone in the room sees, at most 100: the owner, the operators of the
    /// server if the room is not private, and the moderators. Each is the role (`owner`, `operator`
    /// or `moderator`; others may be added), a space, and the name under which the person writes,
    /// after `~` for a guest: `owner ada`, `moderator ~Ben B.`. A guest who has not written has no
    /// name and is left out. Only the answer for one room has it; absent if there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "schema", schema(value_type = Option<Vec<String>>, nullable = false, max_items = 100, example = json!(["owner ada"])))]
    pub roles: Vec<String>,
    /// The other participant, if the room holds direct messages of the caller; else absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    pub with: Option<Account>,
}

impl Room {
    /// Returns whether nothing in the room notifies the caller, so that its unread messages do not
    /// count.
    pub fn is_silent(&self) -> bool {
        self.level == NotificationLevel::None
    }
}

/// Reads a role that a later version of the server may have added as none.
fn known_role<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Role>, D::Error> {
    let name = Option::<String>::deserialize(deserializer)?;
    Ok(name.and_then(|name| Role::from_name(&name)))
}

/// Reads a level that a later version of the server may have added as the default.
pub(crate) fn known_level<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<NotificationLevel, D::Error> {
    let name = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
    Ok(NotificationLevel::from_name(&name).unwrap_or_default())
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
pub(crate) fn is_default_level(level: &NotificationLevel) -> bool {
    *level == NotificationLevel::default()
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_false(flag: &bool) -> bool {
    !flag
}

// On wasm32 a reference is smaller than the number, so the lint does not fire there.
#[cfg_attr(
    target_pointer_width = "64",
    expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "serde passes a reference"
    )
)]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// A request to change a room's settings. Absent fields stay as they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoomChange {
    /// The new name; empty removes the name.
    pub name: Option<String>,
    /// The new description; empty removes it.
    pub description: Option<String>,
    /// Whether `GET /rooms/` lists the room.
    pub public: Option<bool>,
    /// Whether only members can find and read the room.
    pub private: Option<bool>,
    /// How long the room may stay without a new message, for example `30m`.
    pub timeout: Option<String>,
    /// Whether only moderators can write.
    pub read_only: Option<bool>,
    /// The number of seconds that each person must wait between two messages; 0 for no wait.
    pub slow_mode: Option<u64>,
}

/// A request to create a room. Every field is optional.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewRoom {
    /// The room's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Whether `GET /rooms/` lists the room (default: no).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public: Option<bool>,
    /// How long the room may stay without a new message, for example `30m`. The server's own limit
    /// is the maximum and the default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<String>,
    /// Whether only members can find and read the room (default: no).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub private: Option<bool>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_sixteen_lower_case_hex_digits_parse_as_an_id() {
        let id: RoomId = "0123456789abcdef".parse().unwrap();
        assert_eq!(id.to_string(), "0123456789abcdef");
        assert_eq!(
            id.digits(),
            std::array::from_fn(|i| u8::try_from(i).unwrap())
        );
        for wrong in [
            "",
            "0123456789ABCDEF",
            "0123456789abcde",
            "0123456789abcdef0",
            "+123456789abcdef",
            "०१२३",
        ] {
            assert_eq!(wrong.parse::<RoomId>(), Err(ParseRoomIdError), "{wrong}");
        }
    }

    #[test]
    fn pasted_id_or_link_gives_the_id() {
        let id = "0123456789abcdef".parse().ok();
        for text in [
            "0123456789abcdef",
            " 0123456789ABCDEF\n",
            "https://chat.example/rooms/0123456789abcdef/?a#b",
            "/rooms/0123456789abcdef",
        ] {
            assert_eq!(RoomId::find_in(text), id, "{text}");
        }
        for text in [
            "",
            "https://chat.example/",
            "https://chat.example/rooms/",
            "0123456789abcdef/",
        ] {
            assert_eq!(RoomId::find_in(text), None, "{text}");
        }
    }

    #[test]
    fn room_is_read_with_a_known_role_an_unknown_one_or_none() {
        let json = |role: &str| {
            let zero = "1970-01-01T00:00:00.000Z";
            format!(
                r#"{{"id":"0000000000000001","name":null,"public":true,"created_at":"{zero}",
                "last_active_at":"{zero}","expires_at":"{zero}","message_count":0{role}}}"#
            )
        };
        let role = |text: &str| serde_json::from_str::<Room>(&json(text)).map(|room| room.role);
        assert_eq!(role(r#","role":"owner""#).unwrap(), Some(Role::Owner));
        assert_eq!(role(r#","role":"jester""#).unwrap(), None);
        assert_eq!(role("").unwrap(), None);
        assert!(role(r#","role":1"#).is_err());
    }

    #[test]
    fn room_is_read_with_a_known_level_an_unknown_one_or_none() {
        let zero = "1970-01-01T00:00:00.000Z";
        let level = |text: &str| {
            let json = format!(
                r#"{{"id":"0000000000000001","name":null,"public":true,"created_at":"{zero}",
                "last_active_at":"{zero}","expires_at":"{zero}","message_count":0{text}}}"#
            );
            serde_json::from_str::<Room>(&json).unwrap().level
        };
        assert_eq!(level(r#","level":"none""#), NotificationLevel::None);
        assert_eq!(level(r#","level":"loud""#), NotificationLevel::Mentions);
        assert_eq!(level(""), NotificationLevel::Mentions);
    }

    #[test]
    fn id_with_leading_zeros_displays_all_digits() {
        assert_eq!(
            RoomId::from_bytes([0, 0, 0, 0, 0, 0, 0, 1]).to_string(),
            "0000000000000001"
        );
    }
}
