//! Finds rooms for a person.
//!
//! # Guarantees
//! - The statement that finds a room joins its members, so a room that is hidden from the person is
//!   not found.

use protocol::{RoomId, Time};
use sqlx::sqlite::SqliteRow;
use sqlx::{FromRow, Row};

use super::pool::{Reader, Store};
use crate::Error;
use crate::store::rows::{FoundRoom, ROOM_COLUMNS, RoomRow, key, role_from_row};

impl FromRow<'_, SqliteRow> for FoundRoom {
    fn from_row(row: &SqliteRow) -> sqlx::Result<Self> {
        let role: Option<i64> = row.try_get("role")?;
        Ok(Self {
            row: RoomRow::from_row(row)?,
            role: role.map(role_from_row),
            is_banned: row.try_get("is_banned")?,
        })
    }
}

/// The statement that finds open rooms: `$1` is the person, `$2` the present, and `count` IDs
/// follow.
fn open_rooms_sql(count: usize) -> String {
    let ids: Vec<String> = (3..3 + count).map(|number| format!("${number}")).collect();
    let ids = ids.join(", ");
    format!(
        "select {ROOM_COLUMNS},
           (select role from member where member.room = room.id and person = $1) as role,
           exists (select 1 from sanction where sanction.room = room.id and person = $1
                   and kind = 1 and (until is null or until > $2)) as is_banned
         from room where id in ({ids}) and state = 0
         and (access = 0
           or exists (select 1 from member where member.room = room.id and person = $1))"
    )
}

/// The open room with this ID, unless it is hidden from the person.
pub(crate) async fn find_open_room(
    from: &mut impl Reader,
    id: RoomId,
    person: i64,
    now: Time,
) -> Result<Option<FoundRoom>, Error> {
    Ok(sqlx::query_as(sqlx::AssertSqlSafe(open_rooms_sql(1)))
        .bind(person)
        .bind(now.millis())
        .bind(key(id))
        .fetch_optional(from.connection())
        .await?)
}

/// The open rooms with these IDs, without those that are hidden from the person.
pub(crate) async fn find_open_rooms(
    store: &Store,
    ids: &[RoomId],
    person: i64,
    now: Time,
) -> Result<Vec<FoundRoom>, Error> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut query = sqlx::query_as(sqlx::AssertSqlSafe(open_rooms_sql(ids.len())))
        .bind(person)
        .bind(now.millis());
    for id in ids {
        query = query.bind(key(*id));
    }
    Ok(query.fetch_all(store.read()).await?)
}

/// Whether a room existed and has ended, or its end has begun.
pub(crate) async fn has_ended(from: &mut impl Reader, id: RoomId) -> Result<bool, Error> {
    let sql = "select exists (select 1 from room_tombstone where room = $1)
                 or exists (select 1 from room where id = $1 and state <> 0)";
    Ok(sqlx::query_scalar(sql)
        .bind(key(id))
        .fetch_one(from.connection())
        .await?)
}
