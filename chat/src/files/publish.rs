//! Publishes received files to the file store.
//!
//! # Guarantees
//! - Each step may be repeated: after a crash the same bytes are put again under the same key.
//! - A file that was given up meanwhile leaves no bytes.

use std::path::PathBuf;

use protocol::{FileId, Refusal, RoomId, Time};
use texts::refusal;

use super::{Files, ObjectKey};
use crate::Error;
use crate::store::file_rows::{FileState, StoredFile};
use crate::store::files::FileBytes;
use crate::store::{Store, files};

/// A file as it is published.
struct PreparedFile {
    /// Where its bytes are.
    path: PathBuf,
    size: u64,
    sha256: String,
}

/// Makes of a received file what others are to get.
///
/// Pictures lose their metadata here, and get their previews: `picture` has both as functions of the
/// staged file. Until then a file is published as it was received.
fn prepare(staged: PathBuf, received: &StoredFile) -> PreparedFile {
    PreparedFile {
        path: staged,
        size: received.size,
        sha256: received.sha256.clone(),
    }
}

impl Files {
    /// Puts a received file into the file store, and notes that it is ready.
    pub(super) async fn publish(
        &self,
        store: &Store,
        now: Time,
        room: RoomId,
        received: StoredFile,
    ) -> Result<StoredFile, Error> {
        let id = received.id;
        let prepared = prepare(self.0.staging.path(id), &received);
        let key = ObjectKey { room, file: id };
        self.0.store.put(key, &prepared.path).await?;
        self.pass("file published").await;
        let bytes = FileBytes {
            kind: &received.kind,
            size: prepared.size,
            sha256: &prepared.sha256,
        };
        if !self.note_ready(store, now, id, &bytes).await? {
            let found = files::find(&mut store.reader().await?, id).await?;
            if found.is_none_or(|found| found.state == FileState::Deleting) {
                self.0.store.delete(key).await?;
            }
            return Err(Refusal::NotFound(refusal::NO_FILE).into());
        }
        self.pass("file ready").await;
        self.0.staging.remove(id)?;
        Ok(StoredFile {
            size: prepared.size,
            sha256: prepared.sha256,
            ..received
        })
    }

    async fn note_ready(
        &self,
        store: &Store,
        now: Time,
        id: FileId,
        bytes: &FileBytes<'_>,
    ) -> Result<bool, Error> {
        let mut tx = store.begin().await?;
        let is_ready = files::advance(&mut tx, now, id, FileState::Ready, bytes).await?;
        if is_ready {
            tx.commit().await?;
        }
        Ok(is_ready)
    }
}
