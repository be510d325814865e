//! Accounts: the people who have a name of their own.

use serde::{Deserialize, Serialize};

use crate::{Message, RoomId};

/// Somebody with an account, as everybody who is signed in sees them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Account {
    /// What they are called.
    pub name: String,
    /// Under which name they write; nobody else can.
    pub username: String,
}

/// The wish for an account.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct NewAccount {
    /// What they want to be called: 1 to 64 characters.
    #[cfg_attr(feature = "schema", schema(value_type = crate::schema::PersonName))]
    pub name: String,
    /// Under which name they want to write: 3 to 32 of the letters a to z, digits, `-` and `_`.
    #[cfg_attr(feature = "schema", schema(value_type = crate::schema::AccountName))]
    pub username: String,
    /// What only they know.
    #[cfg_attr(feature = "schema", schema(value_type = crate::schema::Password))]
    pub password: String,
}

/// Who somebody says they are, and what shows that it is so.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Credentials {
    /// The name of the account, in either case.
    pub username: String,
    /// What only its owner knows.
    pub password: String,
}

/// How far the server knows who wrote a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum Author {
    /// Somebody with an account.
    Account,
    /// A guest whose key holds the name in the room.
    Guest,
}

/// A direct chat, as one of its two sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Conversation {
    /// With whom.
    pub username: String,
    /// What the other one is called.
    pub name: String,
    /// The room that it is.
    #[cfg_attr(feature = "schema", schema(value_type = String, pattern = "^[0-9a-f]{16}$", example = "0123456789abcdef"))]
    pub room: RoomId,
    /// How many messages of the other one are unread.
    pub unread: u64,
    /// The newest message.
    pub last: Option<Message>,
}
