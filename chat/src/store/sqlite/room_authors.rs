//! The accounts that have written in rooms.
//!
//! # Not here
//! - Who writes these rows: `append`.

use protocol::RoomId;

use super::pool::Reader;
use crate::Error;
use crate::store::rows::room_id;

/// The rooms that an account has written in or is a member of: those that show its name.
pub(crate) async fn list_rooms_that_name(
    from: &mut impl Reader,
    account: i64,
) -> Result<Vec<RoomId>, Error> {
    let sql = "select room from room_author where account = $1
               union select room from member where person = $1";
    let rooms: Vec<i64> = sqlx::query_scalar(sql)
        .bind(account)
        .fetch_all(from.connection())
        .await?;
    Ok(rooms.into_iter().map(room_id).collect())
}
