//! What the database holds, as the types that the rules speak of.

use std::time::Duration;

use protocol::{Author, Message, Role, Room, RoomId, SanctionKind, Time};
use sqlx::sqlite::SqliteRow;
use sqlx::{FromRow, Row};

pub(crate) const ROOM_COLUMNS: &str =
    "id, name, public, timeout_ms, created_at, last_active_at, expires_at, head, message_count, description, access,
                       read_only, slow_mode_ms";

/// Who may know of a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Everybody who knows its ID.
    Open = 0,
    /// Its members.
    Private = 1,
    /// The two whose conversation it is.
    Direct = 2,
}

/// A room as it is stored.
#[derive(Clone, Debug)]
pub(crate) struct RoomRow {
    pub room: Room,
    pub timeout: Duration,
    /// Its newest sequence.
    pub head: u64,
    /// Whether it is a conversation of two.
    pub direct: bool,
}

impl FromRow<'_, SqliteRow> for RoomRow {
    fn from_row(row: &SqliteRow) -> sqlx::Result<Self> {
        let room = Room {
            id: room_id(row.try_get("id")?),
            name: row.try_get("name")?,
            public: row.try_get("public")?,
            created_at: Time::from_millis(row.try_get("created_at")?),
            last_active_at: Time::from_millis(row.try_get("last_active_at")?),
            expires_at: Time::from_millis(row.try_get("expires_at")?),
            message_count: row.try_get::<i64, _>("message_count")?.unsigned_abs(),
            description: row.try_get("description")?,
            private: row.try_get::<i64, _>("access")? == Access::Private as i64,
            read_only: row.try_get("read_only")?,
            slow_mode: row.try_get::<i64, _>("slow_mode_ms")?.unsigned_abs() / 1_000,
            role: None,
            unread: 0,
            with: None,
        };
        let timeout: i64 = row.try_get("timeout_ms")?;
        let direct = row.try_get::<i64, _>("access")? == Access::Direct as i64;
        let head = row.try_get::<i64, _>("head")?.unsigned_abs();
        Ok(Self {
            room,
            timeout: Duration::from_millis(timeout.unsigned_abs()),
            head,
            direct,
        })
    }
}

/// The ID as the database keeps it.
pub(crate) fn key(id: RoomId) -> i64 {
    i64::from_be_bytes(id.bytes())
}

/// The ID that the database keeps as `key`.
pub(crate) fn room_id(key: i64) -> RoomId {
    RoomId::from_bytes(key.to_be_bytes())
}

/// A lifetime as the database keeps it: whole milliseconds, at least one, at most what a time can say.
pub(crate) fn millis(duration: Duration) -> i64 {
    Time::from_millis(0).after(duration).millis().max(1)
}

/// What a new room is to be like.
pub(crate) struct NewRoomRow {
    pub name: Option<String>,
    pub public: bool,
    /// How long it may stay without a new message, if its creator said so.
    pub requested_timeout: Option<Duration>,
    /// How long it may stay otherwise.
    pub longest: Duration,
    pub access: Access,
}

/// What the database means by a role.
pub(crate) fn role_from_row(stored: i64) -> Role {
    usize::try_from(stored)
        .ok()
        .and_then(|index| Role::ALL.get(index).copied())
        .unwrap_or(Role::Reader)
}

/// What the database means by a sanction.
pub(crate) fn sanction_from_row(stored: i64) -> SanctionKind {
    if stored == SanctionKind::Ban as i64 {
        SanctionKind::Ban
    } else {
        SanctionKind::Mute
    }
}

/// How far it is known who wrote a message, from what the database has of its author.
pub(crate) fn author(id: i64) -> Option<Author> {
    match id {
        0 => None,
        1.. => Some(Author::Account),
        _ => Some(Author::Guest),
    }
}

/// A page of a room's messages.
#[derive(Clone, Copy, Debug)]
pub struct MessagesPage {
    /// Only messages before this sequence.
    pub before: Option<u64>,
    /// Only messages after this sequence; the page then begins there, otherwise it ends at the newest.
    pub after: Option<u64>,
    /// At most so many.
    pub limit: usize,
}

impl Default for MessagesPage {
    fn default() -> Self {
        Self {
            before: None,
            after: None,
            limit: 100,
        }
    }
}

/// A message as it is stored.
pub(crate) struct MessageRow(pub Message);

impl FromRow<'_, SqliteRow> for MessageRow {
    fn from_row(row: &SqliteRow) -> sqlx::Result<Self> {
        Ok(Self(Message {
            id: row.try_get::<i64, _>("seq")?.unsigned_abs(),
            room: room_id(row.try_get("room")?),
            username: row.try_get("username")?,
            author: author(row.try_get("author")?),
            body: row.try_get("body")?,
            sent_at: Time::from_millis(row.try_get("sent_at")?),
            edited_at: row
                .try_get::<Option<i64>, _>("edited_at")?
                .map(Time::from_millis),
            deleted: row.try_get("deleted")?,
        }))
    }
}

/// What is read of a message. One without a text was deleted.
pub(crate) const MESSAGE_COLUMNS: &str =
    "room, seq, username, body, sent_at, author, edited_at, body = '' as deleted";

/// One page of the public rooms, most recently active first.
#[derive(Clone, Copy, Debug)]
pub struct RoomsPage {
    /// Only rooms behind this one: its last activity and its ID.
    pub after: Option<(Time, RoomId)>,
    /// At most so many.
    pub limit: usize,
}

impl Default for RoomsPage {
    fn default() -> Self {
        Self {
            after: None,
            limit: 100,
        }
    }
}
