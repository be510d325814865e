//! Members of a room, their roles, invitations, sanctions and the audit log.

use serde::{Deserialize, Serialize};

use crate::Time;

/// A member's role in a room. Each role includes the permissions of the roles before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum Role {
    /// Reads messages.
    Reader,
    /// Writes messages.
    Member,
    /// Invites, mutes, removes and bans people, and deletes messages.
    Moderator,
    /// Changes the room's settings and roles, and closes the room.
    Owner,
}

impl Role {
    /// All roles, the one with the fewest permissions first.
    pub const ALL: [Self; 4] = [Self::Reader, Self::Member, Self::Moderator, Self::Owner];

    /// Returns the role with this name on the wire.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }

    /// Returns the role's name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Reader => "reader",
            Self::Member => "member",
            Self::Moderator => "moderator",
            Self::Owner => "owner",
        }
    }
}

/// A member of a room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct RoomMember {
    /// The member's ID in this room's URLs: the username of an account, or `~` and digits for a
    /// guest.
    pub id: String,
    /// The name under which the member writes; `null` for a guest who has not written yet.
    pub username: Option<String>,
    /// The member's role.
    pub role: Role,
    /// When the member joined the room.
    #[cfg_attr(feature = "schema", schema(value_type = String, format = DateTime))]
    pub since: Time,
}

/// An invitation: people who have its link can join the room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Invitation {
    /// The secret part of the link.
    pub code: String,
    /// The role of people who join by this invitation.
    pub role: Role,
    /// When the invitation expires; `null` if it does not expire.
    #[cfg_attr(feature = "schema", schema(value_type = Option<String>, format = DateTime))]
    pub expires_at: Option<Time>,
    /// How many more people can join by it; `null` if there is no limit.
    pub uses_left: Option<u64>,
}

/// A request to create an invitation. Every field is optional.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewInvitation {
    /// The role of people who join: reader or member (default: member).
    pub role: Option<Role>,
    /// How long the invitation is valid, for example `2days` (default: no end).
    pub timeout: Option<String>,
    /// How many people can join by it (default: no limit).
    pub uses: Option<u64>,
}

/// The kinds of sanction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum SanctionKind {
    /// The person cannot write in the room.
    Mute,
    /// The person can neither read nor write in the room.
    Ban,
}

/// A sanction that is in force against a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Sanction {
    /// The person, in the format of [`RoomMember::id`].
    pub id: String,
    /// The kind of sanction.
    pub kind: SanctionKind,
    /// When the sanction ends; `null` if it does not end.
    #[cfg_attr(feature = "schema", schema(value_type = Option<String>, format = DateTime))]
    pub until: Option<Time>,
}

/// An entry of a room's audit log: an action by a moderator or an owner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct AuditEntry {
    /// The entry's number in the audit log.
    pub id: u64,
    /// When the action happened.
    #[cfg_attr(feature = "schema", schema(value_type = String, format = DateTime))]
    pub at: Time,
    /// The person who acted, in the format of [`RoomMember::id`].
    pub actor: String,
    /// The action.
    #[serde(rename = "deed")]
    pub action: String,
    /// The person or thing that the action changed; empty if it changed the room.
    #[serde(rename = "whom")]
    pub target: String,
}
