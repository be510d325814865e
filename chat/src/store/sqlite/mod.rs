//! The store in `SQLite`.

pub(crate) mod backup;
mod checkpoint;
pub(crate) mod lobby_names;
pub(crate) mod messages;
mod pool;
pub(crate) mod rooms;

#[cfg(test)]
pub(crate) use self::pool::READERS;
pub(crate) use self::pool::{DatabaseLocation, PendingErasure, Store, WriteLock, WriteTransaction};
