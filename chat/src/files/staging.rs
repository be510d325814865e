//! The staging directory, where the bytes of uploads arrive.
//!
//! # Guarantees
//! - A staged file, and a copy or a piece of it, is readable by its owner alone.
//! - The bytes are written in blocks, by threads that may wait for the disk.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use protocol::{FileId, hexadecimal};
use sha2::{Digest, Sha256};
use tokio::task::spawn_blocking;

use super::kind;
use crate::Error;
use crate::store::sync_parent;

/// How many bytes are written at once.
const BLOCK: usize = 256 * 1024;

/// The extension of a changed copy.
const COPY: &str = "copy";

/// The number of the next piece that this process stages.
static NEXT_PIECE: AtomicU64 = AtomicU64::new(0);

/// The staging directory.
#[derive(Clone, Debug)]
pub(super) struct Staging(PathBuf);

impl Staging {
    /// Opens the directory, and creates it if there is none.
    pub fn open(directory: PathBuf) -> Result<Self, Error> {
        create_private_directory(&directory)?;
        Ok(Self(directory))
    }

    /// The files that an earlier process has left. Their copies, which can be made again, are deleted.
    pub fn list_leftovers(&self) -> Result<Vec<PathBuf>, Error> {
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.0)? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == COPY) {
                remove_if_exists(&path)?;
            } else {
                files.push(path);
            }
        }
        Ok(files)
    }

    /// Where a file is staged.
    pub fn path(&self, id: FileId) -> PathBuf {
        self.0.join(id.to_string())
    }

    /// Where a changed copy of a staged file is.
    pub fn copy_path(&self, id: FileId) -> PathBuf {
        self.path(id).with_extension(COPY)
    }

    /// Begins a file.
    pub fn create(&self, id: FileId) -> Result<StagedFile, Error> {
        let path = self.path(id);
        let writer = Writer::of(private_file().create_new(true).open(&path)?);
        let writer = Some(writer);
        Ok(StagedFile { path, writer })
    }

    /// Begins a piece of a file.
    pub fn create_piece(&self, id: FileId) -> Result<StagedPiece, Error> {
        let number = NEXT_PIECE.fetch_add(1, Ordering::Relaxed);
        let path = self.path(id).with_extension(format!("piece{number}"));
        let writer = Writer::without_digest(private_file().create_new(true).open(&path)?);
        let writer = Some(writer);
        Ok(StagedPiece(StagedFile { path, writer }))
    }

    /// Deletes a staged file and its copy, if there are any.
    pub fn remove(&self, id: FileId) -> Result<(), Error> {
        remove_if_exists(&self.copy_path(id))?;
        Ok(remove_if_exists(&self.path(id))?)
    }
}

/// Opens a file to write, which its owner alone can read if it is new.
fn private_file() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Creates a directory that its owner alone can read, if there is none.
pub(super) fn create_private_directory(path: &Path) -> Result<(), Error> {
    if path.is_dir() {
        return Ok(());
    }
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)?;
    sync_parent(path)
}

/// Deletes a file, if there is one.
pub(super) fn remove_if_exists(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// A file whose bytes arrive.
#[derive(Debug)]
pub(super) struct StagedFile {
    path: PathBuf,
    /// `None` while a thread writes, and after a failure.
    writer: Option<Writer>,
}

#[derive(Debug)]
struct Writer {
    file: File,
    /// The digest of the bytes, if it is wanted.
    hash: Option<Sha256>,
    block: Vec<u8>,
}

impl Writer {
    fn of(file: File) -> Self {
        Self {
            hash: Some(Sha256::new()),
            ..Self::without_digest(file)
        }
    }

    fn without_digest(file: File) -> Self {
        Self {
            file,
            hash: None,
            block: Vec::new(),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        if let Some(hash) = &mut self.hash {
            hash.update(&self.block);
        }
        self.file.write_all(&self.block)?;
        self.block.clear();
        Ok(())
    }

    /// Writes the last bytes, waits until all are durable, and returns their digest in hexadecimal.
    fn finish(&mut self, path: &Path) -> io::Result<String> {
        self.flush()?;
        self.file.sync_all()?;
        sync_parent(path).map_err(io::Error::other)?;
        let digest = self.hash.take().unwrap_or_default().finalize();
        Ok(hexadecimal(&digest))
    }
}

/// A changed copy of a staged file, which is written by the thread that calls it.
#[derive(Debug)]
pub(super) struct StagedCopy {
    path: PathBuf,
    size: u64,
    writer: Writer,
}

impl StagedCopy {
    /// Begins the copy; begins another one if there is one, which may be in the file store already.
    pub fn create(path: &Path) -> io::Result<Self> {
        remove_if_exists(path)?;
        let file = private_file().create_new(true).open(path)?;
        Ok(Self {
            path: path.to_owned(),
            size: 0,
            writer: Writer::of(file),
        })
    }

    /// Ends the copy. Returns its size, and its digest in hexadecimal. The bytes are durable then.
    pub fn finish(mut self) -> io::Result<(u64, String)> {
        let digest = self.writer.finish(&self.path)?;
        Ok((self.size, digest))
    }
}

impl Write for StagedCopy {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writer.block.extend_from_slice(bytes);
        self.size += bytes.len() as u64;
        if self.writer.block.len() >= BLOCK {
            self.writer.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

/// What is known of a file by its bytes.
#[derive(Clone, Debug)]
pub(super) struct StagedBytes {
    pub kind: String,
    /// In hexadecimal.
    pub sha256: String,
}

impl StagedFile {
    /// Adds bytes.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let writer = self.writer.as_mut().ok_or_else(broken)?;
        writer.block.extend_from_slice(bytes);
        if writer.block.len() < BLOCK {
            return Ok(());
        }
        self.on_thread(Writer::flush).await
    }

    /// Ends the file. When this returns, its bytes are durable.
    pub async fn finish(&mut self) -> Result<StagedBytes, Error> {
        let path = self.path.clone();
        self.on_thread(move |writer| {
            let sha256 = writer.finish(&path)?;
            let kind = kind::sniff(&path)?;
            Ok(StagedBytes { kind, sha256 })
        })
        .await
    }

    async fn on_thread<T: Send + 'static>(
        &mut self,
        run: impl FnOnce(&mut Writer) -> io::Result<T> + Send + 'static,
    ) -> Result<T, Error> {
        let mut writer = self.writer.take().ok_or_else(broken)?;
        let written = spawn_blocking(move || {
            let done = run(&mut writer);
            done.map(|done| (done, writer))
        });
        let (done, writer) = written.await.map_err(Error::fault)??;
        self.writer = Some(writer);
        Ok(done)
    }
}

/// A piece of an upload whose bytes arrive. Its file is deleted when it is dropped.
#[derive(Debug)]
pub(super) struct StagedPiece(StagedFile);

impl StagedPiece {
    /// Where the piece is.
    pub fn path(&self) -> &Path {
        &self.0.path
    }

    /// Adds bytes.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.0.write(bytes).await
    }

    /// Waits until the bytes are durable.
    pub async fn sync(&mut self) -> Result<(), Error> {
        let sync = |writer: &mut Writer| {
            writer.flush()?;
            writer.file.sync_all()
        };
        self.0.on_thread(sync).await
    }
}

impl Drop for StagedPiece {
    fn drop(&mut self) {
        if let Err(error) = remove_if_exists(&self.0.path) {
            tracing::debug!(%error, "cannot delete a piece of an upload");
        }
    }
}

fn broken() -> Error {
    Error::fault("the file could not be written before")
}
