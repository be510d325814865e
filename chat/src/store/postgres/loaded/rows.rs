//! The rows of what a batch refers to.

use protocol::{Message, Role, RoomEnd, Time};
use sqlx::Row;
use sqlx::postgres::PgRow;

use crate::store::file_rows::{FileColumns, FileRow, StoredContent};
use crate::store::rows::{
    ActiveSanction, author_from_row, role_from_row, room_end_from_row, room_id,
};
use crate::store::{StoredMessage, WritePolicy};

/// The columns of a message in a query with `wanted`, which [`message_from_row`] reads.
pub(super) const MESSAGE_COLUMNS: &str =
    "wanted.room, message.key & 4294967295 as seq, message.author,
    message.username, body, files, sent_at, edited_at, deleted_at is not null as is_deleted,
    message.client_id, content,
    (select name from account where account.id = message.author) as author_name";

/// What is known of the author of a request in its room.
#[derive(Clone, Copy, Debug)]
pub(in crate::store::postgres) struct AuthorRow {
    /// How the room ended, if it did and the author may know.
    pub end: Option<RoomEnd>,
    pub policy: WritePolicy,
    pub role: Option<Role>,
}

/// The author in a row.
pub(super) fn author_row(row: &PgRow) -> sqlx::Result<AuthorRow> {
    let role: Option<i64> = row.try_get("role")?;
    let role = role.map(role_from_row);
    let kind: Option<i64> = row.try_get("kind")?;
    let until = row.try_get("until")?;
    let is_operator = row.try_get::<Option<bool>, _>("is_operator")? == Some(true);
    let end: Option<i64> = row.try_get("ended_by")?;
    // The columns of a room that does not exist are null.
    let policy = WritePolicy {
        hidden: row
            .try_get::<Option<_>, _>("is_hidden")?
            .unwrap_or_default(),
        read_only: row
            .try_get::<Option<_>, _>("read_only")?
            .unwrap_or_default(),
        slow_mode: row
            .try_get::<Option<_>, _>("slow_mode_ms")?
            .unwrap_or_default(),
        role: if is_operator { Some(Role::Owner) } else { role },
        // No sanction holds against an operator.
        sanction: kind
            .filter(|_| !is_operator)
            .map(|kind| ActiveSanction::from_row(kind, until)),
        last_write: row.try_get("written_at")?,
    };
    Ok(AuthorRow {
        end: end.map(room_end_from_row),
        policy,
        role,
    })
}

/// The place of what a row was found for, which `position` counts from 1.
pub(super) fn index_of(row: &PgRow) -> sqlx::Result<usize> {
    let position: i64 = row.try_get("position")?;
    Ok(usize::try_from(position - 1).unwrap_or(usize::MAX))
}

/// The message in a row with [`MESSAGE_COLUMNS`].
pub(super) fn message_from_row(row: &PgRow) -> sqlx::Result<StoredMessage> {
    let author: i64 = row.try_get("author")?;
    let is_deleted: bool = row.try_get("is_deleted")?;
    let room = room_id(row.try_get("room")?);
    let stored = StoredContent {
        body: row.try_get("body")?,
        files: row.try_get("files")?,
    };
    let message = Message {
        id: row.try_get::<i64, _>("seq")?.unsigned_abs(),
        room,
        username: row.try_get("username")?,
        name: row.try_get("author_name")?,
        author: author_from_row(author),
        client_id: row.try_get("client_id")?,
        sent_at: Time::from_millis(row.try_get("sent_at")?),
        edited_at: row
            .try_get::<Option<i64>, _>("edited_at")?
            .map(Time::from_millis),
        content: (!is_deleted).then(|| stored.content(room)).transpose()?,
        own: false,
    };
    Ok(StoredMessage { author, message })
}

/// The file in a row with [`FILE_COLUMNS`](crate::store::file_rows::FILE_COLUMNS).
pub(super) fn file_from_row(row: &PgRow) -> sqlx::Result<FileRow> {
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
