//! The file store: where the bytes of files are, under `ROOM/FILE`, and the pieces of uploads.
//!
//! It uses of an object store only what every kind has: to put a whole object, to read a range, to
//! delete and to list. No object is renamed or changed, and the digest of a file is our own.
//!
//! # Guarantees
//! - An object that was put is durable, and complete for every reader.
//! - To put or delete an object again does no harm.

mod local;
mod pieces;
mod previews;
#[cfg(test)]
mod tests;

use std::fs;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream::{self, BoxStream};
use futures_util::{StreamExt, TryStreamExt};
use object_store::local::LocalFileSystem;
use object_store::path::Path as ObjectPath;
use object_store::{GetOptions, GetRange, GetResultPayload, ObjectStore, ObjectStoreExt};
use protocol::{FileId, Refusal, RoomId};
use texts::refusal;
use tokio::io::AsyncReadExt;
use tokio::task::spawn_blocking;

use self::local::{link, remove_copies};
pub(crate) use self::pieces::Piece;
use super::staging::create_private_directory;
use crate::Error;

/// The size of the parts of an object that is copied to the store: at least what S3 asks for.
const PART: usize = 5 * 1024 * 1024;

/// How many bytes of an object are read at once.
const PIECE: usize = 128 * 1024;

/// Where the bytes of a file are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ObjectKey {
    pub room: RoomId,
    pub file: FileId,
}

impl ObjectKey {
    fn path(self) -> ObjectPath {
        ObjectPath::from_iter([self.room.to_string(), self.file.to_string()])
    }

    /// The key of an object or a preview; `None` if it is no file's.
    fn of_path(path: &ObjectPath) -> Option<Self> {
        let (room, file) = path.as_ref().split_once('/')?;
        let file = previews::file_of(file);
        Some(Self {
            room: room.parse().ok()?,
            file: file.parse().ok()?,
        })
    }
}

/// An object in the list of the store.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ListedObject {
    pub key: ObjectKey,
    /// When it was put, in milliseconds since the Unix epoch.
    pub put_at: i64,
}

/// The file store. It is cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct FileStore {
    objects: Arc<dyn ObjectStore>,
    /// The directory, if the store is one.
    root: Option<PathBuf>,
}

impl FileStore {
    /// The store in a directory, which is created if there is none.
    pub fn in_directory(root: &Path) -> Result<Self, Error> {
        create_private_directory(root)?;
        let objects = LocalFileSystem::new_with_prefix(root)
            .map_err(Error::fault)?
            .with_fsync(true)
            .with_automatic_cleanup(true);
        Ok(Self {
            objects: Arc::new(objects),
            root: Some(root.to_owned()),
        })
    }

    /// Puts the bytes of a staged file, which stays where it is.
    pub async fn put(&self, key: ObjectKey, staged: &Path) -> Result<(), Error> {
        if let Some(path) = self.local_path(key)
            && link(staged.to_owned(), path).await?
        {
            return Ok(());
        }
        self.copy(key, staged).await
    }

    /// Copies the bytes of a staged file, of which one part at a time is in memory.
    async fn copy(&self, key: ObjectKey, staged: &Path) -> Result<(), Error> {
        let mut file = tokio::fs::File::open(staged).await?;
        let first = read_part(&mut file).await?;
        if first.len() < PART {
            let put = self.objects.put(&key.path(), first.into()).await;
            return put.map(drop).map_err(Error::fault);
        }
        let upload = self.objects.put_multipart(&key.path()).await;
        let mut upload = upload.map_err(Error::fault)?;
        let parts = async {
            let mut part = first;
            while !part.is_empty() {
                upload.put_part(part.into()).await.map_err(Error::fault)?;
                part = read_part(&mut file).await?;
            }
            upload.complete().await.map_err(Error::fault)
        };
        match parts.await {
            Ok(_) => Ok(()),
            Err(error) => {
                if let Err(error) = upload.abort().await {
                    tracing::debug!(%error, "cannot end the copy of a file");
                }
                Err(error)
            }
        }
    }

    /// Reads a range of an object, piece by piece.
    pub async fn read(
        &self,
        key: ObjectKey,
        range: Range<u64>,
    ) -> Result<BoxStream<'static, Result<Bytes, Error>>, Error> {
        self.read_path(&key.path(), range).await
    }

    async fn read_path(
        &self,
        path: &ObjectPath,
        range: Range<u64>,
    ) -> Result<BoxStream<'static, Result<Bytes, Error>>, Error> {
        if range.is_empty() {
            return Ok(stream::empty().boxed());
        }
        let options = GetOptions {
            range: Some(GetRange::Bounded(range)),
            ..GetOptions::default()
        };
        let found = match self.objects.get_opts(path, options).await {
            // The database is older than the store, or the file was deleted just now.
            Err(object_store::Error::NotFound { .. }) => {
                return Err(Refusal::NotFound(refusal::NO_FILE).into());
            }
            found => found.map_err(Error::fault)?,
        };
        Ok(match found.payload {
            GetResultPayload::File(file, _) => read_pieces(file, found.range),
            GetResultPayload::Stream(pieces) => pieces.map_err(Error::fault).boxed(),
        })
    }

    /// Deletes an object and its preview, if there are any.
    pub async fn delete(&self, key: ObjectKey) -> Result<(), Error> {
        self.delete_preview(key).await?;
        if let Some(path) = self.local_path(key) {
            remove_copies(&path)?;
        }
        self.delete_path(&key.path()).await
    }

    async fn delete_path(&self, path: &ObjectPath) -> Result<(), Error> {
        match self.objects.delete(path).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(Error::fault(error)),
        }
    }

    /// Deletes the objects of a room, and the pieces of its uploads.
    pub async fn delete_room(&self, room: RoomId) -> Result<(), Error> {
        let prefix = ObjectPath::from(room.to_string());
        let listed = self.objects.list(Some(&prefix)).map_err(Error::fault);
        listed
            .try_for_each(|object| async move { self.delete_path(&object.location).await })
            .await?;
        if let Some(root) = &self.root {
            // What is left are copies that were never complete.
            let directory = root.join(room.to_string());
            if directory.is_dir() {
                fs::remove_dir_all(directory)?;
            }
        }
        Ok(())
    }

    /// The objects of all files.
    pub fn list(&self) -> BoxStream<'static, Result<ListedObject, Error>> {
        let listed = self.objects.list(None).map_err(Error::fault);
        let files = listed.try_filter_map(|object| async move {
            let key = ObjectKey::of_path(&object.location);
            Ok(key.map(|key| ListedObject {
                key,
                put_at: object.last_modified.timestamp_millis(),
            }))
        });
        files.boxed()
    }

    /// Makes the bytes of an object the file `to`, which then is durable but for its directory.
    pub async fn export(&self, key: ObjectKey, size: u64, to: PathBuf) -> Result<(), Error> {
        if let Some(path) = self.local_path(key) {
            let (from, to) = (path, to.clone());
            let linked = spawn_blocking(move || fs::hard_link(from, to)).await;
            match linked.map_err(Error::fault)? {
                Ok(()) => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(error.into()),
                Err(error) => tracing::debug!(%error, "a file is copied to the archive"),
            }
        }
        let mut pieces = self.read(key, 0..size).await?;
        let mut file = tokio::fs::File::create(&to).await?;
        while let Some(piece) = pieces.try_next().await? {
            tokio::io::AsyncWriteExt::write_all(&mut file, &piece).await?;
        }
        file.sync_all().await?;
        Ok(())
    }

    fn local_path(&self, key: ObjectKey) -> Option<PathBuf> {
        let root = self.root.as_ref()?;
        Some(root.join(key.room.to_string()).join(key.file.to_string()))
    }

    /// The same store, which copies what is put.
    #[cfg(test)]
    pub fn copying(&self) -> Self {
        Self {
            root: None,
            ..self.clone()
        }
    }
}

/// The next part of a file; empty at its end.
async fn read_part(file: &mut tokio::fs::File) -> io::Result<Vec<u8>> {
    let mut part = Vec::new();
    file.take(PART as u64).read_to_end(&mut part).await?;
    Ok(part)
}

fn read_pieces(file: fs::File, range: Range<u64>) -> BoxStream<'static, Result<Bytes, Error>> {
    let pieces = stream::try_unfold((file, range), |(mut file, range)| async move {
        if range.is_empty() {
            return Ok(None);
        }
        let size = (range.end - range.start).min(PIECE as u64);
        let start = range.start;
        let read = spawn_blocking(move || {
            let mut piece = vec![0; usize::try_from(size).unwrap_or(PIECE)];
            file.seek(SeekFrom::Start(start))?;
            file.read_exact(&mut piece)?;
            io::Result::Ok((piece, file))
        });
        let (piece, file) = read.await.map_err(Error::fault)??;
        Ok(Some((Bytes::from(piece), (file, start + size..range.end))))
    });
    pieces.boxed()
}
