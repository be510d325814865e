//! The rows of the logs: messages, and the changes of messages.
//!
//! The key of a row is the number of its room in the upper half, and its sequence number in the
//! lower half: a log is one range of keys.
//!
//! # Guarantees
//! - An entry of a kind that this version does not know is read as one, and its sequence number is
//!   not missing.
//!
//! # Not here
//! - Writing: `append`.

use std::collections::HashSet;
use std::ops::RangeInclusive;

use protocol::{ChangeKind, Message, RoomId};
use sqlx::sqlite::SqliteRow;
use sqlx::{FromRow, Row};

use super::pool::{Reader, Store};
use crate::Error;
use crate::store::EntryRow;
use crate::store::rows::{MESSAGE_COLUMNS, MessageRow, MessagesPage, key, key_seq};

/// The number of messages of `room` that others than the person `$1` wrote after the read marker of
/// `member`, as a column. It stops at 100.
pub(super) const COUNT_UNREAD: &str = "(select count(*) from (select 1 from message
    where message.key > (room.number << 32 | member.read_seq)
      and message.key < (room.number + 1) << 32
      and message.author <> $1 and message.kind = 0 limit 100) as unread_message)";

/// The key of the newest message of `room`, as a column.
pub(super) const NEWEST_KEY: &str = "(select key from message
    where message.key > room.number << 32 and message.key < (room.number + 1) << 32
      and message.kind = 0 order by message.key desc limit 1)";

/// The ID of the author of a message, which is 0 if the author is anonymous; `None` if there is no
/// such message.
pub(crate) async fn find_author(
    from: &mut impl Reader,
    room: RoomId,
    seq: u64,
) -> Result<Option<i64>, Error> {
    let sql = "select author from message
               where key = ((select number from room where id = $1) << 32 | $2)";
    Ok(sqlx::query_scalar(sql)
        .bind(key(room))
        .bind(key_seq(seq))
        .fetch_optional(from.connection())
        .await?)
}

/// A page of a room's messages in order, whatever the state of the room. The caller checks the
/// access to the room.
pub(crate) async fn load_page(
    store: &Store,
    room: RoomId,
    page: MessagesPage,
) -> Result<Vec<Message>, Error> {
    let newest_first = page.after.is_none();
    let order = if newest_first { "desc" } else { "asc" };
    let sql = sqlx::AssertSqlSafe(format!(
        "select $1 as room, {MESSAGE_COLUMNS} from message as shown
         where shown.key > ((select number from room where id = $1) << 32 | $2)
           and shown.key < ((select number from room where id = $1) << 32 | $3)
           and kind = 0 order by shown.key {order} limit $4"
    ));
    let rows: Vec<MessageRow> = sqlx::query_as(sql)
        .bind(key(room))
        .bind(key_seq(page.after.unwrap_or(0)))
        .bind(key_seq(page.before.unwrap_or(u64::MAX)))
        .bind(i64::try_from(page.limit).unwrap_or(i64::MAX))
        .fetch_all(store.read())
        .await?;
    let mut messages: Vec<Message> = rows.into_iter().map(|row| row.0).collect();
    if newest_first {
        messages.reverse();
    }
    Ok(messages)
}

/// The sequences of the messages that a person wrote in a room, in a range.
pub(crate) async fn load_seqs_by(
    store: &Store,
    room: RoomId,
    person: i64,
    range: RangeInclusive<u64>,
) -> Result<HashSet<u64>, Error> {
    let sql = "select key & 4294967295 from message
               where key between ((select number from room where id = $1) << 32 | $2)
                 and ((select number from room where id = $1) << 32 | $3)
                 and kind = 0 and author = $4";
    let seqs: Vec<i64> = sqlx::query_scalar(sql)
        .bind(key(room))
        .bind(key_seq(*range.start()))
        .bind(key_seq(*range.end()))
        .bind(person)
        .fetch_all(store.read())
        .await?;
    Ok(seqs.into_iter().map(i64::unsigned_abs).collect())
}

/// The entries of a room's log after a sequence number, in order, whatever the state of the room.
/// The caller checks the access to the room.
pub(crate) async fn load_entries(
    store: &Store,
    room: RoomId,
    after: u64,
    limit: usize,
) -> Result<Vec<EntryRow>, Error> {
    // A change has a target, and a message has none. Each entry is read with its message as it is
    // now: entry 3, the edit of message 1, comes with the current text of message 1.
    let sql = sqlx::AssertSqlSafe(format!(
        "select $1 as room, entry.key & 4294967295 as place, entry.kind as kind, {MESSAGE_COLUMNS}
         from message as entry
         left join message as shown on shown.key = coalesce(entry.target, entry.key)
         where entry.key > ((select number from room where id = $1) << 32 | $2)
           and entry.key <= ((select number from room where id = $1) << 32 | 4294967295)
         order by entry.key limit $3"
    ));
    let rows: Vec<SqliteRow> = sqlx::query(sql)
        .bind(key(room))
        .bind(key_seq(after))
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .fetch_all(store.read())
        .await?;
    rows.iter().map(|row| Ok(entry_from_row(row)?)).collect()
}

fn entry_from_row(row: &SqliteRow) -> sqlx::Result<EntryRow> {
    let seq = row.try_get::<i64, _>("place")?.unsigned_abs();
    let stored: i64 = row.try_get("kind")?;
    if stored == 0 {
        return Ok(EntryRow::Message(MessageRow::from_row(row)?.0));
    }
    let mut known = ChangeKind::ALL.into_iter();
    Ok(match known.find(|kind| *kind as i64 == stored) {
        Some(kind) => EntryRow::Change {
            seq,
            kind,
            message: MessageRow::from_row(row)?.0,
        },
        None => EntryRow::Unknown { seq },
    })
}
