//! The accounts that have written in rooms.
//!
//! # Not here
//! - Who writes these rows: `append`.

use protocol::RoomId;

use crate::Error;
use crate::store::Reader;
use crate::store::rows::{key, room_id};
use crate::store::sql::query_as;

/// Whether an account has written in a room.
pub(crate) async fn has_written(
    from: &mut impl Reader,
    room: RoomId,
    account: i64,
) -> Result<bool, Error> {
    let sql = "select exists (select 1 from room_author where account = $1 and room = $2)";
    Ok(query_as(sql)
        .bind(account)
        .bind(key(room))
        .fetch_one(from.connection())
        .await?)
}

/// The rooms that an account has written in or is a member of: those that show its name.
pub(crate) async fn list_rooms_that_name(
    from: &mut impl Reader,
    account: i64,
) -> Result<Vec<RoomId>, Error> {
    let sql = "select room from room_author where account = $1
               union select room from member where person = $1";
    let rooms: Vec<i64> = query_as(sql)
        .bind(account)
        .fetch_all(from.connection())
        .await?;
    Ok(rooms.into_iter().map(room_id).collect())
}
