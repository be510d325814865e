//! The pieces of uploads that are under way, under `ROOM/FILE.parts/START`.
//!
//! # Guarantees
//! - Of two pieces with the same start one is put, whichever node puts it; no piece changes.
//! - A piece that was put is durable, and complete for every reader.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use futures_util::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt};
use object_store::PutMode;
use object_store::path::Path as ObjectPath;
use protocol::{FileId, RoomId};
use tokio::task::spawn_blocking;

use super::{FileStore, ListedObject, ObjectKey};
use crate::Error;
use crate::files::staging::create_private_directory;
use crate::store::sync_parent;

/// The end of the name of the directory with the pieces of a file.
const PARTS: &str = ".parts";

/// Some bytes of an upload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    /// How many bytes of the file are before it.
    pub start: u64,
    pub size: u64,
}

impl ObjectKey {
    fn directory_of_pieces(self) -> String {
        format!("{}{PARTS}", self.file)
    }

    fn prefix_of_pieces(self) -> ObjectPath {
        ObjectPath::from_iter([self.room.to_string(), self.directory_of_pieces()])
    }

    fn piece_path(self, start: u64) -> ObjectPath {
        self.prefix_of_pieces().join(start.to_string())
    }

    /// The key of the file that a piece belongs to, and where the piece starts; `None` if the object is
    /// no piece.
    fn of_piece(path: &ObjectPath) -> Option<(Self, u64)> {
        let mut parts = path.as_ref().split('/');
        let room: RoomId = parts.next()?.parse().ok()?;
        let file: FileId = parts.next()?.strip_suffix(PARTS)?.parse().ok()?;
        let start = parts.next()?.parse().ok()?;
        parts
            .next()
            .is_none()
            .then_some((Self { room, file }, start))
    }
}

impl FileStore {
    /// Puts the bytes of a staged file as a piece, unless there is one with the same start. Returns
    /// whether it was put.
    pub async fn put_piece(
        &self,
        key: ObjectKey,
        start: u64,
        staged: &Path,
    ) -> Result<bool, Error> {
        if let Some(root) = &self.root {
            let directory = root.join(key.room.to_string());
            let to = directory.join(key.directory_of_pieces());
            if let Some(is_put) = link_new(staged.to_owned(), to.join(start.to_string())).await? {
                return Ok(is_put);
            }
        }
        let bytes = tokio::fs::read(staged).await?;
        let path = key.piece_path(start);
        let mode = PutMode::Create.into();
        match self.objects.put_opts(&path, bytes.into(), mode).await {
            Ok(_) => Ok(true),
            Err(object_store::Error::AlreadyExists { .. }) => Ok(false),
            Err(error) => Err(Error::fault(error)),
        }
    }

    /// The pieces of a file from its first byte on, in their order, without any gap.
    pub async fn list_pieces(&self, key: ObjectKey) -> Result<Vec<Piece>, Error> {
        let listed = self.objects.list(Some(&key.prefix_of_pieces()));
        let pieces = listed.try_filter_map(|object| async move {
            let start = ObjectKey::of_piece(&object.location);
            Ok(start.map(|(_, start)| Piece {
                start,
                size: object.size,
            }))
        });
        let mut pieces: Vec<Piece> = pieces.try_collect().await.map_err(Error::fault)?;
        pieces.sort_by_key(|piece| piece.start);
        let mut end = 0;
        pieces.retain(|piece| {
            let is_next = piece.start == end && piece.size > 0;
            end += if is_next { piece.size } else { 0 };
            is_next
        });
        Ok(pieces)
    }

    /// Reads a piece.
    pub async fn read_piece(
        &self,
        key: ObjectKey,
        piece: Piece,
    ) -> Result<BoxStream<'static, Result<Bytes, Error>>, Error> {
        self.read_path(&key.piece_path(piece.start), 0..piece.size)
            .await
    }

    /// Deletes a piece, if there is one.
    pub async fn delete_piece(&self, key: ObjectKey, start: u64) -> Result<(), Error> {
        self.delete_path(&key.piece_path(start)).await
    }

    /// Deletes the pieces of a file.
    pub async fn delete_pieces(&self, key: ObjectKey) -> Result<(), Error> {
        let listed = self.objects.list(Some(&key.prefix_of_pieces()));
        let listed = listed.map_err(Error::fault);
        listed
            .try_for_each(|object| async move { self.delete_path(&object.location).await })
            .await
    }

    /// The pieces of all uploads.
    pub fn list_all_pieces(&self) -> BoxStream<'static, Result<ListedObject, Error>> {
        let listed = self.objects.list(None).map_err(Error::fault);
        let pieces = listed.try_filter_map(|object| async move {
            let key = ObjectKey::of_piece(&object.location);
            Ok(key.map(|(key, _)| ListedObject {
                key,
                put_at: object.last_modified.timestamp_millis(),
            }))
        });
        pieces.boxed()
    }
}

/// Links a durable file to a path that is free. Returns whether it was, or `None` if the file cannot be
/// linked there.
async fn link_new(from: PathBuf, to: PathBuf) -> Result<Option<bool>, Error> {
    let linked = spawn_blocking(move || {
        // The directory may be deleted meanwhile, because it was empty.
        for _ in 0..8 {
            if let Some(directory) = to.parent() {
                create_private_directory(directory)?;
            }
            match fs::hard_link(&from, &to) {
                Ok(()) => return sync_parent(&to).map(|()| Some(true)),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    return Ok(Some(false));
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound && from.exists() => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(error.into()),
                Err(error) => {
                    tracing::debug!(%error, "a piece is copied to the file store");
                    return Ok(None);
                }
            }
        }
        Ok(None)
    });
    linked.await.map_err(Error::fault)?
}
