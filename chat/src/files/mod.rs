//! Files: receives them, publishes them to the file store, serves and deletes them.
//!
//! A file goes one way, and each step is a commit: its bytes arrive in the staging directory
//! (`receiving`), are durable there (`received`), are durable in the file store (`ready`), belong to a
//! message (`attached`), and are deleted (`deleting`). A crash may interrupt the way anywhere: the next
//! start goes on, or gives the file up.
//!
//! A file may also arrive with several requests (`resumable`): its bytes are then pieces in the file store
//! until all are there, and so it goes its way on any node.
//!
//! # Guarantees
//! - The bytes of a file that is ready are durable, and no one changes them.
//! - What files count for the limits is reserved by the transaction that creates them, and is free
//!   again when their bytes are gone.
//! - If a scanner is asked, a file that it has not called clean goes no further than `received`.
//! - A preview is drawn without more memory than one picture takes, or not at all.
//! - A file that no message has is deleted after a day, and so are bytes without a row.
//! - The memory for a file does not depend on its size.
//!
//! # Not here
//! - Attaching a file to a message, and removing it from there: `log`. The end of a room: `lifecycle`.

mod check;
mod download;
mod file_store;
mod kind;
mod name;
pub mod picture;
mod preview;
mod publish;
mod quota;
mod recheck;
mod remove;
mod resumable;
mod scanner;
mod staging;
mod sweeper;
#[cfg(test)]
mod tests;
mod upload;

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use protocol::{FileId, Refusal, RoomId};
use tokio::sync::{Notify, Semaphore};

use self::check::HeldBack;
pub use self::download::FileDownload;
pub(crate) use self::file_store::{FileStore, ObjectKey};
pub(crate) use self::recheck::FileRecheck;
use self::resumable::Turns;
pub use self::resumable::{Checksum, NewUpload, UploadBody, UploadPart, UploadTurn};
use self::staging::Staging;
pub(crate) use self::sweeper::FileSweeper;
pub use self::upload::Upload;
use crate::config::Scanner;
#[cfg(test)]
use crate::faults::Faults;
use crate::store::disk_space::DiskSpace;
use crate::store::{Store, files};
use crate::sync::lock;
use crate::{Chat, Config, Error};

/// How large files may be, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileLimits {
    /// One file.
    pub file: u64,
    /// The files of one room together.
    pub room: u64,
    /// The files of all rooms together.
    pub server: u64,
}

/// The files of all rooms. It is cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Files(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    store: FileStore,
    staging: Staging,
    /// `None` if no files are accepted.
    limits: Option<FileLimits>,
    disk: DiskSpace,
    /// Whose turn an upload is.
    turns: Turns,
    /// How many bytes the uploads under way may still write.
    promised: AtomicU64,
    /// The uploads that have ended without a file.
    abandoned: Mutex<Vec<FileId>>,
    /// Whom to ask whether a file is harmful, if anyone.
    scanner: Option<Scanner>,
    /// The received files that were not checked yet.
    held_back: Mutex<Vec<HeldBack>>,
    /// What an earlier process has left in the staging directory.
    leftovers: Mutex<Vec<PathBuf>>,
    /// Lets one preview be drawn at a time.
    drawing: Arc<Semaphore>,
    /// Wakes the sweeper.
    wake: Arc<Notify>,
    #[cfg(test)]
    faults: Faults,
}

impl Files {
    /// Opens the file store and the staging directory. `wake` wakes the sweeper.
    pub async fn open(
        config: &Config,
        store: &Store,
        disk: DiskSpace,
        wake: Arc<Notify>,
    ) -> Result<Self, Error> {
        let staging = Staging::open(config.data_dir.join("uploads"))?;
        let leftovers = staging.list_leftovers()?;
        let mut tx = store.begin().await?;
        files::recount(&mut tx).await?;
        if !store.is_shared() {
            files::give_up_receiving(&mut tx, config.clock.now()).await?;
        }
        tx.commit().await?;
        let scan_max = config
            .scanner
            .as_ref()
            .map_or(u64::MAX, |_| config.scan_max);
        let limits = FileLimits {
            file: config.file_max.min(scan_max),
            room: config.room_files,
            server: config.all_files,
        };
        Ok(Self(Arc::new(Inner {
            store: FileStore::in_directory(&config.files_directory())?,
            staging,
            limits: config.files.then_some(limits),
            disk,
            turns: Turns::default(),
            promised: AtomicU64::new(0),
            abandoned: Mutex::default(),
            scanner: config.scanner.clone(),
            held_back: Mutex::default(),
            leftovers: Mutex::new(leftovers),
            drawing: Arc::new(Semaphore::new(1)),
            wake,
            #[cfg(test)]
            faults: config.faults.clone(),
        })))
    }

    /// The store of the bytes.
    pub fn store(&self) -> &FileStore {
        &self.0.store
    }

    /// Deletes the bytes of all files of a room. Their rows say already that they are deleted.
    pub async fn delete_bytes_of_room(&self, room: RoomId) -> Result<(), Error> {
        self.0.store.delete_room(room).await
    }

    /// Promises disk space to an upload.
    fn promise(&self, bytes: u64) -> Result<Promise, Refusal> {
        let before = self.0.promised.fetch_add(bytes, Ordering::Relaxed);
        let promise = Promise {
            files: self.clone(),
            bytes,
        };
        if self.0.disk.has_space_for(before.saturating_add(bytes)) {
            Ok(promise)
        } else {
            Err(Refusal::NoSpaceForFiles)
        }
    }

    /// Gives up an upload that has ended without a file.
    fn abandon(&self, id: FileId) {
        lock(&self.0.abandoned).push(id);
        self.0.wake.notify_one();
    }

    /// Stops here without an end if a test asks for it, as if the process was killed.
    pub async fn pass(&self, place: &'static str) {
        #[cfg(test)]
        self.0.faults.stop_if_asked(place).await;
        #[cfg(not(test))]
        let _ = place;
    }
}

/// Disk space that is promised to an upload, and not promised any more when it is dropped.
#[derive(Debug)]
struct Promise {
    files: Files,
    bytes: u64,
}

impl Promise {
    /// Promises no longer what is written.
    fn keep(&mut self, written: u64) {
        let kept = written.min(self.bytes);
        self.bytes -= kept;
        self.files.0.promised.fetch_sub(kept, Ordering::Relaxed);
    }
}

impl Drop for Promise {
    fn drop(&mut self) {
        self.keep(self.bytes);
    }
}

impl Chat {
    /// How large files may be; `None` if this server takes no files.
    pub fn file_limits(&self) -> Option<FileLimits> {
        self.0.files.0.limits
    }
}
