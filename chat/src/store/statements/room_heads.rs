//! How far rooms have come: their newest sequence numbers, and their ends.

use protocol::{RoomEnd, RoomId};
use sqlx::AssertSqlSafe;

use crate::Error;
use crate::lifetime::Lifetime;
use crate::store::Store;
use crate::store::rows::{key, lifetime_from_row, room_end_from_row, room_id};
use crate::store::sql::{FromRow, query_as};

/// When a room ends; `None` if it is erased.
pub(crate) async fn find_lifetime(store: &Store, id: RoomId) -> Result<Option<Lifetime>, Error> {
    let row: Option<(i64, i64)> = query_as("select expires_at, timeout_ms from room where id = $1")
        .bind(key(id))
        .fetch_optional(store.read())
        .await?;
    Ok(row.map(|(end, timeout)| lifetime_from_row(end, timeout)))
}

/// How far a room has come, and when it ends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RoomHead {
    pub room: RoomId,
    /// The newest sequence number.
    pub seq: u64,
    pub lifetime: Lifetime,
}

/// The heads of those of these rooms that are not erased.
pub(crate) async fn load_heads(store: &Store, ids: &[RoomId]) -> Result<Vec<RoomHead>, Error> {
    let sql =
        "select id, head, expires_at, timeout_ms from wanted join room on room.id = wanted_room";
    let rows: Vec<(i64, i64, i64, i64)> = load_numbers(store, ids, sql).await?;
    let head = |(room, head, end, timeout): (i64, i64, i64, i64)| RoomHead {
        room: room_id(room),
        seq: head.unsigned_abs(),
        lifetime: lifetime_from_row(end, timeout),
    };
    Ok(rows.into_iter().map(head).collect())
}

/// How each of these rooms ended, if it was erased during the last day.
pub(crate) async fn load_ends(
    store: &Store,
    ids: &[RoomId],
) -> Result<Vec<(RoomId, RoomEnd)>, Error> {
    let sql = "select room, ended_by from wanted join room_tombstone on room = wanted_room";
    let rows: Vec<(i64, i64)> = load_numbers(store, ids, sql).await?;
    let end = |(room, end): (i64, i64)| (room_id(room), room_end_from_row(end));
    Ok(rows.into_iter().map(end).collect())
}

/// The numbers of each room that a query finds in `wanted`.
async fn load_numbers<T: FromRow>(
    store: &Store,
    ids: &[RoomId],
    sql: &str,
) -> Result<Vec<T>, Error> {
    let elements = store.dialect().select_elements("$1", &["wanted_room"]);
    let sql = AssertSqlSafe(format!("with wanted as ({elements}) {sql}"));
    let wanted: Vec<_> = ids.iter().map(|id| (key(*id),)).collect();
    Ok(query_as(sql)
        .bind(serde_json::to_string(&wanted).map_err(Error::fault)?)
        .fetch_all(store.read())
        .await?)
}
