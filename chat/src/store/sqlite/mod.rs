//! The store in `SQLite`: the connections, and what the writer loads and appends.

mod append;
mod batch_rows;
mod checkpoint;
mod migrate;
mod pool;

pub(crate) use self::append::SqliteLog;
pub(crate) use self::checkpoint::Checkpoints;
#[cfg(test)]
pub(crate) use self::pool::READERS;
pub(crate) use self::pool::{SqliteLocation, SqlitePools};
