//! The data directory: used by one process at a time.

use std::fs::{File, TryLockError};
use std::path::Path;

use crate::Error;

/// Makes sure that nobody else serves this directory: two hubs would not hear of each other's messages.
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

/// Makes a rename of `file` durable.
pub(crate) fn sync_parent(file: &Path) -> Result<(), Error> {
    let parent = file
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    Ok(File::open(parent)?.sync_all()?)
}
