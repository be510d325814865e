//! The rooms that the overview of a person shows.

use protocol::{Room, Time};
use sqlx::sqlite::SqliteRow;
use sqlx::{FromRow, Row};

use super::members::newest_rooms;
use super::messages::COUNT_UNREAD;
use super::pool::Store;
use crate::Error;
use crate::store::rows::{ROOM_COLUMNS, RoomRow, count, role_from_row};

/// The open rooms that a person is a member of and not banned from, except direct chats: the most
/// recently active first, at most `limit`, with the number of unread messages.
pub(crate) async fn list_member_rooms(
    store: &Store,
    person: i64,
    now: Time,
    limit: usize,
) -> Result<Vec<Room>, Error> {
    const OPEN: &str = "from member join room on room.id = member.room
           where person = $1 and direct = false and state = 0 and not exists (
             select 1 from sanction where sanction.room = room.id and sanction.person = $1
             and kind = 1 and (until is null or until > $2))";
    let newest = newest_rooms(OPEN, "$3");
    let sql = sqlx::AssertSqlSafe(format!(
        "{newest}
         select {ROOM_COLUMNS}, role, {COUNT_UNREAD} as unread
         from newest join room on room.id = newest_room
           join member on member.room = room.id and person = $1
         order by last_active_at desc, id desc"
    ));
    let rows = sqlx::query(sql)
        .bind(person)
        .bind(now.millis())
        .bind(count(limit))
        .fetch_all(store.read())
        .await?;
    rows.iter().map(|row| Ok(room_from_row(row)?)).collect()
}

fn room_from_row(row: &SqliteRow) -> sqlx::Result<Room> {
    let mut room = RoomRow::from_row(row)?.room;
    room.role = Some(role_from_row(row.try_get("role")?));
    room.unread = row.try_get::<i64, _>("unread")?.unsigned_abs();
    Ok(room)
}
