//! Objects in a directory, linked and copied.

use super::*;

struct TestStore {
    store: FileStore,
    staged: PathBuf,
    dir: tempfile::TempDir,
}

impl TestStore {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        Self {
            store: FileStore::in_directory(&dir.path().join("files")).unwrap(),
            staged: dir.path().join("staged"),
            dir,
        }
    }

    async fn put(&self, store: &FileStore, bytes: &[u8]) {
        fs::write(&self.staged, bytes).unwrap();
        store.put(key(1), &self.staged).await.unwrap();
    }
}

fn key(file: u8) -> ObjectKey {
    ObjectKey {
        room: RoomId::from_bytes([7; 8]),
        file: FileId::from_bytes([file; 8]),
    }
}

async fn read(store: &FileStore, range: Range<u64>) -> Vec<u8> {
    let pieces = store.read(key(1), range).await.unwrap();
    let pieces: Vec<Bytes> = pieces.try_collect().await.unwrap();
    pieces.concat()
}

#[tokio::test]
async fn linked_and_copied_objects_are_read_by_range_and_deleted() {
    let test = TestStore::new();
    let bytes: Vec<u8> = (0..12_000_000_u32).map(|n| (n % 251) as u8).collect();
    for store in [test.store.clone(), test.store.copying()] {
        for length in [0, 1, PIECE, PART, PART + 1, bytes.len()] {
            test.put(&store, &bytes[..length]).await;
            test.put(&store, &bytes[..length]).await;
            assert_eq!(read(&store, 0..length as u64).await, &bytes[..length]);
            let (start, end) = (length / 3, length - length / 3);
            let part = read(&store, start as u64..end as u64).await;
            assert_eq!(part, &bytes[start..end], "{length}");
        }
        let listed: Vec<_> = store.list().try_collect().await.unwrap();
        assert_eq!(
            listed.iter().map(|object| object.key).collect::<Vec<_>>(),
            [key(1)]
        );
        for _ in 0..2 {
            store.delete(key(1)).await.unwrap();
        }
        assert!(store.read(key(1), 0..1).await.is_err());
        assert_eq!(store.list().count().await, 0);
    }
}

#[tokio::test]
async fn deleted_room_leaves_nothing_behind() {
    let test = TestStore::new();
    test.put(&test.store, b"bytes").await;
    let directory = test.dir.path().join("files").join(key(1).room.to_string());
    fs::write(directory.join(format!("{}#1", key(2).file)), b"cut").unwrap();
    test.store.delete_room(key(1).room).await.unwrap();
    assert!(!directory.exists());
    test.store.delete_room(key(1).room).await.unwrap();
}

#[tokio::test]
async fn exported_object_is_a_file_of_its_own() {
    let test = TestStore::new();
    test.put(&test.store, b"bytes").await;
    for (index, store) in [test.store.clone(), test.store.copying()]
        .iter()
        .enumerate()
    {
        let to = test.dir.path().join(index.to_string());
        store.export(key(1), 5, to.clone()).await.unwrap();
        assert_eq!(fs::read(&to).unwrap(), b"bytes");
    }
    test.store.delete(key(1)).await.unwrap();
    assert_eq!(fs::read(test.dir.path().join("0")).unwrap(), b"bytes");
}
