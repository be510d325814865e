//! The part of the log that is in view: its scroll position, and the message that has the focus.
//!
//! # Not here
//! What is drawn (`timeline`), and which messages are drawn (`log/window`).

pub mod keyboard_nav;
pub mod place;
pub mod scroll;
