//! Publishes received files to the file store.
//!
//! # Guarantees
//! - Each step may be repeated: after a crash the same bytes are put again under the same key.
//! - A file that was given up meanwhile leaves no bytes.
//! - A picture that is published has no metadata, unless it is not well-formed.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use protocol::{FileId, Refusal, RoomId, Time};
use texts::refusal;
use tokio::task::spawn_blocking;

use super::picture::{Stripping, strip_metadata};
use super::staging::StagedCopy;
use super::{Files, ObjectKey, Promise};
use crate::Error;
use crate::store::file_rows::{FileState, StoredFile};
use crate::store::files::FileBytes;
use crate::store::{Store, files};

/// The kinds of pictures whose metadata is removed.
const STRIPPED: [&str; 4] = ["image/jpeg", "image/png", "image/gif", "image/webp"];

/// A file as it is published.
struct PreparedFile {
    /// Where its bytes are.
    path: PathBuf,
    size: u64,
    sha256: String,
    /// The space for a copy, until the file is published.
    _space: Option<Promise>,
}

/// Copies a picture without its metadata. Returns the size and the digest of the copy; `None` if the
/// picture is not well-formed.
fn strip(from: &Path, to: &Path) -> io::Result<Option<(u64, String)>> {
    let mut copy = StagedCopy::create(to)?;
    match strip_metadata(File::open(from)?, &mut copy)? {
        Stripping::Done => copy.finish().map(Some),
        _ => Ok(None),
    }
}

impl Files {
    /// Makes of a received file what others are to get.
    async fn prepare(&self, received: &StoredFile) -> Result<PreparedFile, Error> {
        let is_copied = STRIPPED.contains(&received.kind.as_str());
        let space = is_copied.then(|| self.promise(received.size));
        let whole = self.0.staging.path(received.id);
        let mut prepared = PreparedFile {
            path: whole.clone(),
            size: received.size,
            sha256: received.sha256.clone(),
            _space: space.transpose()?,
        };
        if is_copied {
            let copy = self.0.staging.copy_path(received.id);
            let path = copy.clone();
            let stripped = spawn_blocking(move || strip(&whole, &path)).await;
            if let Some((size, sha256)) = stripped.map_err(Error::fault)?? {
                prepared = PreparedFile {
                    path: copy,
                    size,
                    sha256,
                    ..prepared
                };
            }
        }
        Ok(prepared)
    }

    /// Puts a received file into the file store, and notes that it is ready.
    pub(super) async fn publish(
        &self,
        store: &Store,
        now: Time,
        room: RoomId,
        received: StoredFile,
    ) -> Result<StoredFile, Error> {
        let id = received.id;
        let prepared = self.prepare(&received).await?;
        self.pass("file prepared").await;
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
