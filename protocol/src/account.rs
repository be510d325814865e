//! Accounts and credentials.
//!
//! # Not here
//! Tokens and password hashes (crate `chat`).

use serde::{Deserialize, Serialize};

/// An account, as every signed-in account sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Account {
    /// The owner's name, for display.
    pub name: String,
    /// The name under which the owner writes. No other person can write under it.
    pub username: String,
}

/// A request to create an account.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct NewAccount {
    /// The owner's name, for display: 1 to 64 characters.
    #[cfg_attr(feature = "schema", schema(value_type = crate::schema::PersonName))]
    pub name: String,
    /// The name under which the owner writes: 3 to 32 of the letters a to z, digits, `-` and `_`. In
    /// upper or lower case; the account has it in lower case.
    #[cfg_attr(feature = "schema", schema(value_type = crate::schema::AccountName))]
    pub username: String,
    /// The password to sign in with.
    #[cfg_attr(feature = "schema", schema(value_type = crate::schema::Password))]
    pub password: String,
}

/// A request to sign in.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Credentials {
    /// The account's username, in upper or lower case.
    pub username: String,
    /// The account's password.
    pub password: String,
}

/// How the server identified the author of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum Author {
    /// The author was signed in to an account.
    Account,
    /// The author was a guest whose key owns the username in this room.
    Guest,
}
