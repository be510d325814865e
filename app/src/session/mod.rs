//! The visitor: display name, theme, recently visited rooms, and account.
//!
//! # Not here
//! Authentication, which is the server's.

pub mod display_name;
pub mod theme;
pub mod visitor;
