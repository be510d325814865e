//! The store: the database, the types of its rows, and the data directory.
//!
//! # Guarantees
//! - One transaction writes at a time, and a committed transaction is durable.
//!
//! # Not here
//! - The rules, which decide what is read and written: `room`, `identity` and `log`.

pub(crate) mod backup;
#[cfg(test)]
mod conformance;
mod connections;
pub(crate) mod copy;
pub(crate) mod data_dir;
pub(crate) mod disk_space;
mod errors;
pub(crate) mod file_access;
pub(crate) mod file_details;
pub(crate) mod file_rows;
pub(crate) mod key_file;
mod location;
pub(crate) mod log_connection;
pub(crate) mod log_rows;
mod log_sql;
pub(crate) mod lookups;
mod pending_erasure;
mod postgres;
pub(crate) mod rows;
pub(crate) mod sql;
pub(crate) mod sqlite;
mod statements;
mod unfinished_copy;
mod version;
mod write_health;
mod write_lock;
mod write_probe;

pub(crate) use self::connections::{Reader, Store, WriteTransaction};
pub(crate) use self::data_dir::sync_parent;
pub(crate) use self::location::DatabaseLocation;
pub use self::location::{check_postgres_url, is_postgres};
pub(crate) use self::log_connection::{LogConnection, LogTransaction, WantedName, WantedRows};
pub(crate) use self::log_rows::*;
pub(crate) use self::lookups::Lookups;
pub(crate) use self::pending_erasure::PendingErasure;
pub(crate) use self::postgres::{
    EntryRange, NodeNews, NodeStore, NotificationListener, NumberedText, PresentNames, RANGE_MAX,
    RINGS_MAX, Renewal,
};
pub(crate) use self::rows::*;
#[cfg(test)]
pub(crate) use self::sqlite::READERS;
pub(crate) use self::statements::messages::MessageAuthorRow;
pub(crate) use self::statements::room_access::RoomLookup;
pub(crate) use self::statements::rooms::EndingRoom;
pub(crate) use self::statements::{
    accounts, audit_log, clock_correction, direct_rooms, file_content, files, former_usernames,
    invitations, lobby_names, log_position, members, messages, meta, name_claims, name_skeletons,
    notification_settings, oidc_identities, overview, read_markers, revoked_sessions, room_access,
    room_aliases, room_authors, room_heads, room_preferences, room_settings, rooms, sanctions,
    uploads,
};
pub(crate) use self::write_health::WriteHealth;
pub(crate) use self::write_lock::WriteLock;
