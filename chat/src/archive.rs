//! A room as a file: JSON lines that can be checked, and a transcript to read.
//!
//! The archive's line 1 is the room, then comes one message a line, and the last line is the count of messages and the
//! SHA-256 of all before it. It is written beside its place, synced, renamed and synced again, so that it is there whole
//! or not at all. Memory is one page, however long the room.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use protocol::{Message, Room, RoomId};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tokio::fs;
use tokio::io::AsyncWriteExt;

use crate::Error;
use crate::message::{self, Page};
use crate::room::Stored;
use crate::store::{Store, sync_parent};

/// Messages read from the store at once.
const PAGE: usize = 512;

/// The two ways to write a room down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// JSON lines with a checksum, the format of the archive.
    Archive,
    /// Plain text to read.
    Transcript,
}

/// A room being written down, piece by piece.
#[derive(Debug)]
pub struct Export {
    store: Store,
    room: Room,
    /// The newest sequence when it began.
    head: u64,
    format: Format,
    stage: Stage,
    seen: u64,
    count: u64,
    hash: Sha256,
}

#[derive(Debug, PartialEq)]
enum Stage {
    Head,
    Messages,
    Done,
}

/// The archive's last line.
#[derive(Deserialize, Serialize)]
struct Trailer {
    count: u64,
    sha256: String,
}

impl Export {
    pub(crate) fn new(store: Store, stored: Stored, format: Format) -> Self {
        let Stored { room, head, .. } = stored;
        Self { store, room, head, format, stage: Stage::Head, seen: 0, count: 0, hash: Sha256::new() }
    }

    /// The next piece; `None` after the last.
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        let piece = match self.stage {
            Stage::Head => self.head()?,
            Stage::Messages => self.messages().await?,
            Stage::Done => return Ok(None),
        };
        self.hash.update(&piece);
        Ok(Some(piece.into()))
    }

    fn head(&mut self) -> Result<Vec<u8>, Error> {
        self.stage = Stage::Messages;
        match self.format {
            Format::Archive => line(&self.room),
            Format::Transcript => {
                let name = self.room.name.as_deref().unwrap_or("Room");
                Ok(format!("{name} ({})\n\n", self.room.id).into_bytes())
            }
        }
    }

    async fn messages(&mut self) -> Result<Vec<u8>, Error> {
        let page = Page { before: Some(self.head + 1), after: Some(self.seen), limit: PAGE };
        let messages = message::page(&self.store, self.room.id, page).await?;
        let Some(last) = messages.last() else { return self.trailer() };
        self.seen = last.id;
        self.count += messages.len() as u64;
        let mut piece = Vec::new();
        for message in &messages {
            match self.format {
                Format::Archive => piece.extend(line(message)?),
                Format::Transcript => piece.extend(transcript_line(message).into_bytes()),
            }
        }
        Ok(piece)
    }

    fn trailer(&mut self) -> Result<Vec<u8>, Error> {
        self.stage = Stage::Done;
        match self.format {
            Format::Archive => {
                let digest = self.hash.clone().finalize();
                let sha256 = digest.iter().map(|byte| format!("{byte:02x}")).collect();
                line(&Trailer { count: self.count, sha256 })
            }
            Format::Transcript => Ok(Vec::new()),
        }
    }
}

fn line(value: &impl Serialize) -> Result<Vec<u8>, Error> {
    let mut line = serde_json::to_vec(value).map_err(Error::fault)?;
    line.push(b'\n');
    Ok(line)
}

/// `[time] name: text`, further lines of the text indented.
fn transcript_line(message: &Message) -> String {
    let body = if message.deleted { "(deleted)".to_owned() } else { message.body.replace('\n', "\n    ") };
    format!("[{}] {}: {body}\n", message.sent_at, message.username)
}

/// Where a room's archive is.
pub(crate) fn path(dir: &Path, room: RoomId) -> PathBuf {
    dir.join(format!("{room}.jsonl"))
}

/// Writes a room's archive to `dir`; when this returns, it is complete and durable.
pub(crate) async fn write(store: &Store, dir: &Path, stored: Stored) -> Result<(), Error> {
    fs::create_dir_all(dir).await?;
    let room = &stored.room;
    if count(&path(dir, room.id)).await.is_some_and(|count| count > room.message_count) {
        // The room came back from a backup that is older than its end: its archive knows more.
        return Ok(());
    }
    let (place, beside) = (path(dir, room.id), dir.join(format!("{}.jsonl.tmp", room.id)));
    let mut file = fs::File::create(&beside).await?;
    let mut export = Export::new(store.clone(), stored, Format::Archive);
    while let Some(piece) = export.next().await? {
        file.write_all(&piece).await?;
    }
    file.flush().await?;
    file.sync_all().await?;
    fs::rename(&beside, &place).await?;
    sync_parent(&place)
}

/// How many messages the archive at `place` has, if there is a whole one.
async fn count(place: &Path) -> Option<u64> {
    let text = fs::read(place).await.ok()?;
    let start = text.trim_ascii_end().iter().rposition(|byte| *byte == b'\n')?;
    serde_json::from_slice::<Trailer>(&text[start..]).ok().map(|trailer| trailer.count)
}
