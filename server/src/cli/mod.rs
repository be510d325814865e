//! The commands other than serving, and the signals that stop the server.
//!
//! # Not here
//! The flags (`config`).

pub mod admin;
pub mod archive;
pub mod copy;
pub mod health_check;
pub mod shutdown;
