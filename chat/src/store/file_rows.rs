//! The rows of files, and what the rows of messages say of them.

use protocol::{File, FileId, FilePreview, MessageContent, RoomId, file_path, preview_path};
use serde::{Deserialize, Serialize};

use crate::store::file_details::FileDetails;
use crate::store::sql::{FromRow, Row};

/// How far a file is. The numbers are those of the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FileState {
    /// Its bytes are arriving.
    Receiving = 0,
    /// All its bytes are in the staging directory, durable.
    Received = 1,
    /// It is in the file store, and in no message.
    Ready = 2,
    /// It is in a message.
    Attached = 3,
    /// No one can download it any more, and its bytes will be deleted.
    Deleting = 4,
}

impl FileState {
    const ALL: [Self; 5] = [
        Self::Receiving,
        Self::Received,
        Self::Ready,
        Self::Attached,
        Self::Deleting,
    ];

    /// The state that is stored as `stored`. A number of a later version leads nowhere.
    pub fn from_row(stored: i64) -> Self {
        let mut states = Self::ALL.into_iter();
        states
            .find(|state| *state as i64 == stored)
            .unwrap_or(Self::Deleting)
    }
}

/// A file as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FileRow {
    pub room: RoomId,
    /// The person who sent it; 0 for an anonymous one.
    pub person: i64,
    pub state: FileState,
    /// The sequence number of its message.
    pub message: Option<u64>,
    pub file: StoredFile,
}

/// What is stored of a file for its readers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StoredFile {
    pub id: FileId,
    pub name: String,
    /// Its media type, by its content.
    #[serde(rename = "type")]
    pub kind: String,
    pub size: u64,
    /// In hexadecimal.
    pub sha256: String,
    /// What it shows, as the message that has it says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alt: Option<String>,
    #[serde(default, skip_serializing_if = "FileDetails::is_default")]
    pub details: FileDetails,
    /// Whether the file is held back because it was not checked yet.
    #[serde(skip)]
    pub is_scanning: bool,
}

/// The columns of a [`FileRow`].
pub(crate) const FILE_COLUMNS: &str =
    "id, room, person, name, type, size, sha256, state, message, details";

/// The ID as it is stored.
pub(crate) fn file_key(id: FileId) -> i64 {
    i64::from_be_bytes(id.bytes())
}

/// The ID that is stored as `key`.
pub(crate) fn file_id(key: i64) -> FileId {
    FileId::from_bytes(key.to_be_bytes())
}

/// A number of bytes as it is stored.
pub(crate) fn stored_bytes(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

/// The columns of a file, as each kind of database reads them.
pub(crate) struct FileColumns {
    pub id: i64,
    pub room: i64,
    pub person: i64,
    pub name: String,
    pub kind: String,
    pub size: i64,
    pub sha256: String,
    pub state: i64,
    pub message: Option<i64>,
    pub details: Option<String>,
}

impl From<FileColumns> for FileRow {
    fn from(columns: FileColumns) -> Self {
        Self {
            room: RoomId::from_bytes(columns.room.to_be_bytes()),
            person: columns.person,
            state: FileState::from_row(columns.state),
            message: columns.message.map(i64::unsigned_abs),
            file: StoredFile {
                id: file_id(columns.id),
                name: columns.name,
                kind: columns.kind,
                size: columns.size.unsigned_abs(),
                sha256: columns.sha256,
                alt: None,
                details: FileDetails::decode(columns.details.as_deref()),
                is_scanning: false,
            },
        }
    }
}

impl FromRow for FileRow {
    fn from_row(row: &Row) -> sqlx::Result<Self> {
        let columns = FileColumns {
            id: row.try_get("id")?,
            room: row.try_get("room")?,
            person: row.try_get("person")?,
            name: row.try_get("name")?,
            kind: row.try_get("type")?,
            size: row.try_get("size")?,
            sha256: row.try_get("sha256")?,
            state: row.try_get("state")?,
            message: row.try_get("message")?,
            details: row.try_get("details")?,
        };
        Ok(columns.into())
    }
}

impl StoredFile {
    /// The file as its readers see it.
    pub fn shown(self, room: RoomId) -> File {
        let FileDetails {
            dimensions,
            preview,
            has_metadata,
            ..
        } = self.details;
        File {
            url: file_path(room, self.id, &self.name),
            preview: preview.map(|preview| FilePreview {
                url: preview_path(room, self.id),
                width: preview.dimensions.width,
                height: preview.dimensions.height,
            }),
            id: self.id,
            name: self.name,
            kind: self.kind,
            size: self.size,
            sha256: self.sha256,
            alt: self.alt,
            width: dimensions.map(|dimensions| dimensions.width),
            height: dimensions.map(|dimensions| dimensions.height),
            metadata: has_metadata,
            scanning: self.is_scanning,
        }
    }
}

impl From<&File> for StoredFile {
    fn from(file: &File) -> Self {
        Self {
            id: file.id,
            name: file.name.clone(),
            kind: file.kind.clone(),
            size: file.size,
            sha256: file.sha256.clone(),
            alt: file.alt.clone(),
            details: FileDetails::of_shown(file),
            is_scanning: false,
        }
    }
}

/// The files of a message as they are stored with it; `None` without any.
pub(crate) fn encode_files(files: &[File]) -> Option<String> {
    if files.is_empty() {
        return None;
    }
    let files: Vec<StoredFile> = files.iter().map(StoredFile::from).collect();
    // Strings and numbers always serialize.
    serde_json::to_string(&files).ok()
}

/// The files that are stored with a message.
fn decode_files(room: RoomId, stored: Option<&str>) -> Result<Vec<File>, serde_json::Error> {
    let Some(stored) = stored else {
        return Ok(Vec::new());
    };
    let files: Vec<StoredFile> = serde_json::from_str(stored)?;
    Ok(files.into_iter().map(|file| file.shown(room)).collect())
}

/// The content of a message as it is stored.
pub(super) struct StoredContent {
    pub body: String,
    /// `None` without files.
    pub files: Option<String>,
}

impl StoredContent {
    /// The content of a message in this room.
    pub fn content(self, room: RoomId) -> sqlx::Result<MessageContent> {
        let files = decode_files(room, self.files.as_deref());
        let files = files.map_err(|error| sqlx::Error::Decode(Box::new(error)))?;
        Ok(MessageContent {
            files,
            ..MessageContent::text(self.body)
        })
    }
}
