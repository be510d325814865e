//! The data directory.
//!
//! # Guarantees
//! - One process at a time uses a data directory.

use std::fs::{File, TryLockError};
use std::path::Path;

use crate::Error;

/// Locks the data directory against other servers, because two hubs would not receive each other's
/// messages. The lock ends when the file is closed.
pub(crate) fn lock(data_dir: &Path) -> Result<File, Error> {
    let path = data_dir.join("webchat.lock");
    let file = File::create(&path)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            Err(Error::fault("another webchat is using this data directory"))
        }
        Err(TryLockError::Error(error)) => Err(error.into()),
    }
}

/// Makes a rename of `file` durable, by syncing its directory.
pub(crate) fn sync_parent(file: &Path) -> Result<(), Error> {
    let parent = file
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    Ok(File::open(parent)?.sync_all()?)
}
