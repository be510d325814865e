//! The database.

pub(crate) mod data_dir;
pub(crate) mod rows;
pub(crate) mod sqlite;

pub(crate) use self::data_dir::sync_parent;
pub(crate) use self::rows::*;
#[cfg(test)]
pub(crate) use self::sqlite::READERS;
pub(crate) use self::sqlite::{
    DatabaseLocation, PendingErasure, Store, WriteLock, WriteTransaction, lobby_names, messages,
    rooms,
};
