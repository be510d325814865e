//! The previews of files: drawn here, or sent by the sender of the file.
//!
//! # Guarantees
//! - One preview is drawn at a time, and an upload waits [`PATIENCE`] at most until it is its turn.
//! - A preview that was sent is a picture of a format that is drawn here, without metadata.

use std::fs::File;
use std::io::Cursor;
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use protocol::{File as ShownFile, FileId, Refusal, RoomId, hexadecimal};
use sha2::{Digest, Sha256};
use texts::refusal;
use tokio::task::spawn_blocking;

use super::picture::{self, Dimensions, PREVIEW_MAX, Preview, PreviewFormat, Stripping};
use super::quota::check_usage;
use super::{Files, ObjectKey};
use crate::identity::person::Person;
use crate::store::file_details::{PreviewBytes, StoredDimensions, StoredPreview};
use crate::store::file_rows::{FileRow, FileState, StoredFile};
use crate::store::{Reader, file_content, files};
use crate::{Chat, Error};

/// How long an upload waits for the previews of others.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// The longest side of a preview that was sent, in pixels.
const SIDE_MAX: u32 = 2_048;

/// The size of a picture as it is stored; `None` if it is unknown.
pub(super) async fn read_stored_dimensions(path: &Path) -> Result<Option<StoredDimensions>, Error> {
    let path = path.to_owned();
    let read = spawn_blocking(move || picture::read_dimensions(File::open(path)?)).await;
    Ok(read.map_err(Error::fault)??.map(stored_dimensions))
}

fn stored_dimensions(dimensions: Dimensions) -> StoredDimensions {
    let Dimensions { width, height } = dimensions;
    StoredDimensions { width, height }
}

/// A preview as it is stored.
pub(super) fn stored_preview(preview: &Preview) -> StoredPreview {
    StoredPreview {
        dimensions: stored_dimensions(preview.dimensions),
        bytes: Some(PreviewBytes {
            kind: preview.format.media_type().to_owned(),
            size: preview.bytes.len() as u64,
            sha256: hexadecimal(&Sha256::digest(&preview.bytes)),
        }),
    }
}

impl Files {
    /// Draws the preview of a picture; `None` if it has none, or if its turn does not come.
    pub(super) async fn draw_preview(&self, path: &Path, patience: Duration) -> Option<Preview> {
        let turn = self.0.drawing.clone().acquire_owned();
        let turn = tokio::time::timeout(patience, turn).await.ok()?.ok()?;
        let path = path.to_owned();
        let drawn = spawn_blocking(move || {
            let drawn = File::open(path).ok().and_then(picture::draw_preview);
            drop(turn);
            drawn
        });
        drawn.await.ok().flatten()
    }
}

/// Checks a preview that was sent, and removes its metadata.
fn check_preview(sent: &[u8]) -> Result<Preview, Refusal> {
    let unusable = || Refusal::invalid("preview", refusal::RULE_PREVIEW.text());
    let format = PreviewFormat::of(sent).ok_or_else(unusable)?;
    let mut bytes = Vec::with_capacity(sent.len());
    let stripped = picture::strip_metadata(Cursor::new(sent), &mut bytes);
    if !matches!(stripped, Ok(Stripping::Done)) || bytes.len() > PREVIEW_MAX {
        return Err(unusable());
    }
    let dimensions = picture::read_dimensions(Cursor::new(&bytes[..]));
    let dimensions = dimensions.ok().flatten().ok_or_else(unusable)?;
    if dimensions.width.max(dimensions.height) > SIDE_MAX {
        return Err(unusable());
    }
    Ok(Preview {
        bytes,
        format,
        dimensions,
    })
}

impl Chat {
    /// Adds a preview to a file of the caller that is in no message and has none.
    ///
    /// # Errors
    /// [`Refusal::Invalid`] if it is no preview, [`Refusal::Forbidden`] if the file has one already or is
    /// in a message, [`Refusal::NotFound`] if the caller has no such file,
    /// [`Refusal::FilesTooLarge`], the refusals of [`Chat::find_room`], or a fault.
    pub async fn add_preview(
        &self,
        by: &Person,
        room: &RoomId,
        id: FileId,
        sent: &[u8],
    ) -> Result<ShownFile, Error> {
        if sent.len() > PREVIEW_MAX {
            return Err(Refusal::ContentTooLarge(PREVIEW_MAX).into());
        }
        self.load_room_row(by, *room).await?;
        let mut reader = self.0.store.reader().await?;
        let mut file = find_without_preview(&mut reader, by, *room, id).await?;
        drop(reader);
        let preview = check_preview(sent)?;
        file.details.preview = Some(stored_preview(&preview));
        let key = ObjectKey {
            room: *room,
            file: id,
        };
        let store = self.0.files.store();
        if !store.put_preview(key, Bytes::from(preview.bytes)).await? {
            return Err(has_preview().into());
        }
        self.0.files.pass("preview put").await;
        let added = self.note_preview(by, *room, &file).await;
        // After a fault the database may have the preview.
        if let Err(Error::Refusal(_)) = added {
            store.delete_preview(key).await?;
        }
        added?;
        Ok(file.shown(*room))
    }

    /// Notes that a file has a preview.
    async fn note_preview(
        &self,
        by: &Person,
        room: RoomId,
        file: &StoredFile,
    ) -> Result<(), Error> {
        let mut tx = self.begin_by(by).await?.tx;
        find_without_preview(&mut tx, by, room, file.id).await?;
        if let Some(limits) = self.file_limits() {
            check_usage(&mut tx, limits, room, file.details.extra_size()).await?;
        }
        file_content::add_preview(&mut tx, self.now(), file).await?;
        tx.commit().await?;
        Ok(())
    }
}

/// The file of the caller that is in no message and has no preview.
async fn find_without_preview(
    from: &mut impl Reader,
    by: &Person,
    room: RoomId,
    id: FileId,
) -> Result<StoredFile, Error> {
    let found = files::find(from, id).await?;
    let found = found.filter(|found| found.room == room);
    let file = match found {
        Some(found) if found.state == FileState::Ready && found.person == by.id() => found.file,
        Some(FileRow {
            state: FileState::Attached,
            ..
        }) => return Err(Refusal::Forbidden(refusal::PREVIEW_TOO_LATE).into()),
        _ => return Err(Refusal::NotFound(refusal::NO_FILE).into()),
    };
    match file.details.preview {
        Some(_) => Err(has_preview().into()),
        None => Ok(file),
    }
}

fn has_preview() -> Refusal {
    Refusal::Forbidden(refusal::PREVIEW_EXISTS)
}
