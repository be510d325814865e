//! The settings of rooms.

use protocol::Time;

use crate::Error;
use crate::store::WriteTransaction;
use crate::store::rows::{Access, RoomRow, key, millis};
use crate::store::sql::query;

/// Stores the settings of a room that is no direct chat. `timeout_requested` says whether its
/// lifetime is a request of the owner.
pub(crate) async fn update_settings(
    tx: &mut WriteTransaction,
    changed: &RoomRow,
    timeout_requested: bool,
) -> Result<(), Error> {
    let room = &changed.room;
    let access = if room.private {
        Access::Private
    } else {
        Access::Open
    };
    let timeout = millis(changed.timeout);
    let latest = Time::from_millis(i64::MAX).millis();
    let sql =
        "update room set name = $2, description = $3, public = $4, access = $5, timeout_ms = $6,
           requested_timeout_ms = coalesce($7, requested_timeout_ms), read_only = $8,
           slow_mode_ms = $9, due_at = 0, expires_at =
             case when last_active_at + $6 < $10 then last_active_at + $6 else $10 end
         where id = $1 and access <> 2";
    query(sql)
        .bind(key(room.id))
        .bind(&room.name)
        .bind(&room.description)
        .bind(room.public)
        .bind(access as i64)
        .bind(timeout)
        .bind(timeout_requested.then_some(timeout))
        .bind(room.read_only)
        .bind(i64::try_from(room.slow_mode * 1_000).unwrap_or(i64::MAX))
        .bind(latest)
        .execute(tx.connection())
        .await?;
    Ok(())
}
