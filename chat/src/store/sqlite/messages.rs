//! The rows of messages.

use std::collections::HashSet;
use std::ops::RangeInclusive;

use protocol::{Message, RoomId};

use crate::Error;
use crate::store::Store;
use crate::store::rows::{MESSAGE_COLUMNS, MessageRow, MessagesPage, key};

/// A page of a room's messages in order, whatever the state of the room. The caller checks the
/// access to the room.
pub(crate) async fn load_page(
    store: &Store,
    room: RoomId,
    page: MessagesPage,
) -> Result<Vec<Message>, Error> {
    let newest_first = page.after.is_none();
    let order = if newest_first { "seq desc" } else { "seq" };
    let sql = sqlx::AssertSqlSafe(format!(
        "select {MESSAGE_COLUMNS} from message
         where room = $1 and seq > $2 and seq < $3 and kind = 0 order by {order} limit $4"
    ));
    let bound = |seq: u64| i64::try_from(seq).unwrap_or(i64::MAX);
    let rows: Vec<MessageRow> = sqlx::query_as(sql)
        .bind(key(room))
        .bind(bound(page.after.unwrap_or(0)))
        .bind(bound(page.before.unwrap_or(u64::MAX)))
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
    let sql = "select seq from message
               where room = $1 and seq between $2 and $3 and kind = 0 and author = $4";
    let bound = |seq: u64| i64::try_from(seq).unwrap_or(i64::MAX);
    let seqs: Vec<i64> = sqlx::query_scalar(sql)
        .bind(key(room))
        .bind(bound(*range.start()))
        .bind(bound(*range.end()))
        .bind(person)
        .fetch_all(store.read())
        .await?;
    Ok(seqs.into_iter().map(i64::unsigned_abs).collect())
}
