//! The names by which rooms are found.
//!
//! # Guarantees
//! - An alias leads to one room.

use protocol::{Room, RoomId};
use unicode_normalization::UnicodeNormalization;

use sqlx::AssertSqlSafe;

use crate::Error;
use crate::store::rows::{ROOM_COLUMNS, RoomRow, key};
use crate::store::sql::{query, query_as};
use crate::store::{Reader, WriteTransaction};

/// The open room with this alias, which is in Normalization Form C. An alias that was stored before
/// that rule may be in decomposed letters.
pub(crate) async fn find_room_by_alias(
    from: &mut impl Reader,
    alias: &str,
) -> Result<Option<Room>, Error> {
    let sql = AssertSqlSafe(format!(
        "select {ROOM_COLUMNS} from room
         where state = 0 and id in (select room from room_alias where name in ($1, $2))
         order by id = (select room from room_alias where name = $1) desc limit 1"
    ));
    let row: Option<RoomRow> = query_as(sql)
        .bind(alias)
        .bind(alias.nfd().collect::<String>())
        .fetch_optional(from.connection())
        .await?;
    Ok(row.map(|row| row.room))
}

/// Gives an alias to a room. An earlier room with the alias loses it.
pub(crate) async fn set_alias(
    tx: &mut WriteTransaction,
    alias: &str,
    room: RoomId,
) -> Result<(), Error> {
    let sql = "insert into room_alias (name, room) values ($1, $2)
               on conflict (name) do update set room = excluded.room";
    query(sql)
        .bind(alias)
        .bind(key(room))
        .execute(tx.connection())
        .await?;
    Ok(())
}
