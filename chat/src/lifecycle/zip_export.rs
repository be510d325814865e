//! The archive of an open room with its files, as one ZIP file.
//!
//! `ROOM.jsonl` is the first entry, and each file is one at `ROOM/FILE/NAME`. The entries are stored
//! as they are: most of what people send is compressed already.
//!
//! # Guarantees
//! - The reader may read the room when an entry begins, and after every few megabytes of it.
//! - The memory is one piece of a file, and the names of the files.
//! - A file that is deleted meanwhile is left out, unless its bytes are on their way.

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures_util::TryStreamExt;
use futures_util::stream::BoxStream;
use protocol::{FileId, Refusal, RoomId};
use zip::write::{SimpleFileOptions, StreamWriter};
use zip::{CompressionMethod, ZipWriter};

use super::archive::{Export, ExportFormat};
use crate::identity::person::Person;
use crate::store::file_rows::FileRow;
use crate::store::files;
use crate::sync::lock;
use crate::{Chat, Error};

/// How many files are loaded at once.
const PAGE: i64 = 256;

/// The archive of a room with its files, read piece by piece.
pub struct ZipExport {
    chat: Chat,
    by: Person,
    room: RoomId,
    lines: Export,
    /// `None` once complete.
    writer: Option<ZipWriter<StreamWriter<Output>>>,
    output: Output,
    stage: Stage,
    /// The files of the page that come next.
    page: VecDeque<FileRow>,
    /// The last file of the page.
    last: Option<FileId>,
}

/// What is written next.
enum Stage {
    Lines,
    NextFile,
    Bytes(BoxStream<'static, Result<Bytes, Error>>),
    Done,
}

/// The bytes that the ZIP writer has written and the reader of the export has not taken.
#[derive(Clone, Default)]
struct Output(Arc<Mutex<Vec<u8>>>);

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        lock(&self.0).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Chat {
    /// Exports a room as it is now, with its files, as a ZIP file.
    ///
    /// # Errors
    /// The refusals of [`Chat::find_room`], or a fault.
    pub async fn export_zip(&self, by: &Person, room: &RoomId) -> Result<ZipExport, Error> {
        let lines = self.export_room(by, room, ExportFormat::Archive).await?;
        let output = Output::default();
        let mut writer = ZipWriter::new_stream(output.clone());
        begin_entry(&mut writer, &format!("{room}.jsonl"))?;
        Ok(ZipExport {
            chat: self.clone(),
            by: by.clone(),
            room: *room,
            lines,
            writer: Some(writer),
            output,
            stage: Stage::Lines,
            page: VecDeque::new(),
            last: None,
        })
    }
}

/// Begins an entry, which may be longer than 4 GB.
fn begin_entry(writer: &mut ZipWriter<StreamWriter<Output>>, name: &str) -> Result<(), Error> {
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .large_file(true);
    writer.start_file(name, options).map_err(Error::fault)
}

impl ZipExport {
    /// The next piece; `None` after the last.
    ///
    /// # Errors
    /// Those of [`Export::next`]. The file is incomplete then.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        loop {
            let written = std::mem::take(&mut *lock(&self.output.0));
            if !written.is_empty() {
                return Ok(Some(written.into()));
            }
            match &mut self.stage {
                Stage::Lines => match self.lines.next().await? {
                    Some(piece) => self.write(&piece)?,
                    None => self.stage = Stage::NextFile,
                },
                Stage::NextFile => self.begin_file().await?,
                Stage::Bytes(pieces) => match pieces.try_next().await? {
                    Some(piece) => self.write(&piece)?,
                    None => self.stage = Stage::NextFile,
                },
                Stage::Done => return Ok(None),
            }
        }
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        match &mut self.writer {
            Some(writer) => Ok(writer.write_all(bytes)?),
            None => Ok(()),
        }
    }

    /// Begins the entry of the next file, or ends the whole.
    async fn begin_file(&mut self) -> Result<(), Error> {
        self.lines.check_access().await?;
        let Some(row) = self.next_file().await? else {
            self.stage = Stage::Done;
            if let Some(writer) = self.writer.take() {
                writer.finish().map_err(Error::fault)?;
            }
            return Ok(());
        };
        let file = row.file;
        let download = self.chat.open_file(&self.by, &self.room, file.id).await;
        let pieces = match download {
            Ok(download) => download.read(0..file.size).await,
            Err(error) => Err(error),
        };
        match (pieces, &mut self.writer) {
            (Ok(pieces), Some(writer)) => {
                begin_entry(writer, &format!("{}/{}/{}", self.room, file.id, file.name))?;
                self.stage = Stage::Bytes(pieces);
                Ok(())
            }
            // It was deleted just now, or the next look finds that the room is lost.
            (Err(Error::Refusal(Refusal::NotFound(_))), _) | (Ok(_), None) => Ok(()),
            (Err(error), _) => Err(error),
        }
    }

    /// The next file of a message that is in the lines.
    async fn next_file(&mut self) -> Result<Option<FileRow>, Error> {
        loop {
            while let Some(row) = self.page.pop_front() {
                if row.message.is_some_and(|seq| seq <= self.lines.head()) {
                    return Ok(Some(row));
                }
            }
            let store = &self.chat.0.store;
            let page = files::list_attached(store, self.room, self.last, PAGE).await?;
            let Some(last) = page.last() else {
                return Ok(None);
            };
            self.last = Some(last.file.id);
            self.page = page.into();
        }
    }
}
