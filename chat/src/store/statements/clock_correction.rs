//! The correction of the machine's clock, which the times of rooms do not contain yet.
//!
//! While a process runs, the times of rooms follow its own clock, which ignores corrections. The
//! next process reads the machine's clock, so it moves these times when it starts.
//!
//! # Guarantees
//! - A correction is applied once, also if a process is killed.

use protocol::Time;

use super::meta;
use crate::Error;
use crate::store::Store;
use crate::store::sql::{query, query_as};

/// The name under which the correction is stored.
pub(crate) const NAME: &str = "clock_correction";

/// Stores by how many milliseconds the machine's clock was corrected.
pub(crate) async fn save(store: &Store, millis: i64) -> Result<(), Error> {
    let mut tx = store.begin().await?;
    meta::save(&mut tx, NAME, millis).await?;
    tx.commit().await?;
    Ok(())
}

/// Moves the times of all open rooms by the correction that an earlier process stored. A room that
/// never ends stays so.
pub(crate) async fn apply(store: &Store) -> Result<(), Error> {
    let mut tx = store.begin().await?;
    let sql = "delete from meta where name = $1 returning value";
    let correction: Option<i64> = query_as(sql)
        .bind(NAME)
        .fetch_optional(tx.connection())
        .await?;
    if let Some(correction) = correction.filter(|correction| *correction != 0) {
        let sql = "update room set last_active_at =
                       case when last_active_at + $1 > 0 then last_active_at + $1 else 0 end, due_at = 0,
                     expires_at = case when expires_at = $2 then $2
                                       when expires_at + $1 > $2 then $2
                                       when expires_at + $1 > 0 then expires_at + $1
                                       else 0 end
                   where state = 0";
        query(sql)
            .bind(correction)
            .bind(Time::from_millis(i64::MAX).millis())
            .execute(tx.connection())
            .await?;
        let sql = "update member set active_minute = room.last_active_at / 60000
                   from room where room.id = member.room";
        query(sql).execute(tx.connection()).await?;
    }
    tx.commit().await?;
    Ok(())
}
