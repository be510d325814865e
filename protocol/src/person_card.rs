//! The card of a person: who someone is in a room, as a caller sees it.

use serde::{Deserialize, Serialize};

use crate::{Author, Role, SanctionKind, Time};

/// A person in a room, as a caller sees them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PersonCard {
    /// The person's ID in this room's URLs, as in the list of members. Absent for an author whom the
    /// server did not identify, for a deleted account, and for a guest if the caller may not list
    /// the members.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    pub id: Option<String>,
    /// The name under which the person writes in the room. For a person who was asked for by a
    /// message and who has no name any more, the name of that message.
    pub username: String,
    /// The display name of the person's account; absent without an account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    pub name: Option<String>,
    /// How the server identifies the person; absent if it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    pub author: Option<Author>,
    /// The name of the message that the caller asked for, if it is another one; else absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    pub wrote_as: Option<String>,
    /// The person's role in the room. Absent if the person is no member, or is reader or member and
    /// the caller may not list the members.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    pub role: Option<Role>,
    /// Whether the person is an operator of the server, in a room that is not private; absent if
    /// not.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub operator: bool,
    /// Whether the account was deleted; absent if not.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub deleted: bool,
    /// Whether the person is the caller; absent if not.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub own: bool,
    /// The sanction against the person, for moderators; absent if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    pub sanction: Option<PersonSanction>,
    /// What the caller may do with the person.
    pub actions: Vec<PersonAction>,
}

impl PersonCard {
    /// Whether the caller may do this with the person.
    pub fn allows(&self, action: PersonAction) -> bool {
        self.actions.contains(&action)
    }
}

/// The sanction that is in force against a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PersonSanction {
    /// The kind of sanction.
    pub kind: SanctionKind,
    /// When the sanction ends; `null` if it does not end.
    #[cfg_attr(feature = "schema", schema(value_type = Option<String>, format = DateTime))]
    pub until: Option<Time>,
}

/// What a caller may do with a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum PersonAction {
    /// Send the person direct messages.
    Message,
    /// Mention the person in a message to the room.
    Mention,
    /// Mute the person.
    Mute,
    /// Ban the person from the room.
    Ban,
    /// Lift the sanction against the person.
    Lift,
    /// Make the person a reader.
    MakeReader,
    /// Make the person an ordinary member.
    MakeMember,
    /// Make the person a moderator.
    MakeModerator,
    /// Make the person the owner.
    MakeOwner,
    /// Remove the person from the room.
    Remove,
}

impl PersonAction {
    /// The action that gives a person this role.
    pub fn of_role(role: Role) -> Self {
        match role {
            Role::Reader => Self::MakeReader,
            Role::Member => Self::MakeMember,
            Role::Moderator => Self::MakeModerator,
            Role::Owner => Self::MakeOwner,
        }
    }
}
