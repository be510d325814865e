//! The end of a room: freeze, archive, erase, close.
//!
//! # Guarantees
//! - A room ends by this path only, and after a crash at any step the path continues: a frozen room
//!   is archived again, and the erasure of an archived room goes on.
//! - A room that cannot be archived is reopened, and its end is tried again later.

pub(crate) mod archive;
pub(crate) mod eraser;
pub(crate) mod expiry;
#[cfg(test)]
mod tests;
