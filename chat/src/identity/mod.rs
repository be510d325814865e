//! Who a caller is: a guest, an account or an anonymous caller, and how a caller proves it.
//!
//! # Guarantees
//! - No two accounts have usernames that look alike.
//! - A token is valid until it expires, is signed out, or the sessions of its account end.
//!
//! # Not here
//! - What a caller may do in a room: `room`.

pub(crate) mod account;
pub(crate) mod caller_transaction;
mod common_passwords;
mod cookie_prefix;
mod fair_queue;
pub(crate) mod name_skeleton;
pub(crate) mod notification_settings;
pub(crate) mod oidc_identity;
pub(crate) mod password;
pub(crate) mod person;
pub(crate) mod session_watch;
pub(crate) mod shared_attempts;
pub(crate) mod sign_in_methods;
pub(crate) mod token;
