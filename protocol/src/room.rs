//! A room as clients see it, and the wish for a new one.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::{Account, Role, Time};

/// A room's name in URLs: 16 lower-case hexadecimal characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RoomId([u8; 8]);

impl RoomId {
    /// The ID with these eight bytes, which must come from the operating system's random source when the room is new.
    pub fn from_bytes(bytes: [u8; 8]) -> Self {
        Self(bytes)
    }

    /// The eight bytes.
    pub fn bytes(self) -> [u8; 8] {
        self.0
    }

    /// The sixteen digits, each 0 to 15, in the order they are written.
    pub fn digits(self) -> [u8; 16] {
        std::array::from_fn(|i| {
            if i % 2 == 0 {
                self.0[i / 2] >> 4
            } else {
                self.0[i / 2] & 15
            }
        })
    }

    /// The ID that somebody pasted, alone or in a room's link, in either case of letters.
    pub fn find(pasted: &str) -> Option<Self> {
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

/// Text that is not 16 lower-case hexadecimal characters.
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

/// A room, as every client sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Room {
    /// The room's name in URLs.
    #[cfg_attr(feature = "schema", schema(value_type = String, pattern = "^[0-9a-f]{16}$", example = "0123456789abcdef"))]
    pub id: RoomId,
    /// What people call it; `null` if it was given no name.
    #[cfg_attr(feature = "schema", schema(min_length = 1, max_length = 80))]
    pub name: Option<String>,
    /// Whether `GET /rooms/` lists it.
    pub public: bool,
    /// When it was created.
    #[cfg_attr(feature = "schema", schema(value_type = String, format = DateTime))]
    pub created_at: Time,
    /// When its newest message was sent; its creation while it has none.
    #[cfg_attr(feature = "schema", schema(value_type = String, format = DateTime))]
    pub last_active_at: Time,
    /// When it is deleted unless another message is sent.
    #[cfg_attr(feature = "schema", schema(value_type = String, format = DateTime))]
    pub expires_at: Time,
    /// How many messages it has; the `id` of its newest one, unless messages were changed.
    pub message_count: u64,
    /// What it is about; left out if nobody said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false, max_length = 500))]
    pub description: Option<String>,
    /// Whether only its members may know of it; left out if not.
    #[serde(default, skip_serializing_if = "is_not")]
    pub private: bool,
    /// Whether only its moderators may write; left out if not.
    #[serde(default, skip_serializing_if = "is_not")]
    pub read_only: bool,
    /// How many seconds each waits between two messages; left out if nobody has to.
    #[serde(default, skip_serializing_if = "is_none")]
    pub slow_mode: u64,
    /// What whoever asks is in it; left out if nothing in particular.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    pub role: Option<Role>,
    /// How many messages of others whoever asks has not read; only in an overview, and left out if none.
    #[serde(default, skip_serializing_if = "is_none")]
    pub unread: u64,
    /// With whom it is a direct chat, as the one of its two sees it who asks; left out of every other room.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    pub with: Option<Account>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_not(flag: &bool) -> bool {
    !flag
}

// In the browser a reference is smaller than the number.
#[cfg_attr(
    target_pointer_width = "64",
    expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")
)]
fn is_none(number: &u64) -> bool {
    *number == 0
}

/// What is to be different about a room; what is left out stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoomChange {
    /// What people call it; empty for no name.
    pub name: Option<String>,
    /// What it is about; empty for nothing.
    pub description: Option<String>,
    /// Whether `GET /rooms/` lists it.
    pub public: Option<bool>,
    /// Whether only its members may know of it.
    pub private: Option<bool>,
    /// How long it may stay without a new message.
    pub timeout: Option<String>,
    /// Whether only its moderators may write.
    pub read_only: Option<bool>,
    /// How many seconds each waits between two messages; 0 for none.
    pub slow_mode: Option<u64>,
}

/// The wish for a new room; every field may be left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct NewRoom {
    /// What people call it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(
        feature = "schema",
        schema(
            pattern = r"^[\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]*[^\s\x00-\x1f\x7f-\x9f]([^\x00-\x1f\x7f-\x9f]{0,78}[^\s\x00-\x1f\x7f-\x9f])?[\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]*$"
        )
    )]
    pub name: Option<String>,
    /// Whether `GET /rooms/` lists it; not unless asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public: Option<bool>,
    /// How long it may stay without a new message, like `30m`: at most the server's own limit, which is the default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(example = "30m"))]
    pub timeout: Option<String>,
    /// Whether only its members may know of it; not unless asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub private: Option<bool>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_sixteen_lower_case_digits() {
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
    fn a_pasted_id_or_link_is_understood() {
        let id = "0123456789abcdef".parse().ok();
        for text in [
            "0123456789abcdef",
            " 0123456789ABCDEF\n",
            "https://chat.example/rooms/0123456789abcdef/?a#b",
            "/rooms/0123456789abcdef",
        ] {
            assert_eq!(RoomId::find(text), id, "{text}");
        }
        for text in [
            "",
            "https://chat.example/",
            "https://chat.example/rooms/",
            "0123456789abcdef/",
        ] {
            assert_eq!(RoomId::find(text), None, "{text}");
        }
    }

    #[test]
    fn ids_keep_their_leading_zeros() {
        assert_eq!(
            RoomId::from_bytes([0, 0, 0, 0, 0, 0, 0, 1]).to_string(),
            "0000000000000001"
        );
    }
}
