//! Messages that this browser has not delivered yet.
//!
//! # Guarantees
//! A message stays in the outbox, across reloads and crashes, until the server has answered for it
//! or its author gives it up.
//!
//! # Not here
//! The delivered messages (`room/log`).

pub mod dispatcher;
pub mod pending_message;
pub mod queue;
mod record_store;
pub mod sender;
#[cfg(test)]
mod simulation;
