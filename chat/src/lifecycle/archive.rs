//! A room as a file: an archive of JSON lines with a checksum, or a transcript to read.
//!
//! Line 1 of an archive is the room, each further line is a message, and the last line has the
//! numbers of messages and files, and the SHA-256 of all bytes before it. The bytes of the files are in
//! a directory beside it, each under the ID of the file.
//!
//! # Guarantees
//! - The file of an archive is complete and durable: it is written under a temporary name, synced,
//!   renamed, and its directory is synced. The bytes of its files are durable before.
//! - The memory is one page of messages, however long the room.

#[cfg(test)]
mod tests;

use std::io::SeekFrom;
use std::path::Path;

use bytes::Bytes;
use protocol::characters::isolate_name;
use protocol::{Message, Room, RoomId, hexadecimal, transcript_lines};
use serde::Serialize;
use sha2::{Digest, Sha256};
use tokio::fs;
use tokio::io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt};

use crate::files::FileStore;
use crate::identity::person::Person;
use crate::json_line;
use crate::lifecycle::archived_files;
use crate::store::{MessagesPage, RoomRow, Store, messages, sync_parent};
use crate::{Chat, Error};

/// How many messages to read from the store at once, at most.
const PAGE: usize = 512;

/// How many bytes to encode at once; the last message may exceed them.
const PAGE_BYTES: usize = 64 * 1024;

/// The greatest length in bytes of an archive's last line.
const TRAILER_MAX: u64 = 256;

/// The format of an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportFormat {
    /// JSON lines with a checksum, the format of the archive.
    Archive,
    /// Plain text to read.
    Transcript,
}

/// The export of a room, read piece by piece.
#[derive(Debug)]
pub struct Export {
    store: Store,
    /// The caller that downloads the room; `None` for the archive of its end.
    caller: Option<ExportCaller>,
    room: Room,
    /// The head of the room when the export began.
    head: u64,
    format: ExportFormat,
    stage: Stage,
    /// The sequence number of the last exported message.
    seen: u64,
    count: u64,
    /// How many files the exported messages have, and how many bytes.
    files: u64,
    file_bytes: u64,
    hash: Sha256,
}

/// The caller of an export.
#[derive(Debug)]
struct ExportCaller {
    chat: Chat,
    by: Person,
}

impl ExportCaller {
    /// Checks that the caller may still read the room.
    async fn check_access(&self, room: RoomId) -> Result<(), Error> {
        self.chat.require_session(&self.by).await?;
        self.chat.load_room_row(&self.by, room).await?;
        Ok(())
    }
}

#[derive(Debug, PartialEq)]
enum Stage {
    Head,
    Messages,
    Done,
}

/// The last line of an archive, at most [`TRAILER_MAX`] bytes long.
#[derive(Serialize)]
struct Trailer {
    count: u64,
    files: u64,
    file_bytes: u64,
    sha256: String,
}

impl Export {
    fn new(store: Store, row: RoomRow, format: ExportFormat, caller: Option<ExportCaller>) -> Self {
        let RoomRow { room, head, .. } = row;
        Self {
            store,
            caller,
            room,
            head,
            format,
            stage: Stage::Head,
            seen: 0,
            count: 0,
            files: 0,
            file_bytes: 0,
            hash: Sha256::new(),
        }
    }

    /// The head of the room when the export began.
    pub(super) fn head(&self) -> u64 {
        self.head
    }

    /// Checks that the caller may still read the room.
    pub(super) async fn check_access(&self) -> Result<(), Error> {
        match &self.caller {
            Some(caller) => caller.check_access(self.room.id).await,
            None => Ok(()),
        }
    }

    /// The next piece; `None` after the last.
    ///
    /// # Errors
    /// The refusals of [`Chat::find_room`] if the caller has lost the access to the room,
    /// [`protocol::Refusal::NotSignedIn`] if the session of the caller has ended, or a fault, also
    /// if the room ended during the export. The export is incomplete then.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        let piece = match self.stage {
            Stage::Head => self.encode_head()?,
            Stage::Messages => self.encode_page().await?,
            Stage::Done => return Ok(None),
        };
        self.hash.update(&piece);
        Ok(Some(piece.into()))
    }

    fn encode_head(&mut self) -> Result<Vec<u8>, Error> {
        self.stage = Stage::Messages;
        match self.format {
            ExportFormat::Archive => encode_line(&self.room),
            ExportFormat::Transcript => {
                let name = isolate_name(self.room.name.as_deref().unwrap_or_default());
                let name = if name.is_empty() { "Room" } else { &name };
                Ok(format!("{name} ({})\n\n", self.room.id).into_bytes())
            }
        }
    }

    /// The next page of messages; the trailer after the last page.
    async fn encode_page(&mut self) -> Result<Vec<u8>, Error> {
        let page = MessagesPage {
            before: Some(self.head + 1),
            after: Some(self.seen),
            limit: PAGE,
            bytes: PAGE_BYTES,
        };
        self.check_access().await?;
        let mut piece = Vec::new();
        messages::load_page(&self.store, self.room.id, 0, page, |mut message| {
            match self.format {
                ExportFormat::Archive => {
                    remove_previews(&mut message);
                    piece.extend(encode_line(&message)?);
                }
                ExportFormat::Transcript => piece.extend(encode_for_transcript(&message)),
            }
            self.seen = message.id;
            self.count += 1;
            self.files += message.files().len() as u64;
            self.file_bytes += message.files().iter().map(|file| file.size).sum::<u64>();
            Ok(piece.len() < page.bytes)
        })
        .await?;
        match piece.is_empty() {
            true => self.encode_trailer(),
            false => Ok(piece),
        }
    }

    fn encode_trailer(&mut self) -> Result<Vec<u8>, Error> {
        let expected = self.room.message_count;
        if self.count != expected {
            let found = self.count;
            return Err(Error::fault(format!(
                "found {found} of {expected} messages while exporting the room"
            )));
        }
        self.stage = Stage::Done;
        match self.format {
            ExportFormat::Archive => {
                let digest = self.hash.clone().finalize();
                encode_line(&Trailer {
                    count: self.count,
                    files: self.files,
                    file_bytes: self.file_bytes,
                    sha256: hexadecimal(&digest),
                })
            }
            ExportFormat::Transcript => Ok(Vec::new()),
        }
    }
}

impl Chat {
    /// Exports a room as it is now.
    ///
    /// # Errors
    /// The refusals of [`Chat::find_room`], or a fault.
    pub async fn export_room(
        &self,
        by: &Person,
        room: &RoomId,
        format: ExportFormat,
    ) -> Result<Export, Error> {
        let row = self.load_room_row(by, *room).await?;
        let caller = ExportCaller {
            chat: self.clone(),
            by: by.clone(),
        };
        Ok(Export::new(self.0.store.clone(), row, format, Some(caller)))
    }
}

/// Removes what an archive does not have.
fn remove_previews(message: &mut Message) {
    let contents = message.content.iter_mut();
    for file in contents.flat_map(|content| &mut content.files) {
        file.preview = None;
    }
}

fn encode_line(value: &impl Serialize) -> Result<Vec<u8>, Error> {
    let mut line = Vec::new();
    json_line::write(&mut line, value).map_err(Error::fault)?;
    line.push(b'\n');
    Ok(line)
}

fn encode_for_transcript(message: &Message) -> Vec<u8> {
    transcript_lines(&format!("[{}]", message.sent_at), message).into_bytes()
}

/// Writes the archive of a room to `dir`. When this returns, the archive is complete and durable.
///
/// A different archive of the same room, which exists if the room was restored from a backup and
/// has had another history since, is kept under a number.
pub(crate) async fn write(
    store: &Store,
    file_store: &FileStore,
    dir: &Path,
    row: RoomRow,
) -> Result<(), Error> {
    fs::create_dir_all(dir).await?;
    let id = row.room.id;
    let exists = fs::try_exists(dir.join(format!("{id}.jsonl"))).await?;
    write_file(store, &dir.join(format!("{id}.jsonl.tmp")), row).await?;
    let published = publish(store, file_store, dir, id, exists).await;
    if published.is_err() && !exists {
        archived_files::remove(dir, id).await?;
    }
    published
}

/// Completes an archive whose temporary file is written.
async fn publish(
    store: &Store,
    file_store: &FileStore,
    dir: &Path,
    id: RoomId,
    exists: bool,
) -> Result<(), Error> {
    let path = dir.join(format!("{id}.jsonl"));
    let temporary = dir.join(format!("{id}.jsonl.tmp"));
    archived_files::write(store, file_store, dir, id, exists).await?;
    if exists && read_last_line(&path).await? != read_last_line(&temporary).await? {
        keep_under_a_number(dir, id).await?;
    }
    fs::rename(&temporary, &path).await?;
    let synced = sync_parent(&path);
    if synced.is_err() {
        // The room is reopened, so this is not the archive of its end.
        fs::rename(&path, &temporary).await?;
    }
    synced
}

/// Writes the archive of a room to a file, and syncs the file.
async fn write_file(store: &Store, path: &Path, row: RoomRow) -> Result<(), Error> {
    let mut file = fs::File::create(path).await?;
    let mut export = Export::new(store.clone(), row, ExportFormat::Archive, None);
    while let Some(piece) = export.next().await? {
        file.write_all(&piece).await?;
    }
    file.flush().await?;
    file.sync_all().await?;
    Ok(())
}

/// Renames the existing archive of a room from `ID.jsonl` to `ID.1.jsonl`, or the next free number.
async fn keep_under_a_number(dir: &Path, id: RoomId) -> Result<(), Error> {
    let mut number = 1;
    loop {
        let kept = dir.join(format!("{id}.{number}.jsonl"));
        if !fs::try_exists(&kept).await? {
            fs::rename(dir.join(format!("{id}.jsonl")), kept).await?;
            return Ok(());
        }
        number += 1;
    }
}

/// The last line of an archive, which has the digest of all others; of any other file, some bytes
/// of its end.
async fn read_last_line(file: &Path) -> Result<Vec<u8>, Error> {
    let mut file = fs::File::open(file).await?;
    let length = file.metadata().await?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(TRAILER_MAX)))
        .await?;
    let mut end = Vec::new();
    file.read_to_end(&mut end).await?;
    let start = end
        .trim_ascii_end()
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |newline| newline + 1);
    Ok(end.split_off(start))
}
