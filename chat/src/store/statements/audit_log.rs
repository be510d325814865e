//! The entries of the audit logs of rooms.

use protocol::{AuditEntry, RoomId, Time};

use crate::Error;
use crate::store::log_sql::{AUDITS_KEPT, DELETE_OLD_AUDITS, INSERT_AUDIT};
use crate::store::rows::{count, key, stored_seq};
use crate::store::sql::{query, query_as};
use crate::store::{Store, WriteTransaction};

/// Appends an entry to the audit log of a room.
pub(crate) async fn append(
    tx: &mut WriteTransaction,
    now: Time,
    room: RoomId,
    actor: &str,
    action: &str,
    target: &str,
) -> Result<(), Error> {
    let seq: i64 = query_as(INSERT_AUDIT)
        .bind(key(room))
        .bind(now.millis())
        .bind(actor)
        .bind(action)
        .bind(target)
        .fetch_one(tx.connection())
        .await?;
    query(DELETE_OLD_AUDITS)
        .bind(key(room))
        .bind(seq - AUDITS_KEPT)
        .execute(tx.connection())
        .await?;
    Ok(())
}

/// The entries of a room before the entry `before`, the latest first, at most `limit`.
pub(crate) async fn list_entries(
    store: &Store,
    room: RoomId,
    before: u64,
    limit: usize,
) -> Result<Vec<AuditEntry>, Error> {
    let sql = "select seq, at, actor, action, target from audit_log
               where room = $1 and seq < $2 order by seq desc limit $3";
    let rows: Vec<(i64, i64, String, String, String)> = query_as(sql)
        .bind(key(room))
        .bind(stored_seq(before))
        .bind(count(limit))
        .fetch_all(store.read())
        .await?;
    let entry = |(id, at, actor, action, target): (i64, i64, String, String, String)| AuditEntry {
        id: id.unsigned_abs(),
        at: Time::from_millis(at),
        actor,
        action,
        target,
    };
    Ok(rows.into_iter().map(entry).collect())
}
