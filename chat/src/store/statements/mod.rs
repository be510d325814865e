//! The statements that both kinds of database share, one file for each kind of row.
//!
//! A function that only reads takes the `Store`, or a `Reader` where it also runs inside of a
//! transaction; a function that writes takes the `WriteTransaction`.
//!
//! # Not here
//! - What the writer loads and appends, which each kind of database has in its own way.

pub(crate) mod accounts;
pub(crate) mod audit_log;
pub(crate) mod clock_correction;
pub(crate) mod direct_rooms;
pub(crate) mod file_content;
pub(crate) mod files;
pub(crate) mod former_usernames;
pub(crate) mod invitations;
pub(crate) mod lobby_names;
pub(crate) mod log_position;
pub(crate) mod members;
pub(crate) mod messages;
pub(crate) mod meta;
pub(crate) mod name_claims;
pub(crate) mod name_skeletons;
pub(crate) mod notification_settings;
pub(crate) mod oidc_identities;
pub(crate) mod overview;
pub(crate) mod read_markers;
pub(crate) mod revoked_sessions;
pub(crate) mod room_access;
pub(crate) mod room_aliases;
pub(crate) mod room_authors;
pub(crate) mod room_heads;
pub(crate) mod room_preferences;
pub(crate) mod room_settings;
pub(crate) mod rooms;
pub(crate) mod sanctions;
pub(crate) mod uploads;
mod wanted_rows;
