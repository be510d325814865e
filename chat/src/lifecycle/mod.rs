//! The end of a room.

pub(crate) mod archive;
pub(crate) mod eraser;
pub(crate) mod expiry;
