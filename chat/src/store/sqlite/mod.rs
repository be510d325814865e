//! The store in `SQLite`: the connections, and the statements in one file for each kind of row.
//!
//! A function that only reads takes the [`Store`], or a [`Reader`] where it also runs inside of a
//! transaction; a function that writes takes the [`WriteTransaction`].

pub(crate) mod accounts;
mod append;
pub(crate) mod audit_log;
pub(crate) mod backup;
mod batch_rows;
mod checkpoint;
pub(crate) mod clock_correction;
pub(crate) mod direct_rooms;
mod errors;
pub(crate) mod former_usernames;
pub(crate) mod invitations;
pub(crate) mod lobby_names;
pub(crate) mod members;
pub(crate) mod messages;
pub(crate) mod meta;
mod migrate;
pub(crate) mod name_claims;
pub(crate) mod name_skeletons;
pub(crate) mod notification_settings;
pub(crate) mod oidc_identities;
pub(crate) mod overview;
mod pool;
pub(crate) mod read_markers;
pub(crate) mod revoked_sessions;
pub(crate) mod room_access;
pub(crate) mod room_aliases;
pub(crate) mod room_authors;
pub(crate) mod room_preferences;
pub(crate) mod room_settings;
pub(crate) mod rooms;
pub(crate) mod sanctions;
mod wanted_rows;
mod write_health;
mod write_probe;

pub(crate) use self::append::{LogConnection, LogTransaction};
#[cfg(test)]
pub(crate) use self::pool::READERS;
pub(crate) use self::pool::{
    DatabaseLocation, PendingErasure, Reader, Store, WriteLock, WriteTransaction,
};
pub(crate) use self::write_health::WriteHealth;
