//! The store in `SQLite`.

pub(crate) mod append;
pub(crate) mod backup;
mod checkpoint;
pub(crate) mod clock_correction;
pub(crate) mod messages;
mod migrate;
mod pool;
pub(crate) mod room_authors;
pub(crate) mod rooms;
mod write_health;
mod write_probe;

pub(crate) use self::append::{LogConnection, LogTransaction};
#[cfg(test)]
pub(crate) use self::pool::READERS;
pub(crate) use self::pool::{DatabaseLocation, PendingErasure, Store, WriteLock, WriteTransaction};
pub(crate) use self::write_health::WriteHealth;
