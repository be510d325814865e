//! What the writer needs of a database: the rows that a batch is decided by, and what it appends.

use std::collections::BTreeSet;

use protocol::{Change, FileId, Message, Role, RoomEnd, RoomId};

use super::file_rows::FileRow;
use super::{
    AccountSession, EarlierMessage, KeyDigests, NameClaim, OpenRoom, RowChange, StoredMessage,
    WritePolicy,
};
use crate::Error;

/// The connection of the writer, which has one of its own.
pub(crate) trait LogConnection: Send {
    /// Begins a transaction. The caller holds the write lock.
    fn begin(&mut self) -> Result<Box<dyn LogTransaction + '_>, Error>;
}

/// A transaction that appends to logs. It is rolled back if it is dropped.
pub(crate) trait LogTransaction: BatchRows + AppendRows {}

impl<T: BatchRows + AppendRows> LogTransaction for T {}

/// What the requests of a batch refer to.
#[derive(Debug, Default)]
pub(crate) struct WantedRows {
    /// The room and the author of each request.
    pub authors: BTreeSet<(RoomId, i64)>,
    pub sessions: Vec<AccountSession>,
    /// The room and the author of each post with an idempotency key.
    pub keys: Vec<(RoomId, i64, KeyDigests)>,
    /// The room and the sequence number of each message to change.
    pub targets: BTreeSet<(RoomId, u64)>,
    /// The files that messages are to have.
    pub files: BTreeSet<FileId>,
    pub names: BTreeSet<WantedName>,
    /// The names in the lobby.
    pub lobby_names: BTreeSet<WantedName>,
}

/// A name that an author writes under.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct WantedName {
    pub room: RoomId,
    /// The skeleton of the name in lower case.
    pub lowercase: String,
    /// The skeleton of the name as it is written.
    pub cased: String,
}

/// The rows that a batch is decided by.
pub(crate) trait BatchRows {
    /// Reads at once whatever the batch refers to, and locks its rooms, if the database is too far
    /// away for a statement per row. Deadlines are checked at `now`.
    fn prefetch(&mut self, now: i64, wanted: &dyn Fn() -> WantedRows) -> Result<(), Error>;

    /// The room with this ID, if it is open and not due.
    fn find_open_room(&self, id: RoomId, now: i64) -> Result<Option<OpenRoom>, Error>;

    /// How a room that is not open ended; `None` if it did not exist, or was hidden from the person.
    fn find_end(&self, id: RoomId, person: i64) -> Result<Option<RoomEnd>, Error>;

    /// The write policy of a room for a person.
    fn load_policy(&self, room: RoomId, person: i64, now: i64) -> Result<WritePolicy, Error>;

    /// The role of a person in a room; `None` if the person is not a member.
    fn load_role(&self, room: RoomId, person: i64) -> Result<Option<Role>, Error>;

    /// The message of an author that was posted with this idempotency key.
    fn find_by_key(
        &self,
        number: i64,
        room: RoomId,
        author: i64,
        key: &KeyDigests,
    ) -> Result<Option<EarlierMessage>, Error>;

    /// The message with this sequence number, unless the entry is of another kind.
    fn find_message(
        &self,
        room: RoomId,
        number: i64,
        seq: u64,
    ) -> Result<Option<StoredMessage>, Error>;

    /// The file with this ID.
    fn find_file(&self, id: FileId) -> Result<Option<FileRow>, Error>;

    /// The claims in a room of names with one of these skeletons.
    fn load_claims(
        &self,
        room: RoomId,
        lowercase: &str,
        cased: &str,
    ) -> Result<Vec<NameClaim>, Error>;

    /// Whether the username of an account, also of a deleted one, has one of these skeletons.
    fn is_name_registered(&self, lowercase: &str, cased: &str) -> Result<bool, Error>;

    /// The display name of the account of a session; `None` if the session has ended.
    fn find_name_of_session(&self, session: AccountSession) -> Result<Option<String>, Error>;

    /// The names in the lobby with one of these skeletons.
    fn load_lobby_names(
        &self,
        room: RoomId,
        lowercase: &str,
        cased: &str,
    ) -> Result<Vec<NameClaim>, Error>;
}

/// What a batch appends. Later reads may not see it before it is flushed.
pub(crate) trait AppendRows {
    /// Inserts a new message of an author into the room with this number.
    fn insert_message(
        &mut self,
        number: i64,
        author: i64,
        key: Option<&KeyDigests>,
        message: &Message,
    ) -> Result<(), Error>;

    /// Stores what a change has made of its message, and inserts the entry of the change, which a
    /// person made at `now`.
    fn insert_change(
        &mut self,
        number: i64,
        person: i64,
        now: i64,
        change: &Change,
    ) -> Result<(), Error>;

    /// Updates the row of a room, and those of its members once a minute.
    fn save_room(&mut self, id: RoomId, room: &OpenRoom) -> Result<(), Error>;

    /// Notes that an account has written in a room.
    fn insert_room_author(&mut self, room: RoomId, account: i64) -> Result<(), Error>;

    /// Keeps a room among those of a person who has written in it, also if they had hidden it.
    fn keep_room(&mut self, room: RoomId, person: i64, now: i64) -> Result<(), Error>;

    /// Makes a change of a row beside the log.
    fn change_row(&mut self, now: i64, change: &RowChange) -> Result<(), Error>;

    /// Writes what was appended, so that later reads see it.
    fn flush(&mut self) -> Result<(), Error>;

    /// Whether an account, or another person in the room, has a name with one of these skeletons.
    fn is_name_taken(
        &mut self,
        room: RoomId,
        person: i64,
        lowercase: &str,
        cased: &str,
    ) -> Result<bool, Error>;

    /// Commits the transaction.
    fn commit(self: Box<Self>) -> Result<(), Error>;
}
