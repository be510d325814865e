//! The download of a file.
//!
//! # Guarantees
//! - Who downloads a file may read its room, when the download begins and after every
//!   [`CHECKED_BYTES`].
//! - A file that is in no message yet is there for its sender alone.

use std::ops::Range;

use bytes::Bytes;
use futures_util::stream::{self, BoxStream};
use futures_util::{StreamExt, TryStreamExt};
use protocol::{FileId, Refusal, RoomId};
use texts::refusal;

use super::{ObjectKey, kind};
use crate::identity::person::Person;
use crate::store::file_rows::{FileRow, FileState};
use crate::store::files;
use crate::{Chat, Error};

/// After so many bytes the access of the reader is checked again.
const CHECKED_BYTES: usize = 4 * 1024 * 1024;

/// A file, or its preview, that a caller may read.
#[derive(Debug)]
pub struct FileDownload {
    chat: Chat,
    by: Person,
    room: RoomId,
    id: FileId,
    part: FilePart,
    /// The name under which it is saved.
    name: String,
    kind: String,
    size: u64,
    sha256: String,
}

/// What of a file is downloaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FilePart {
    Whole,
    Preview,
}

impl Chat {
    /// Finds a file of a room for its download.
    ///
    /// # Errors
    /// The refusals of [`Chat::find_room`], [`Refusal::NotFound`] if the room has no such file for the
    /// caller, or a fault.
    pub async fn open_file(
        &self,
        by: &Person,
        room: &RoomId,
        id: FileId,
    ) -> Result<FileDownload, Error> {
        self.load_room_row(by, *room).await?;
        let file = self.find_readable_file(by, *room, id).await?.file;
        Ok(FileDownload {
            chat: self.clone(),
            by: by.clone(),
            room: *room,
            id,
            part: FilePart::Whole,
            name: file.name,
            kind: file.kind,
            size: file.size,
            sha256: file.sha256,
        })
    }

    /// Finds the preview of a file for its download.
    ///
    /// # Errors
    /// Those of [`Chat::open_file`], also if the file has no preview.
    pub async fn open_preview(
        &self,
        by: &Person,
        room: &RoomId,
        id: FileId,
    ) -> Result<FileDownload, Error> {
        self.load_room_row(by, *room).await?;
        let file = self.find_readable_file(by, *room, id).await?.file;
        let bytes = file.details.preview_bytes();
        let bytes = bytes.ok_or(Refusal::NotFound(refusal::NO_FILE))?;
        Ok(FileDownload {
            chat: self.clone(),
            by: by.clone(),
            room: *room,
            id,
            part: FilePart::Preview,
            name: bytes.kind.replace("image/", "preview."),
            kind: bytes.kind.clone(),
            size: bytes.size,
            sha256: bytes.sha256.clone(),
        })
    }

    /// The file of a room that the caller, who may read the room, may read.
    async fn find_readable_file(
        &self,
        by: &Person,
        room: RoomId,
        id: FileId,
    ) -> Result<FileRow, Error> {
        let found = files::find(&mut self.0.store.reader().await?, id).await?;
        let found = found.filter(|found| {
            let is_readable = match found.state {
                FileState::Attached => true,
                FileState::Ready => found.person == by.id(),
                FileState::Receiving | FileState::Received | FileState::Deleting => false,
            };
            is_readable && found.room == room
        });
        Ok(found.ok_or(Refusal::NotFound(refusal::NO_FILE))?)
    }
}

impl FileDownload {
    /// The name under which it is saved.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it is by its bytes, as a media type.
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// The number of bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The SHA-256 of the bytes, in hexadecimal.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// Whether it may be shown inside a page: it is a picture, a sound or a video.
    pub fn is_inline(&self) -> bool {
        kind::is_inline(&self.kind)
    }

    /// Reads a range of the bytes, piece by piece.
    ///
    /// # Errors
    /// A fault; a piece may also be a refusal of [`Chat::open_file`].
    pub async fn read(
        self,
        range: Range<u64>,
    ) -> Result<BoxStream<'static, Result<Bytes, Error>>, Error> {
        let key = ObjectKey {
            room: self.room,
            file: self.id,
        };
        let store = self.chat.0.files.store();
        if self.part == FilePart::Preview {
            let bytes = store.read_preview(key).await?;
            let index = |at| usize::try_from(at).unwrap_or(usize::MAX).min(bytes.len());
            let piece = bytes.slice(index(range.start)..index(range.end));
            return Ok(stream::once(std::future::ready(Ok(piece))).boxed());
        }
        let pieces = store.read(key, range).await?;
        let state = (self, pieces, 0);
        let checked = stream::try_unfold(state, |(download, mut pieces, unchecked)| async move {
            let mut unchecked: usize = unchecked;
            if unchecked >= CHECKED_BYTES {
                download.check_access().await?;
                unchecked = 0;
            }
            let piece: Option<Bytes> = pieces.try_next().await?;
            Ok(piece.map(|piece| {
                let unchecked = unchecked + piece.len();
                (piece, (download, pieces, unchecked))
            }))
        });
        Ok(checked.boxed())
    }

    /// Checks that the caller may still read the file.
    async fn check_access(&self) -> Result<(), Error> {
        self.chat.require_session(&self.by).await?;
        self.chat.load_room_row(&self.by, self.room).await?;
        let readable = self.chat.find_readable_file(&self.by, self.room, self.id);
        readable.await.map(drop)
    }
}
