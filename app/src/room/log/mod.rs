//! The part of a room's log that this page holds.
//!
//! # Guarantees
//! Each message once, in order of sequence; the cursor never passes a gap.
//!
//! # Not here
//! Requests and rendering.

pub mod message_log;
pub mod sequence_tracker;
#[cfg(test)]
pub mod simulation;
pub mod window;
