//! The commands that do something else than serve, and the signals that end the program.
//!
//! # Not here
//! The flags (`config`).

pub mod admin;
pub mod health_check;
pub mod shutdown;
