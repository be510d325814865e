//! What handlers take out of a request: the caller, cookies, fields, parts of the address.
//!
//! # Not here
//! Answers (`respond`).

pub(crate) mod accept;
pub(crate) mod caller;
pub(crate) mod cookies;
pub(crate) mod https;
pub(crate) mod next;
pub(crate) mod payload;
pub(crate) mod resume_point;
pub(crate) mod room_path;
