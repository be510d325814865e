//! The entries that other nodes have appended to the logs of several rooms, read with one statement.

use protocol::RoomId;
use sqlx::AssertSqlSafe;

use super::pool::PostgresPools;
use crate::Error;
use crate::lifetime::Lifetime;
use crate::store::EntryRow;
use crate::store::rows::{MESSAGE_COLUMNS, key, key_seq, lifetime_from_row, room_id};
use crate::store::sql::{FromRow, Row};

/// The most entries of a room that are read.
pub(crate) const RANGE_MAX: u64 = 512;

/// Entries of a room: those after a sequence number up to another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct EntryRange {
    pub room: RoomId,
    pub after: u64,
    pub last: u64,
}

/// An entry, and when its room ends.
pub(crate) struct NewEntry {
    pub room: RoomId,
    pub lifetime: Lifetime,
    pub row: EntryRow,
}

impl PostgresPools {
    /// Reads entries of rooms, in the order of each log, whatever the state of the rooms.
    pub async fn load_new_entries(&self, ranges: &[EntryRange]) -> Result<Vec<NewEntry>, Error> {
        // The limit lets the database look up each entry, however many it expects.
        let sql = AssertSqlSafe(format!(
            "select wanted.room, room.expires_at, room.timeout_ms, found.*
             from unnest($1::bigint[], $2::bigint[], $3::bigint[])
               as wanted (room, after_seq, last_seq)
             join room on room.id = wanted.room
             cross join lateral (
               select entry.key & 4294967295 as place, entry.kind, {MESSAGE_COLUMNS}
               from message as entry
               left join message as shown on shown.key = coalesce(entry.target, entry.key)
               where entry.key > (room.number << 32 | after_seq)
                 and entry.key <= (room.number << 32 | last_seq)
               order by entry.key limit {RANGE_MAX}) as found
             order by found.place"
        ));
        let column =
            |read: fn(&EntryRange) -> i64| -> Vec<i64> { ranges.iter().map(read).collect() };
        let rows = sqlx::query(sql)
            .bind(column(|range| key(range.room)))
            .bind(column(|range| key_seq(range.after)))
            .bind(column(|range| key_seq(range.last)))
            .fetch_all(&self.read)
            .await?;
        let entry = |row: Row| -> sqlx::Result<NewEntry> {
            Ok(NewEntry {
                room: room_id(row.try_get("room")?),
                lifetime: lifetime_from_row(row.try_get("expires_at")?, row.try_get("timeout_ms")?),
                row: EntryRow::from_row(&row)?,
            })
        };
        let entries: sqlx::Result<Vec<_>> =
            rows.into_iter().map(Row::Postgres).map(entry).collect();
        Ok(entries?)
    }
}
