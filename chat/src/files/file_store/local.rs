//! What the file store does in a directory beside the calls that all stores have.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use tokio::task::spawn_blocking;

use crate::Error;
use crate::files::staging::{create_private_directory, remove_if_exists};
use crate::store::sync_parent;

/// Links a durable file to another path. Returns whether that is possible: not between file systems,
/// nor on all of them.
pub(super) async fn link(from: PathBuf, to: PathBuf) -> Result<bool, Error> {
    let linked = spawn_blocking(move || {
        // The directory of a room may be deleted meanwhile, because it was empty.
        for _ in 0..8 {
            if let Some(directory) = to.parent() {
                create_private_directory(directory)?;
            }
            match fs::hard_link(&from, &to) {
                Ok(()) => return sync_parent(&to).map(|()| true),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    remove_if_exists(&to)?;
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound && from.exists() => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(error.into()),
                Err(error) => {
                    tracing::debug!(%error, "a file is copied to the file store");
                    return Ok(false);
                }
            }
        }
        Ok(false)
    });
    linked.await.map_err(Error::fault)?
}

/// Deletes the copies of an object that were never complete, which stand beside it as `FILE#1`.
pub(super) fn remove_copies(path: &Path) -> Result<(), Error> {
    let (Some(directory), Some(name)) = (path.parent(), path.file_name()) else {
        return Ok(());
    };
    let Ok(entries) = fs::read_dir(directory) else {
        return Ok(());
    };
    let prefix = format!("{}#", name.to_string_lossy());
    for entry in entries {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(&prefix) {
            remove_if_exists(&entry.path())?;
        }
    }
    Ok(())
}
