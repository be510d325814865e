//! An upload: a file whose bytes arrive.
//!
//! # Guarantees
//! - What an upload counts for the limits is reserved before its bytes arrive. An upload of unknown
//!   size reserves more as it grows.
//! - An upload that ends without a file leaves neither bytes nor a row, and counts nothing.
//! - The person may write in the room when the upload begins and when it is complete.

use protocol::{File, FileId, FileSpace, Refusal, RoomId};
use texts::refusal;

use super::check::Drawing;
use super::quota::check_usage;
use super::staging::{StagedBytes, StagedFile};
use super::{FileLimits, Files, Promise, name};
use crate::identity::caller_transaction::CallerTransaction;
use crate::identity::person::Person;
use crate::room::access;
use crate::store::file_details::FileDetails;
use crate::store::file_rows::{FileState, StoredFile};
use crate::store::files::{FileBytes, NewFileRow};
use crate::store::{WriteTransaction, file_content, files};
use crate::{Chat, Error};

/// How much more an upload of unknown size reserves at once, in bytes.
const STEP: u64 = 16 * 1024 * 1024;

/// After so many bytes the free space of the disk is checked again.
const CHECKED: u64 = 64 * 1024 * 1024;

/// An upload. If it is dropped before it is finished, it is given up.
#[derive(Debug)]
pub struct Upload {
    chat: Chat,
    by: Person,
    room: RoomId,
    id: FileId,
    name: String,
    limits: FileLimits,
    /// How many bytes have arrived.
    size: u64,
    /// How many bytes it counts for the limits.
    reserved: u64,
    /// How many bytes had arrived at the last check of the disk.
    checked: u64,
    promise: Promise,
    staged: StagedFile,
    details: FileDetails,
    is_finished: bool,
}

impl Chat {
    /// Begins the upload of a file to a room. Without a `size` the upload reserves as it grows.
    ///
    /// # Errors
    /// [`Refusal::FilesTooLarge`] if the file would pass a limit, [`Refusal::NoSpaceForFiles`],
    /// [`Refusal::Forbidden`] if the caller may not write in the room or the server takes no files,
    /// the refusals of [`Chat::find_room`], or a fault.
    pub async fn begin_upload(
        &self,
        by: &Person,
        room: &RoomId,
        name: &str,
        size: Option<u64>,
    ) -> Result<Upload, Error> {
        let files = &self.0.files;
        let limits = files.0.limits;
        let limits = limits.ok_or(Refusal::Forbidden(refusal::NO_FILES_HERE))?;
        if size.is_some_and(|size| size > limits.file) {
            return Err(Refusal::FilesTooLarge(FileSpace::File, limits.file).into());
        }
        let id = FileId::from_bytes(getrandom::u64()?.to_be_bytes());
        let reserved = size.unwrap_or(STEP.min(limits.file));
        let mut upload = Upload {
            by: by.clone(),
            room: *room,
            id,
            name: name::clean(name),
            limits,
            size: 0,
            reserved,
            checked: 0,
            promise: files.promise(reserved)?,
            staged: files.0.staging.create(id)?,
            chat: self.clone(),
            details: FileDetails::default(),
            is_finished: false,
        };
        upload.insert(size.is_some()).await?;
        files.pass("upload begun").await;
        Ok(upload)
    }
}

impl Upload {
    /// The ID of the file.
    pub fn id(&self) -> FileId {
        self.id
    }

    /// Keeps the bytes as they are sent, with all metadata of a picture.
    ///
    /// # Errors
    /// A fault.
    pub async fn keep_original(&mut self) -> Result<(), Error> {
        self.details.is_original = true;
        let mut tx = self.chat.0.store.begin().await?;
        file_content::set_details(&mut tx, self.id, &self.details).await?;
        tx.commit().await?;
        Ok(())
    }

    fn files(&self) -> &Files {
        &self.chat.0.files
    }

    /// Creates the row. Without a known size less may be reserved than could be needed.
    async fn insert(&mut self, is_size_known: bool) -> Result<(), Error> {
        let mut tx = self.begin().await?;
        let usage = check_usage(&mut tx, self.limits, self.room, self.reserved).await;
        match usage {
            Err(Error::Refusal(_)) if !is_size_known => self.reserved = 0,
            usage => usage?,
        }
        let new = NewFileRow {
            id: self.id,
            room: self.room,
            person: self.by.id(),
            name: &self.name,
            reserved: self.reserved,
        };
        files::insert_file(&mut tx, self.chat.now(), &new).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Begins a transaction in which the person may write in the room.
    async fn begin(&self) -> Result<WriteTransaction, Error> {
        let CallerTransaction { mut tx, by } = self.chat.begin_by(&self.by).await?;
        let found = access::find_in(&mut tx, self.chat.now(), &by, self.room).await?;
        found.write_policy().check_write()?;
        Ok(tx)
    }

    /// Adds bytes.
    ///
    /// # Errors
    /// [`Refusal::FilesTooLarge`], [`Refusal::NoSpaceForFiles`], or a fault.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let size = self.size + bytes.len() as u64;
        if size > self.limits.file {
            return Err(Refusal::FilesTooLarge(FileSpace::File, self.limits.file).into());
        }
        if size > self.reserved {
            self.grow(size).await?;
        }
        if size >= self.checked + CHECKED {
            self.check_disk(size).await?;
        }
        self.staged.write(bytes).await?;
        self.size = size;
        self.promise.keep(bytes.len() as u64);
        Ok(())
    }

    /// Reserves more than was known to be needed.
    async fn grow(&mut self, size: u64) -> Result<(), Error> {
        let mut tx = self.chat.0.store.begin().await?;
        let mut reserved = size.saturating_add(STEP).min(self.limits.file);
        let more = reserved - self.reserved;
        if check_usage(&mut tx, self.limits, self.room, more)
            .await
            .is_err()
        {
            // There may still be space for the bytes that are here.
            reserved = size;
            check_usage(&mut tx, self.limits, self.room, size - self.reserved).await?;
        }
        let promise = self.files().promise(reserved - self.reserved)?;
        files::reserve(&mut tx, self.chat.now(), self.id, self.reserved, reserved).await?;
        tx.commit().await?;
        self.reserved = reserved;
        self.promise.add(promise);
        Ok(())
    }

    /// Checks that the disk has space for the rest, and notes that the upload goes on.
    async fn check_disk(&mut self, size: u64) -> Result<(), Error> {
        self.checked = size;
        if !self.files().0.disk.has_space_for(0) {
            return Err(Refusal::NoSpaceForFiles.into());
        }
        let mut tx = self.chat.0.store.begin().await?;
        let now = self.chat.now();
        files::reserve(&mut tx, now, self.id, self.reserved, self.reserved).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Completes the file, whose bytes have all arrived. When this returns the file, it is durable. It
    /// completes even if the caller of this future drops it.
    ///
    /// # Errors
    /// The refusals of [`Chat::find_room`] if the caller has lost the access to the room,
    /// [`Refusal::Gone`] if the room ends, or a fault.
    pub async fn finish(mut self) -> Result<File, Error> {
        let completed = tokio::spawn(async move { self.complete().await });
        completed.await.map_err(Error::fault)?
    }

    async fn complete(&mut self) -> Result<File, Error> {
        let StagedBytes { kind, sha256 } = self.staged.finish().await?;
        let received = StoredFile {
            id: self.id,
            name: self.name.clone(),
            kind,
            size: self.size,
            sha256,
            details: self.details.clone(),
            alt: None,
            is_scanning: false,
        };
        self.note_received(&received).await?;
        self.files().pass("file received").await;
        let (store, now) = (&self.chat.0.store, self.chat.now());
        let file = self
            .files()
            .publish(store, now, self.room, received, Drawing::Now)
            .await?;
        self.is_finished = true;
        Ok(file.shown(self.room))
    }

    async fn note_received(&self, received: &StoredFile) -> Result<(), Error> {
        let mut tx = self.begin().await?;
        let bytes = FileBytes {
            kind: &received.kind,
            size: received.size,
            sha256: &received.sha256,
        };
        let now = self.chat.now();
        if !files::advance(&mut tx, now, self.id, FileState::Received, &bytes).await? {
            return Err(Refusal::NotFound(refusal::NO_FILE).into());
        }
        tx.commit().await?;
        Ok(())
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        if !self.is_finished {
            self.files().abandon(self.id);
        }
    }
}

impl Promise {
    /// Takes over another promise.
    fn add(&mut self, mut other: Self) {
        self.bytes += std::mem::take(&mut other.bytes);
    }
}
