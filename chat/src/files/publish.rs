//! Publishes received files to the file store.
//!
//! # Guarantees
//! - Each step may be repeated: after a crash the same bytes are put again under the same key.
//! - A file that was given up meanwhile leaves no bytes.
//! - A picture that is published has no metadata, unless it is not well-formed or its sender wants it
//!   to stay as it is.
//! - What counts for the limits is the file and its preview. A preview that would pass one is left out.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use protocol::{Refusal, RoomId, Time};
use texts::refusal;
use tokio::task::spawn_blocking;

use super::check::{self, Check, Drawing, HeldBack};
use super::picture::{Preview, Stripping, may_contain_place, strip_metadata};
use super::preview::{PATIENCE, read_stored_dimensions, stored_preview};
use super::quota::check_usage;
use super::staging::StagedCopy;
use super::{Files, ObjectKey, Promise};
use crate::Error;
use crate::store::file_details::FileDetails;
use crate::store::file_rows::{FileState, StoredFile};
use crate::store::{Store, WriteTransaction, file_content, files};

/// The kinds of pictures whose metadata is removed, and of which previews are drawn.
const PICTURES: [&str; 4] = ["image/jpeg", "image/png", "image/gif", "image/webp"];

/// A file as it is published.
struct PreparedFile {
    /// Where its bytes are.
    path: PathBuf,
    size: u64,
    sha256: String,
    /// Whether the bytes may contain the place where a picture was taken.
    has_metadata: bool,
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

/// Runs what waits for the disk.
async fn on_thread<T: Send + 'static>(
    run: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, Error> {
    Ok(spawn_blocking(run).await.map_err(Error::fault)??)
}

fn is_picture(file: &StoredFile) -> bool {
    PICTURES.contains(&file.kind.as_str())
}

impl Files {
    /// Makes of a received file what others are to get.
    async fn prepare(&self, received: &StoredFile) -> Result<PreparedFile, Error> {
        let is_copied = is_picture(received) && !received.details.is_original;
        let space = is_copied.then(|| self.promise(received.size));
        let space = space.transpose()?;
        let whole = self.0.staging.path(received.id);
        if is_copied {
            let copy = self.0.staging.copy_path(received.id);
            let (from, to) = (whole.clone(), copy.clone());
            if let Some((size, sha256)) = on_thread(move || strip(&from, &to)).await? {
                return Ok(PreparedFile {
                    path: copy,
                    size,
                    sha256,
                    has_metadata: false,
                    _space: space,
                });
            }
        }
        let path = whole.clone();
        let has_metadata = on_thread(move || may_contain_place(File::open(path)?)).await?;
        Ok(PreparedFile {
            path: whole,
            size: received.size,
            sha256: received.sha256.clone(),
            has_metadata,
            _space: space,
        })
    }

    /// Publishes a received file, unless it is held back because it was not checked: the file says so.
    pub(super) async fn publish(
        &self,
        store: &Store,
        now: Time,
        room: RoomId,
        received: StoredFile,
        drawing: Drawing,
    ) -> Result<StoredFile, Error> {
        let checked = self.check(store, now, &received, check::IN_UPLOAD);
        if checked.await? == Check::Passed {
            let published = self.publish_checked(store, now, room, received, drawing);
            return published.await;
        }
        self.hold_back(HeldBack {
            id: received.id,
            drawing,
        });
        Ok(StoredFile {
            is_scanning: true,
            ..received
        })
    }

    /// Puts a received file into the file store, and notes that it is ready.
    pub(super) async fn publish_checked(
        &self,
        store: &Store,
        now: Time,
        room: RoomId,
        received: StoredFile,
        drawing: Drawing,
    ) -> Result<StoredFile, Error> {
        let id = received.id;
        let prepared = self.prepare(&received).await?;
        self.pass("file prepared").await;
        let mut details = FileDetails {
            has_metadata: prepared.has_metadata,
            ..received.details.clone()
        };
        let mut preview = None;
        if is_picture(&received) {
            details.dimensions = read_stored_dimensions(&prepared.path).await?;
            if drawing == Drawing::Now {
                preview = self.draw_preview(&prepared.path, PATIENCE).await;
            }
        }
        let key = ObjectKey { room, file: id };
        self.0.store.put(key, &prepared.path).await?;
        if drawing == Drawing::Never {
            // The interrupted attempt may have left one.
            self.0.store.delete_preview(key).await?;
        }
        let is_drawn = preview.is_some();
        if let Some(preview) = preview {
            details.preview = Some(stored_preview(&preview));
            let Preview { bytes, .. } = preview;
            self.0.store.put_preview(key, Bytes::from(bytes)).await?;
        }
        self.pass("file published").await;
        let published = StoredFile {
            size: prepared.size,
            sha256: prepared.sha256,
            details,
            ..received
        };
        let Some(published) = self.note_ready(store, now, room, published).await? else {
            let found = files::find(&mut store.reader().await?, id).await?;
            if found.is_none_or(|found| found.state == FileState::Deleting) {
                self.0.store.delete(key).await?;
            }
            return Err(Refusal::NotFound(refusal::NO_FILE).into());
        };
        self.pass("file ready").await;
        if is_drawn && published.details.preview.is_none() {
            self.0.store.delete_preview(key).await?;
        }
        self.0.staging.remove(id)?;
        Ok(published)
    }

    /// Notes that a file is ready. Returns the file, or `None` if it was given up.
    async fn note_ready(
        &self,
        store: &Store,
        now: Time,
        room: RoomId,
        mut published: StoredFile,
    ) -> Result<Option<StoredFile>, Error> {
        let mut tx = store.begin().await?;
        if !self
            .has_space_for_preview(&mut tx, room, &published)
            .await?
        {
            published.details.preview = None;
        }
        if !file_content::publish(&mut tx, now, &published).await? {
            return Ok(None);
        }
        tx.commit().await?;
        Ok(Some(published))
    }

    /// Whether the preview of a file passes no limit.
    async fn has_space_for_preview(
        &self,
        tx: &mut WriteTransaction,
        room: RoomId,
        file: &StoredFile,
    ) -> Result<bool, Error> {
        let (Some(limits), more @ 1..) = (self.0.limits, file.details.extra_size()) else {
            return Ok(file.details.preview.is_none());
        };
        match check_usage(tx, limits, room, more).await {
            Ok(()) => Ok(true),
            Err(Error::Refusal(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }
}
