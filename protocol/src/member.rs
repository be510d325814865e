//! Who belongs to a room, and how others come to.

use serde::{Deserialize, Serialize};

use crate::Time;

/// What somebody may do in a room; each may all that the one before may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum Role {
    /// Reads.
    Reader,
    /// Writes.
    Member,
    /// Keeps order: invites, mutes, removes and bans.
    Moderator,
    /// Says what the room is like, who moderates it, and when it ends.
    Owner,
}

impl Role {
    /// All of them, the least first.
    pub const ALL: [Self; 4] = [Self::Reader, Self::Member, Self::Moderator, Self::Owner];

    /// The role of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }

    /// Its name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Reader => "reader",
            Self::Member => "member",
            Self::Moderator => "moderator",
            Self::Owner => "owner",
        }
    }
}

/// Somebody who belongs to a room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct RoomMember {
    /// What the person is known by in this room's addresses: the username of an account, or `~` and digits for a guest.
    pub id: String,
    /// Under which name they write; `null` for a guest who has not written yet.
    pub username: Option<String>,
    /// What they may do.
    pub role: Role,
    /// Since when they belong to it.
    #[cfg_attr(feature = "schema", schema(value_type = String, format = DateTime))]
    pub since: Time,
}

/// A link by which people join a room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Invitation {
    /// What whoever has it may use.
    pub code: String,
    /// What those who join may do.
    pub role: Role,
    /// When it ends; `null` if it does not by itself.
    #[cfg_attr(feature = "schema", schema(value_type = Option<String>, format = DateTime))]
    pub expires_at: Option<Time>,
    /// How many may still use it; `null` if as many as like.
    pub uses_left: Option<u64>,
}

/// The wish for an invitation; every field may be left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewInvitation {
    /// What those who join may do: reader or member, which is the default.
    pub role: Option<Role>,
    /// How long it lasts, like `2days`.
    pub timeout: Option<String>,
    /// How many may use it.
    pub uses: Option<u64>,
}

/// What keeps somebody from writing in a room, or out of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum Sanction {
    /// May not write.
    Mute,
    /// May not be there.
    Ban,
}

/// Somebody who is kept from something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Sanctioned {
    /// Who, as in [`RoomMember::id`].
    pub id: String,
    /// From what.
    pub kind: Sanction,
    /// Until when; `null` for good.
    #[cfg_attr(feature = "schema", schema(value_type = Option<String>, format = DateTime))]
    pub until: Option<Time>,
}

/// Something that a moderator or an owner did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Deed {
    /// Its place in the order of deeds.
    pub id: u64,
    /// When it was.
    #[cfg_attr(feature = "schema", schema(value_type = String, format = DateTime))]
    pub at: Time,
    /// Who did it, as in [`RoomMember::id`].
    pub actor: String,
    /// What.
    pub deed: String,
    /// To whom or what; empty if to the room.
    pub whom: String,
}
