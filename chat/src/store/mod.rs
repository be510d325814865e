//! The store: the database, the types of its rows, and the data directory.
//!
//! # Guarantees
//! - One transaction writes at a time, and a committed transaction is durable.
//!
//! # Not here
//! - The rules, which decide what is read and written: `room`, `identity` and `log`.

#[cfg(test)]
mod conformance;
pub(crate) mod data_dir;
pub(crate) mod disk_space;
pub(crate) mod file_access;
pub(crate) mod log_rows;
pub(crate) mod lookups;
pub(crate) mod rows;
pub(crate) mod sqlite;

pub(crate) use self::data_dir::sync_parent;
pub(crate) use self::log_rows::*;
pub(crate) use self::lookups::Lookups;
pub(crate) use self::rows::*;
#[cfg(test)]
pub(crate) use self::sqlite::READERS;
pub(crate) use self::sqlite::messages::MessageAuthorRow;
pub(crate) use self::sqlite::room_access::RoomLookup;
pub(crate) use self::sqlite::rooms::EndingRoom;
pub(crate) use self::sqlite::{
    DatabaseLocation, LogConnection, LogTransaction, PendingErasure, Reader, Store, WriteHealth,
    WriteLock, WriteTransaction, accounts, audit_log, clock_correction, direct_rooms,
    former_usernames, invitations, lobby_names, members, messages, meta, name_claims,
    name_skeletons, notification_settings, oidc_identities, overview, read_markers,
    revoked_sessions, room_access, room_aliases, room_authors, room_preferences, room_settings,
    rooms, sanctions,
};
