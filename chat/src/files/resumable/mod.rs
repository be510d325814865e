//! Uploads that can be resumed: the bytes of a file arrive with several requests, at any node.
//!
//! Until the file is complete, its bytes are pieces in the file store, which all nodes reach. How far the
//! upload is follows from the pieces alone. Then one node joins them in its staging directory, and the
//! file goes the way of every other one.
//!
//! # Guarantees
//! - What an upload is to have counts for the limits from its beginning on.
//! - Every acknowledged byte is durable. The bytes of two requests never mix.
//! - An upload is for the person who began it, while that person may read the room.
//! - An upload that gets no byte for a day is deleted.
//! - A person has at most [`OPEN_MAX`] uploads that are not complete.
//!
//! # Not here
//! - HTTP (`server`). The deletion of expired uploads: `sweeper`.

mod checksum;
mod receive;
#[cfg(test)]
mod tests;
mod turns;

use bytes::Bytes;
use futures_util::{Stream, TryStreamExt};
use protocol::{FileId, FileSpace, Refusal, RoomId, Time};
use texts::refusal;

pub use self::checksum::Checksum;
pub use self::receive::UploadPart;
use self::turns::Turn;
pub(super) use self::turns::Turns;
use super::check::Drawing;
use super::file_store::Piece;
use super::quota::check_usage;
use super::sweeper::KEPT;
use super::{Files, ObjectKey, name};
use crate::identity::caller_transaction::CallerTransaction;
use crate::identity::person::Person;
use crate::room::access;
use crate::store::file_details::FileDetails;
use crate::store::file_rows::{FileState, StoredFile};
use crate::store::files::{FileBytes, NewFileRow};
use crate::store::uploads::{self, UploadRow};
use crate::store::{WriteTransaction, file_content, files};
use crate::{Chat, Error};

/// The bytes of a request, or the refusal at which they end.
pub trait UploadBody: Stream<Item = Result<Bytes, Refusal>> + Send + 'static {}

impl<T: Stream<Item = Result<Bytes, Refusal>> + Send + 'static> UploadBody for T {}

/// The most uploads of a person that are not complete. Each counts its whole length for the limits.
const OPEN_MAX: i64 = 10;

/// An upload as a client begins it.
#[derive(Clone, Debug)]
pub struct NewUpload {
    /// The name of the file.
    pub name: String,
    /// How many bytes the file has.
    pub length: u64,
    /// What the client says of the file, which it gets back.
    pub metadata: String,
}

/// The turn of a request to an upload: no other request of this process changes it meanwhile.
#[derive(Debug)]
pub struct UploadTurn {
    chat: Chat,
    by: Person,
    room: RoomId,
    id: FileId,
    name: String,
    /// How many bytes the file has.
    length: u64,
    metadata: String,
    state: FileState,
    changed_at: Time,
    /// The pieces that have arrived, unless the file is complete.
    pieces: Vec<Piece>,
    /// How many bytes have arrived.
    offset: u64,
    turn: Turn,
}

impl Chat {
    /// Begins an upload to a room, maybe with its first bytes. A file without bytes is complete at once.
    /// An upload whose first bytes are refused, or cut, is given up, even if the caller of this future
    /// drops it: the client has not learned its ID.
    ///
    /// # Errors
    /// [`Refusal::FilesTooLarge`] if the file would pass a limit, [`Refusal::NoSpaceForFiles`],
    /// [`Refusal::TooManyUploads`] if too many of the caller are not complete, [`Refusal::Forbidden`] if the caller may not write in the room or the server takes no files, the
    /// refusals of [`Chat::find_room`], those of [`UploadTurn::receive`], or a fault.
    pub async fn create_upload(
        &self,
        by: &Person,
        room: &RoomId,
        new: NewUpload,
        first: Option<(UploadPart, impl UploadBody)>,
    ) -> Result<UploadTurn, Error> {
        let (chat, by, room) = (self.clone(), by.clone(), *room);
        let created = tokio::spawn(async move {
            let turn = chat.insert_upload(&by, room, new).await?;
            let Some((part, body)) = first else {
                return turn.recover().await;
            };
            let id = turn.id;
            let received = turn.receive(part, body).await;
            if received.is_err() {
                chat.give_up_file(&by, id).await?;
            }
            received
        });
        created.await.map_err(Error::fault)?
    }

    async fn insert_upload(
        &self,
        by: &Person,
        room: RoomId,
        new: NewUpload,
    ) -> Result<UploadTurn, Error> {
        let files = &self.0.files;
        let limits = files.0.limits;
        let limits = limits.ok_or(Refusal::Forbidden(refusal::NO_FILES_HERE))?;
        if new.length > limits.file {
            return Err(Refusal::FilesTooLarge(FileSpace::File, limits.file).into());
        }
        let promise = files.promise(new.length)?;
        let id = FileId::from_bytes(getrandom::u64()?.to_be_bytes());
        let turn = UploadTurn {
            turn: files.0.turns.take(id).await,
            chat: self.clone(),
            by: by.clone(),
            room,
            id,
            name: name::clean(&new.name),
            length: new.length,
            metadata: new.metadata,
            state: FileState::Receiving,
            changed_at: self.now(),
            pieces: Vec::new(),
            offset: 0,
        };
        let mut tx = turn.begin().await?;
        if uploads::count_open(&mut tx, by.id()).await? >= OPEN_MAX {
            return Err(Refusal::TooManyUploads.into());
        }
        check_usage(&mut tx, limits, room, turn.length).await?;
        let row = NewFileRow {
            id,
            room,
            person: by.id(),
            name: &turn.name,
            reserved: turn.length,
        };
        uploads::insert_upload(&mut tx, turn.changed_at, &row, &turn.metadata).await?;
        if turn.details().is_original {
            file_content::set_details(&mut tx, id, &turn.details()).await?;
        }
        tx.commit().await?;
        drop(promise);
        Ok(turn)
    }

    /// Takes the turn of a request to an upload of the caller. It ends what older requests receive, and
    /// waits until what they have received is kept. A request that goes on from a byte names it.
    ///
    /// # Errors
    /// The refusals of [`Chat::find_room`], [`Refusal::NotFound`] if there is no such upload for the
    /// caller, [`Refusal::UploadMoved`] if another request receives from another byte on, or a fault.
    pub async fn take_upload(
        &self,
        by: &Person,
        room: &RoomId,
        id: FileId,
        offset: Option<u64>,
    ) -> Result<UploadTurn, Error> {
        self.load_room_row(by, *room).await?;
        self.find_upload(by, *room, id).await?;
        let turns = &self.0.files.0.turns;
        let turn = match offset {
            Some(offset) => turns.take_at(id, offset).await,
            None => Some(turns.take(id).await),
        };
        let turn = turn.ok_or(Refusal::UploadMoved)?;
        let row = self.find_upload(by, *room, id).await?;
        let mut taken = UploadTurn {
            turn,
            chat: self.clone(),
            by: by.clone(),
            room: *room,
            id,
            name: row.name,
            length: row.length,
            metadata: row.metadata,
            state: row.state,
            changed_at: row.changed_at,
            pieces: Vec::new(),
            offset: row.length,
        };
        if taken.state != FileState::Ready {
            taken.pieces = self.0.files.store().list_pieces(taken.key()).await?;
            taken.offset = taken.pieces.iter().map(|piece| piece.size).sum();
        }
        Ok(taken)
    }

    /// The upload with this ID, of this room and this caller. A file in a message is no upload any more.
    async fn find_upload(&self, by: &Person, room: RoomId, id: FileId) -> Result<UploadRow, Error> {
        let found = uploads::find_upload(&mut self.0.store.reader().await?, id).await?;
        let found = found.filter(|row| {
            let is_upload = !matches!(row.state, FileState::Attached | FileState::Deleting);
            is_upload && row.room == room && row.person == by.id()
        });
        Ok(found.ok_or(Refusal::NotFound(refusal::NO_UPLOAD))?)
    }
}

impl UploadTurn {
    /// The ID of the file.
    pub fn id(&self) -> FileId {
        self.id
    }

    /// How many bytes the file has.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// How many bytes have arrived.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// What the client has said of the file.
    pub fn metadata(&self) -> &str {
        &self.metadata
    }

    /// When the upload is given up if no byte arrives; `None` if the file is complete.
    pub fn expires_at(&self) -> Option<Time> {
        (self.state != FileState::Ready).then(|| self.changed_at.after(KEPT))
    }

    /// Gives the upload up, also if it is complete.
    ///
    /// # Errors
    /// [`Refusal::NotFound`] if a message has the file meanwhile, [`Refusal::NotSignedIn`] if the session
    /// of the caller has ended, or a fault.
    pub async fn terminate(self) -> Result<(), Error> {
        if self.chat.give_up_file(&self.by, self.id).await? {
            return Ok(());
        }
        Err(Refusal::NotFound(refusal::NO_UPLOAD).into())
    }

    /// Finishes what a crash has interrupted: completes the file if all its bytes have arrived. When
    /// this returns, the file is ready. It completes even if the caller of this future drops it.
    ///
    /// # Errors
    /// The refusals of [`Chat::find_room`] if the caller has lost the access to the room,
    /// [`Refusal::NoSpaceForFiles`], or a fault.
    pub async fn recover(mut self) -> Result<Self, Error> {
        let recovered = tokio::spawn(async move {
            self.complete_if_whole().await?;
            Ok(self)
        });
        recovered.await.map_err(Error::fault)?
    }

    /// Completes the file if all its bytes have arrived.
    async fn complete_if_whole(&mut self) -> Result<(), Error> {
        let is_waiting = self.state == FileState::Received && self.files().is_held_back(self.id);
        if self.offset < self.length || self.state == FileState::Ready || is_waiting {
            return Ok(());
        }
        self.state = self.complete().await?;
        Ok(())
    }

    fn files(&self) -> &Files {
        &self.chat.0.files
    }

    /// What is known of the file from the beginning.
    fn details(&self) -> FileDetails {
        FileDetails {
            is_original: is_original(&self.metadata),
            ..FileDetails::default()
        }
    }

    fn key(&self) -> ObjectKey {
        ObjectKey {
            room: self.room,
            file: self.id,
        }
    }

    /// Begins a transaction in which the person may write in the room.
    async fn begin(&self) -> Result<WriteTransaction, Error> {
        let CallerTransaction { mut tx, by } = self.chat.begin_by(&self.by).await?;
        let found = access::find_in(&mut tx, self.chat.now(), &by, self.room).await?;
        found.write_policy().check_write()?;
        Ok(tx)
    }

    /// Returns the state of the file: it is only received while a scanner has not called it clean.
    async fn complete(&self) -> Result<FileState, Error> {
        let files = self.files();
        let received = self.join().await?;
        files.pass("pieces joined").await;
        if let Err(error) = self.note_received(&received).await {
            files.0.staging.remove(self.id)?;
            return Err(error);
        }
        files.pass("upload received").await;
        let (store, now) = (&self.chat.0.store, self.chat.now());
        let published = files
            .publish(store, now, self.room, received, Drawing::Now)
            .await;
        match published {
            Ok(file) if file.is_scanning => return Ok(FileState::Received),
            Ok(_) => {}
            Err(error) => {
                // Another node may have been faster.
                let row = uploads::find_upload(&mut store.reader().await?, self.id).await?;
                if row.is_none_or(|row| row.state != FileState::Ready) {
                    return Err(error);
                }
                files.0.staging.remove(self.id)?;
            }
        }
        files.pass("upload ready").await;
        files.store().delete_pieces(self.key()).await?;
        Ok(FileState::Ready)
    }

    /// Joins the pieces in the staging directory, where nothing else of the file is: requests have
    /// turns, and so has the sweeper.
    async fn join(&self) -> Result<StoredFile, Error> {
        let files = self.files();
        files.0.staging.remove(self.id)?;
        let mut space = files.promise(self.length)?;
        let mut staged = files.0.staging.create(self.id)?;
        for piece in &self.pieces {
            let mut bytes = files.store().read_piece(self.key(), *piece).await?;
            while let Some(bytes) = bytes.try_next().await? {
                staged.write(&bytes).await?;
                space.keep(bytes.len() as u64);
            }
        }
        let bytes = staged.finish().await?;
        Ok(StoredFile {
            id: self.id,
            name: self.name.clone(),
            kind: bytes.kind,
            size: self.length,
            sha256: bytes.sha256,
            alt: None,
            is_scanning: false,
            details: self.details(),
        })
    }

    /// Notes that all bytes are durable, unless another node has done so.
    async fn note_received(&self, received: &StoredFile) -> Result<(), Error> {
        let mut tx = self.begin().await?;
        let bytes = FileBytes {
            kind: &received.kind,
            size: received.size,
            sha256: &received.sha256,
        };
        let now = self.chat.now();
        if files::advance(&mut tx, now, self.id, FileState::Received, &bytes).await? {
            tx.commit().await?;
            return Ok(());
        }
        match uploads::find_upload(&mut tx, self.id).await? {
            Some(row) if matches!(row.state, FileState::Received | FileState::Ready) => Ok(()),
            _ => Err(Refusal::NotFound(refusal::NO_UPLOAD).into()),
        }
    }
}

/// Whether the metadata of an upload say that the bytes are to stay as they are.
fn is_original(metadata: &str) -> bool {
    let mut keys = metadata
        .split(',')
        .filter_map(|pair| pair.split(' ').next());
    keys.any(|key| key == "original")
}
