//! Extractors: the values that handlers take out of a request.
//!
//! # Guarantees
//! A value that breaks a rule is refused with the field or the parameter that it came from.
//!
//! # Not here
//! Answers (`respond`), and the meaning of the values (`chat`).

pub(crate) mod accept;
pub(crate) mod body_pieces;
pub(crate) mod caller;
pub(crate) mod client_address;
pub(crate) mod cookies;
pub(crate) mod file_path;
pub(crate) mod host;
pub(crate) mod https;
pub(crate) mod next;
pub(crate) mod payload;
pub(crate) mod query;
pub(crate) mod resume_point;
pub(crate) mod room_path;
pub(crate) mod tus;
