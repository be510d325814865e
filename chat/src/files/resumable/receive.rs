//! Receives the bytes of one request to an upload.
//!
//! # Guarantees
//! - What arrived before a connection was cut is kept, unless it has a checksum, which belongs to all
//!   bytes of the request.
//! - A crash of the server loses at most [`PIECE`] bytes and what arrived in [`KEPT_AFTER`].
//! - The sender may write in the room whenever a piece is kept.

use std::pin::pin;
use std::time::Duration;

use futures_util::TryStreamExt;
use protocol::{FileSpace, Refusal};
use texts::refusal;
use tokio::time::{Instant, sleep_until};

use super::checksum::{Checksum, ChecksumCheck};
use super::{Piece, UploadBody, UploadTurn, uploads};
use crate::Error;
use crate::files::Promise;
use crate::files::staging::StagedPiece;

/// A piece with so many bytes is put into the file store.
const PIECE: u64 = 8 * 1024 * 1024;

/// A piece is put into the file store so long after its first byte.
const KEPT_AFTER: Duration = Duration::from_secs(5);

/// The most pieces of an upload when a request begins.
const PIECES_MAX: usize = 10_000;

/// The bytes that a request brings.
#[derive(Clone, Debug, Default)]
pub struct UploadPart {
    /// How many bytes the client believes to have sent before.
    pub offset: u64,
    /// How many bytes follow, if the client says it.
    pub size: Option<u64>,
    /// The checksum of these bytes.
    pub checksum: Option<Checksum>,
}

/// The bytes of a request that are not kept yet.
struct Receiver<'a> {
    turn: &'a mut UploadTurn,
    check: Option<ChecksumCheck>,
    pending: Vec<PendingPiece>,
    /// How many bytes the upload will have when the pending ones are kept.
    end: u64,
    promise: Promise,
}

/// A piece that is not kept yet.
struct PendingPiece {
    start: u64,
    size: u64,
    began: Instant,
    staged: StagedPiece,
}

impl UploadTurn {
    /// Receives bytes, and completes the file with the last one. It keeps what arrives, and completes the
    /// file, even if the caller of this future drops it. The body is dropped before the turn ends.
    ///
    /// # Errors
    /// [`Refusal::UploadMoved`] if the bytes do not follow those that have arrived, or another request
    /// goes on with the upload; [`Refusal::ChecksumMismatch`]; [`Refusal::FilesTooLarge`] if they are
    /// more than the file has; [`Refusal::NoSpaceForFiles`]; the refusals of [`crate::Chat::find_room`];
    /// those of the body; or a fault.
    pub async fn receive(mut self, part: UploadPart, body: impl UploadBody) -> Result<Self, Error> {
        let received = tokio::spawn(async move {
            self.receive_part(part, body).await?;
            self.complete_if_whole().await?;
            Ok(self)
        });
        received.await.map_err(Error::fault)?
    }

    async fn receive_part(&mut self, part: UploadPart, body: impl UploadBody) -> Result<(), Error> {
        if part.offset != self.offset {
            return Err(Refusal::UploadMoved.into());
        }
        let left = self.length - self.offset;
        if part.size.is_some_and(|size| size > left) {
            return Err(self.too_large());
        }
        if self.pieces.len() >= PIECES_MAX {
            let rule = refusal::RULE_PIECES.fill([&PIECES_MAX.to_string()]);
            return Err(Refusal::invalid("upload", rule).into());
        }
        self.chat.require_writer(&self.by, self.room).await?;
        let promise = self.files().promise(part.size.unwrap_or(left))?;
        self.turn.set_position(self.offset);
        let mut receiver = Receiver {
            check: part.checksum.map(ChecksumCheck::new),
            pending: Vec::new(),
            end: self.offset,
            promise,
            turn: self,
        };
        receiver.receive(body).await
    }

    fn too_large(&self) -> Error {
        Refusal::FilesTooLarge(FileSpace::File, self.length).into()
    }
}

impl Receiver<'_> {
    async fn receive(&mut self, body: impl UploadBody) -> Result<(), Error> {
        let received = self.read(body).await;
        let check = self.check.take();
        if let Err(error) = received {
            if check.is_none() && is_cut(&error) {
                self.keep().await?;
            }
            return Err(error);
        }
        if check.is_some_and(|check| !check.verify()) {
            return Err(Refusal::ChecksumMismatch.into());
        }
        self.keep().await
    }

    /// Reads the body to its end.
    async fn read(&mut self, body: impl UploadBody) -> Result<(), Error> {
        let mut body = pin!(body);
        loop {
            let kept_at = self.pending.last().map(|piece| piece.began + KEPT_AFTER);
            let is_kept_early = self.check.is_none() && kept_at.is_some();
            let next = tokio::select! {
                biased;
                () = self.turn.turn.superseded() => return Err(Refusal::UploadMoved.into()),
                next = body.try_next() => next?,
                () = sleep_until(kept_at.unwrap_or_else(Instant::now)), if is_kept_early => {
                    self.keep().await?;
                    continue;
                }
            };
            let Some(bytes) = next else {
                return Ok(());
            };
            self.add(&bytes).await?;
        }
    }

    async fn add(&mut self, bytes: &[u8]) -> Result<(), Error> {
        if bytes.is_empty() {
            return Ok(());
        }
        let size = bytes.len() as u64;
        if size > self.turn.length - self.end {
            return Err(self.turn.too_large());
        }
        if let Some(check) = &mut self.check {
            check.update(bytes);
        }
        if self.pending.last().is_none_or(|piece| piece.size >= PIECE) {
            let staged = self.turn.files().0.staging.create_piece(self.turn.id)?;
            self.pending.push(PendingPiece {
                start: self.end,
                size: 0,
                began: Instant::now(),
                staged,
            });
        }
        let Some(piece) = self.pending.last_mut() else {
            return Ok(());
        };
        piece.staged.write(bytes).await?;
        piece.size += size;
        let is_full = piece.size >= PIECE;
        self.end += size;
        self.promise.keep(size);
        self.turn.turn.set_position(self.end);
        if is_full && self.check.is_none() {
            self.keep().await?;
        }
        Ok(())
    }

    /// Puts the pending pieces into the file store.
    async fn keep(&mut self) -> Result<(), Error> {
        for piece in self.pending.drain(..) {
            self.turn.keep(piece).await?;
        }
        Ok(())
    }
}

impl UploadTurn {
    /// Puts a piece into the file store. The sender may still write in the room.
    async fn keep(&mut self, mut piece: PendingPiece) -> Result<(), Error> {
        piece.staged.sync().await?;
        let store = self.files().store().clone();
        let path = piece.staged.path();
        if !store.put_piece(self.key(), piece.start, path).await? {
            return Err(Refusal::UploadMoved.into());
        }
        self.files().pass("piece kept").await;
        if let Err(error) = self.note_piece().await {
            if matches!(error, Error::Refusal(_)) {
                store.delete_piece(self.key(), piece.start).await?;
            }
            return Err(error);
        }
        self.offset = piece.start + piece.size;
        self.pieces.push(Piece {
            start: piece.start,
            size: piece.size,
        });
        Ok(())
    }

    /// Notes that bytes have arrived, from which on the upload may wait for more.
    async fn note_piece(&mut self) -> Result<(), Error> {
        let mut tx = self.begin().await?;
        let now = self.chat.now();
        if !uploads::touch(&mut tx, now, self.id).await? {
            return Err(Refusal::NotFound(refusal::NO_UPLOAD).into());
        }
        tx.commit().await?;
        self.changed_at = now;
        Ok(())
    }
}

/// Whether a body that ended with this error was cut, so that what came before may be kept.
fn is_cut(error: &Error) -> bool {
    matches!(error, Error::Refusal(refusal) if !matches!(refusal, Refusal::FilesTooLarge(..)))
}
