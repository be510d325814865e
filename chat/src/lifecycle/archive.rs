//! A room as a file: JSON lines that can be checked, and a transcript to read.
//!
//! The archive's line 1 is the room, then comes one message a line, and the last line is the count of messages and the
//! SHA-256 of all before it. It is written beside its place, synced, renamed and synced again, so that it is there whole
//! or not at all. Memory is one page, however long the room.

use std::io::SeekFrom;
use std::path::Path;

use bytes::Bytes;
use protocol::{Message, Room, RoomId};
use serde::Serialize;
use sha2::{Digest, Sha256};
use tokio::fs;
use tokio::io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt};

use crate::identity::person::Person;
use crate::room::access;
use crate::store::{MessagesPage, RoomRow, Store, messages, sync_parent};
use crate::{Chat, Error};

/// Messages read from the store at once.
const PAGE: usize = 512;

/// How many bytes an archive's last line has at most.
const TRAILER_MAX: u64 = 256;

/// The two ways to write a room down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportFormat {
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
    format: ExportFormat,
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

/// The archive's last line, at most [`TRAILER_MAX`] bytes long.
#[derive(Serialize)]
struct Trailer {
    count: u64,
    sha256: String,
}

impl Export {
    pub(crate) fn new(store: Store, stored: RoomRow, format: ExportFormat) -> Self {
        let RoomRow { room, head, .. } = stored;
        Self {
            store,
            room,
            head,
            format,
            stage: Stage::Head,
            seen: 0,
            count: 0,
            hash: Sha256::new(),
        }
    }

    /// The next piece; `None` after the last.
    ///
    /// # Errors
    /// A fault of the store, or that the room ended meanwhile: what there is of it by then is not all.
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
            ExportFormat::Archive => line(&self.room),
            ExportFormat::Transcript => {
                let name = self.room.name.as_deref().unwrap_or("Room");
                Ok(format!("{name} ({})\n\n", self.room.id).into_bytes())
            }
        }
    }

    async fn messages(&mut self) -> Result<Vec<u8>, Error> {
        let page = MessagesPage {
            before: Some(self.head + 1),
            after: Some(self.seen),
            limit: PAGE,
        };
        let messages = messages::page(&self.store, self.room.id, page).await?;
        let Some(last) = messages.last() else {
            return self.trailer();
        };
        self.seen = last.id;
        self.count += messages.len() as u64;
        let mut piece = Vec::new();
        for message in &messages {
            match self.format {
                ExportFormat::Archive => piece.extend(line(message)?),
                ExportFormat::Transcript => piece.extend(transcript_line(message).into_bytes()),
            }
        }
        Ok(piece)
    }

    fn trailer(&mut self) -> Result<Vec<u8>, Error> {
        if self.count != self.room.message_count {
            let (found, of) = (self.count, self.room.message_count);
            return Err(Error::fault(format!(
                "found {found} of {of} messages while writing the room down"
            )));
        }
        self.stage = Stage::Done;
        match self.format {
            ExportFormat::Archive => {
                let digest = self.hash.clone().finalize();
                let sha256 = digest.iter().map(|byte| format!("{byte:02x}")).collect();
                line(&Trailer {
                    count: self.count,
                    sha256,
                })
            }
            ExportFormat::Transcript => Ok(Vec::new()),
        }
    }
}

impl Chat {
    /// Writes a room down as it is now.
    ///
    /// # Errors
    /// The refusals of [`Chat::find_room`], or a fault.
    pub async fn export_room(
        &self,
        by: &Person,
        room: &RoomId,
        format: ExportFormat,
    ) -> Result<Export, Error> {
        let stored = access::find(&self.0.store, &self.0.clock, by, *room).await?;
        Ok(Export::new(self.0.store.clone(), stored, format))
    }
}

fn line(value: &impl Serialize) -> Result<Vec<u8>, Error> {
    let mut line = serde_json::to_vec(value).map_err(Error::fault)?;
    line.push(b'\n');
    Ok(line)
}

/// `[time] name: text`, further lines of the text indented.
fn transcript_line(message: &Message) -> String {
    let body = if message.deleted {
        "(deleted)".to_owned()
    } else {
        message.body.replace('\n', "\n    ")
    };
    format!("[{}] {}: {body}\n", message.sent_at, message.username)
}

/// Writes a room's archive to `dir`; when this returns, it is complete and durable. If another one is there already, because
/// the room came back from a backup and has another history since, that one is kept under a number.
pub(crate) async fn write(store: &Store, dir: &Path, stored: RoomRow) -> Result<(), Error> {
    fs::create_dir_all(dir).await?;
    let name = |end: &str| dir.join(format!("{}.{end}", stored.room.id));
    let (place, beside) = (name("jsonl"), name("jsonl.tmp"));
    let mut file = fs::File::create(&beside).await?;
    let mut export = Export::new(store.clone(), stored.clone(), ExportFormat::Archive);
    while let Some(piece) = export.next().await? {
        file.write_all(&piece).await?;
    }
    file.flush().await?;
    file.sync_all().await?;
    if fs::try_exists(&place).await? && last_line(&place).await? != last_line(&beside).await? {
        let mut number = 1;
        while fs::try_exists(name(&format!("{number}.jsonl"))).await? {
            number += 1;
        }
        fs::rename(&place, name(&format!("{number}.jsonl"))).await?;
    }
    fs::rename(&beside, &place).await?;
    let synced = sync_parent(&place);
    if synced.is_err() {
        // The room lives on, and this is no archive of its end.
        fs::rename(&place, &beside).await?;
    }
    synced
}

/// The last line of an archive, which has the digest of all others; of another file some of its end.
async fn last_line(file: &Path) -> Result<Vec<u8>, Error> {
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

#[cfg(test)]
mod tests {
    use protocol::{NewRoom, RoomId, Start};

    use super::*;
    use crate::testing::{TestChat, new_guest, new_message};
    use crate::{FollowEvent, Person, back_up_database, restore_database};

    async fn close(test: &TestChat, by: &Person, room: RoomId) {
        let mut follow = test
            .chat
            .follow_room(by, &room, Start::Latest)
            .await
            .unwrap();
        test.chat.close_room(by, &room).await.unwrap();
        while !matches!(follow.next().await.unwrap(), FollowEvent::Closed) {}
    }

    #[tokio::test]
    async fn a_room_that_ends_again_after_it_was_restored_keeps_all_its_histories() {
        let mut test = TestChat::new(|_| {}).await;
        let owner = new_guest();
        let room = test
            .chat
            .create_room(&owner, &NewRoom::default())
            .await
            .unwrap()
            .id;
        test.post(room, "kept").await;
        let copy = test.config.data_dir.join("copy");
        back_up_database(&test.config, &copy).await.unwrap();
        for (life, messages) in [("first", 5), ("second", 2), ("third", 9), ("", 0)] {
            for number in 0..messages {
                test.post(room, &format!("{life} {number}")).await;
            }
            close(&test, &owner, room).await;
            test.chat.close().await;
            restore_database(&test.config, &copy).await.unwrap();
            test.reopen().await;
        }
        let archives = test.config.data_dir.join("archive");
        let texts: Vec<String> = ["1.jsonl", "2.jsonl", "3.jsonl", "jsonl"]
            .map(|end| std::fs::read_to_string(archives.join(format!("{room}.{end}"))).unwrap())
            .to_vec();
        for (text, (life, messages)) in
            texts
                .iter()
                .zip([("first", 5), ("second", 2), ("third", 9)])
        {
            assert_eq!(text.matches(life).count(), messages, "{life}");
        }
        assert_eq!(texts[3].lines().count(), 3);
        assert_eq!(std::fs::read_dir(archives).unwrap().count(), texts.len());
    }

    #[tokio::test]
    async fn a_room_that_ends_while_it_is_written_down_is_not_taken_for_a_whole_one() {
        let test = TestChat::new(|_| {}).await;
        let owner = new_guest();
        let room = test
            .chat
            .create_room(&owner, &NewRoom::default())
            .await
            .unwrap()
            .id;
        let posts = (0..2 * PAGE).map(|number| {
            let chat = test.chat.clone();
            async move {
                chat.post_message(
                    &Person::Anonymous,
                    &room,
                    &new_message(&number.to_string()),
                    None,
                )
                .await
                .unwrap()
            }
        });
        futures_util::future::join_all(posts).await;
        let mut export = test
            .chat
            .export_room(&owner, &room, ExportFormat::Archive)
            .await
            .unwrap();
        for _ in 0..2 {
            export.next().await.unwrap().unwrap();
        }
        let mut gap = test
            .chat
            .export_room(&owner, &room, ExportFormat::Archive)
            .await
            .unwrap();
        for _ in 0..2 {
            gap.next().await.unwrap().unwrap();
        }
        // What a large room loses first.
        let mut tx = test.chat.0.store.begin().await.unwrap();
        sqlx::query("delete from message where seq between 600 and 700")
            .execute(&mut *tx)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        gap.next().await.unwrap().unwrap();
        assert!(gap.next().await.is_err());
        test.chat
            .0
            .store
            .begin()
            .await
            .unwrap()
            .commit()
            .await
            .unwrap();
        assert!(export.next().await.is_ok());
        assert!(export.next().await.is_err());
    }
}
