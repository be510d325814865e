//! The store in `SQLite`.

pub(crate) mod backup;
mod checkpoint;
pub(crate) mod clock_correction;
pub(crate) mod lobby_names;
pub(crate) mod messages;
mod pool;
pub(crate) mod rooms;
mod write_health;
mod write_probe;

#[cfg(test)]
pub(crate) use self::pool::READERS;
pub(crate) use self::pool::{DatabaseLocation, PendingErasure, Store, WriteLock, WriteTransaction};
pub(crate) use self::write_health::WriteHealth;
