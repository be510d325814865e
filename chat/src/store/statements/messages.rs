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

use futures_util::TryStreamExt;
use protocol::{Message, RoomId};

use sqlx::AssertSqlSafe;

use crate::Error;
use crate::store::EntryRow;
use crate::store::rows::{MESSAGE_COLUMNS, MessageRow, MessagesPage, key, key_seq};
use crate::store::sql::{FromRow, query, query_as};
use crate::store::{Reader, Store};

/// The keys of the first 100 messages of `room` that others than the person `$1` wrote after the read
/// marker of `member`.
pub(super) const UNREAD_KEYS: &str = "select message.key from message
    where message.key > (room.number << 32 | member.read_seq)
      and message.key < (room.number + 1) << 32
      and message.author <> $1 and message.kind = 0
    order by message.key limit 100";

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
    Ok(query_as(sql)
        .bind(key(room))
        .bind(key_seq(seq))
        .fetch_optional(from.connection())
        .await?)
}

/// The author of a message, as its row names the author.
pub(crate) struct MessageAuthorRow {
    /// The ID of the person; 0 for an anonymous author.
    pub person: i64,
    /// The name that the message was written under.
    pub username: String,
}

/// The author of a message and the name that it was written under; `None` if there is no such
/// message.
pub(crate) async fn find_named_author(
    from: &mut impl Reader,
    room: RoomId,
    seq: u64,
) -> Result<Option<MessageAuthorRow>, Error> {
    let sql = "select author, username from message
               where key = ((select number from room where id = $1) << 32 | $2) and kind = 0";
    let row: Option<(i64, String)> = query_as(sql)
        .bind(key(room))
        .bind(key_seq(seq))
        .fetch_optional(from.connection())
        .await?;
    Ok(row.map(|(person, username)| MessageAuthorRow { person, username }))
}

/// Reads a page of a room's messages, whatever the state of the room. The caller checks the access
/// to the room. `take` receives each message, with a note whether `reader` wrote it (an anonymous
/// reader is no one's author), and returns whether it wants another one. A page without a start has
/// the newest message first.
pub(crate) async fn load_page(
    store: &Store,
    room: RoomId,
    reader: i64,
    page: MessagesPage,
    mut take: impl FnMut(Message) -> Result<bool, Error>,
) -> Result<(), Error> {
    let order = if page.after.is_none() { "desc" } else { "asc" };
    let sql = AssertSqlSafe(format!(
        "select $1 as room, shown.author = $5 and $5 <> 0 as own, {MESSAGE_COLUMNS}
         from message as shown
         where shown.key > ((select number from room where id = $1) << 32 | $2)
           and shown.key < ((select number from room where id = $1) << 32 | $3)
           and kind = 0 order by shown.key {order} limit $4"
    ));
    let mut rows = query(sql)
        .bind(key(room))
        .bind(key_seq(page.after.unwrap_or(0)))
        .bind(key_seq(page.before.unwrap_or(u64::MAX)))
        .bind(i64::try_from(page.limit).unwrap_or(i64::MAX))
        .bind(reader)
        .fetch(store.read());
    while let Some(row) = rows.try_next().await? {
        let MessageRow(mut message) = MessageRow::from_row(&row)?;
        message.own = row.try_get("own")?;
        if !take(message)? {
            break;
        }
    }
    Ok(())
}

/// Reads the messages of a room that have files, the newest first, at most `limit` of those before a
/// sequence number, whatever the state of the room. The caller checks the access to the room. Each says
/// whether `reader` wrote it.
pub(crate) async fn load_with_files(
    store: &Store,
    room: RoomId,
    reader: i64,
    before: u64,
    limit: usize,
) -> Result<Vec<Message>, Error> {
    let sql = AssertSqlSafe(format!(
        "select $1 as room, shown.author = $4 and $4 <> 0 as own, {MESSAGE_COLUMNS}
         from message as shown
         where shown.key in (select (select number from room where id = $1) << 32 | file.message
                             from file where room = $1 and state = 3 and file.message < $2)
         order by shown.key desc limit $3"
    ));
    let mut rows = query(sql)
        .bind(key(room))
        .bind(key_seq(before))
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .bind(reader)
        .fetch(store.read());
    let mut messages = Vec::new();
    while let Some(row) = rows.try_next().await? {
        let MessageRow(mut message) = MessageRow::from_row(&row)?;
        message.own = row.try_get("own")?;
        messages.push(message);
    }
    Ok(messages)
}

/// The sequence number of the oldest among the newest messages of a room before `before`, at most
/// `limit` of them; `None` if there is none.
pub(crate) async fn find_page_start(
    store: &Store,
    room: RoomId,
    before: Option<u64>,
    limit: usize,
) -> Result<Option<u64>, Error> {
    let sql = "select min(seq) from (
                 select key & 4294967295 as seq from message
                 where key > (select number from room where id = $1) << 32
                   and key < ((select number from room where id = $1) << 32 | $2)
                   and kind = 0 order by key desc limit $3) as newest";
    let start: Option<i64> = query_as(sql)
        .bind(key(room))
        .bind(key_seq(before.unwrap_or(u64::MAX)))
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .fetch_one(store.read())
        .await?;
    Ok(start.map(i64::unsigned_abs))
}

/// Reads at most `limit` entries of a room's log after a sequence number, in order, whatever the
/// state of the room. The caller checks the access to the room. `take` receives each entry, and
/// returns whether it wants another one. Returns whether it has received all that there were.
pub(crate) async fn load_entries(
    store: &Store,
    room: RoomId,
    after: u64,
    limit: usize,
    mut take: impl FnMut(EntryRow) -> Result<bool, Error>,
) -> Result<bool, Error> {
    // A change has a target, and a message has none. Each entry is read with its message as it is
    // now: entry 3, the edit of message 1, comes with the current text of message 1.
    let sql = AssertSqlSafe(format!(
        "select $1 as room, entry.key & 4294967295 as place, entry.kind as kind, {MESSAGE_COLUMNS}
         from message as entry
         left join message as shown on shown.key = coalesce(entry.target, entry.key)
         where entry.key > ((select number from room where id = $1) << 32 | $2)
           and entry.key <= ((select number from room where id = $1) << 32 | 4294967295)
         order by entry.key limit $3"
    ));
    let mut rows = query(sql)
        .bind(key(room))
        .bind(key_seq(after))
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .fetch(store.read());
    let mut taken = 0;
    while let Some(row) = rows.try_next().await? {
        taken += 1;
        if !take(EntryRow::from_row(&row)?)? {
            return Ok(false);
        }
    }
    Ok(taken < limit)
}
