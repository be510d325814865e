//! The part of a room's log that this page holds.
//!
//! **Guarantees:** each message once, in order of sequence; the cursor never passes a gap. **Not here:** requests and
//! rendering.

pub mod message_log;
pub mod sequence_tracker;
pub mod window;
