//! The bytes of the files of an archive, in the directory `ID/` beside `ID.jsonl`.
//!
//! # Guarantees
//! - Without `ID.jsonl` the directory means nothing: it is what a crash or a failure has left, and is
//!   removed before the archive is written again. So no file that was deleted meanwhile is archived.
//! - The bytes and the directory are durable when [`write`] returns.

use std::io::ErrorKind;
use std::path::Path;

use protocol::RoomId;
use tokio::fs;

use crate::Error;
use crate::files::{FileStore, ObjectKey};
use crate::store::{Store, files, sync_parent};

/// How many files are loaded at once.
const PAGE: i64 = 512;

/// Writes the bytes of a room's files. `is_kept` says that an earlier archive of the room is kept, whose
/// files stay.
pub(super) async fn write(
    store: &Store,
    file_store: &FileStore,
    archives: &Path,
    room: RoomId,
    is_kept: bool,
) -> Result<(), Error> {
    let directory = archives.join(room.to_string());
    if !is_kept {
        remove(archives, room).await?;
    }
    let mut last = None;
    loop {
        let page = files::list_attached(store, room, last, PAGE).await?;
        if page.is_empty() {
            break;
        }
        fs::create_dir_all(&directory).await?;
        for row in page {
            let id = row.file.id;
            last = Some(id);
            let path = directory.join(id.to_string());
            // An earlier archive may have the same file.
            if fs::try_exists(&path).await? {
                fs::remove_file(&path).await?;
            }
            let key = ObjectKey { room, file: id };
            file_store.export(key, row.file.size, path).await?;
        }
    }
    if last.is_some() {
        sync_parent(&directory.join("files"))?;
        sync_parent(&directory)?;
    }
    Ok(())
}

/// Removes the bytes of a room's files, whose archive is not complete.
pub(super) async fn remove(archives: &Path, room: RoomId) -> Result<(), Error> {
    match fs::remove_dir_all(archives.join(room.to_string())).await {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}
