//! The previews of files, each beside its file as `ROOM/FILE.preview`.
//!
//! # Guarantees
//! - A file has one preview at most, which is never replaced.

use bytes::Bytes;
use object_store::path::Path as ObjectPath;
use object_store::{ObjectStore, ObjectStoreExt, PutMode};
use protocol::Refusal;
use texts::refusal;

use super::local::remove_copies;
use super::{FileStore, ObjectKey};
use crate::Error;

/// How the name of a preview ends.
const ENDING: &str = ".preview";

/// The name of the file that an object is, or is the preview of.
pub(super) fn file_of(name: &str) -> &str {
    name.strip_suffix(ENDING).unwrap_or(name)
}

impl ObjectKey {
    fn preview_path(self) -> ObjectPath {
        let name = format!("{}{ENDING}", self.file);
        ObjectPath::from_iter([self.room.to_string(), name])
    }
}

impl FileStore {
    /// Puts the preview of a file, if it has none. Returns whether it had none.
    pub async fn put_preview(&self, key: ObjectKey, bytes: Bytes) -> Result<bool, Error> {
        let path = key.preview_path();
        let put = self
            .objects
            .put_opts(&path, bytes.into(), PutMode::Create.into());
        match put.await {
            Ok(_) => Ok(true),
            Err(object_store::Error::AlreadyExists { .. }) => Ok(false),
            Err(error) => Err(Error::fault(error)),
        }
    }

    /// Reads the preview of a file, which is short.
    pub async fn read_preview(&self, key: ObjectKey) -> Result<Bytes, Error> {
        match self.objects.get(&key.preview_path()).await {
            Ok(found) => found.bytes().await.map_err(Error::fault),
            // The database is older than the store, or the file was deleted just now.
            Err(object_store::Error::NotFound { .. }) => {
                Err(Refusal::NotFound(refusal::NO_FILE).into())
            }
            Err(error) => Err(Error::fault(error)),
        }
    }

    /// Deletes the preview of a file, if there is one.
    pub async fn delete_preview(&self, key: ObjectKey) -> Result<(), Error> {
        let path = key.preview_path();
        if let Some(root) = &self.root {
            remove_copies(&root.join(path.as_ref()))?;
        }
        match self.objects.delete(&path).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(Error::fault(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::StreamExt;
    use protocol::{FileId, RoomId};

    use super::*;

    #[tokio::test]
    async fn preview_is_put_once_listed_under_its_file_and_deleted_with_it() {
        let dir = tempfile::tempdir().unwrap();
        let store = FileStore::in_directory(&dir.path().join("files")).unwrap();
        let staged = dir.path().join("staged");
        std::fs::write(&staged, b"bytes").unwrap();
        let key = ObjectKey {
            room: RoomId::from_bytes([7; 8]),
            file: FileId::from_bytes([1; 8]),
        };
        store.put(key, &staged).await.unwrap();
        let put = async |bytes| store.put_preview(key, Bytes::from_static(bytes)).await;
        assert!(put(b"one").await.unwrap());
        assert!(!put(b"another").await.unwrap());
        assert_eq!(store.read_preview(key).await.unwrap(), b"one"[..]);
        let listed: Vec<_> = store.list().collect().await;
        let keys = listed.into_iter().map(|object| object.unwrap().key);
        assert_eq!(keys.collect::<Vec<_>>(), [key; 2]);
        store.delete_preview(key).await.unwrap();
        assert!(store.read_preview(key).await.is_err());
        assert!(put(b"again").await.unwrap());
        store.delete(key).await.unwrap();
        assert_eq!(store.list().count().await, 0);
    }
}
