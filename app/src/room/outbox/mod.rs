//! Messages that this browser has not delivered yet.
//!
//! **Guarantees:** a message stays queued, across reloads, until the server has answered for it. **Not here:** the
//! delivered messages (`room/log`).

pub mod queue;
pub mod sender;
