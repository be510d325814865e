//! The entries of the audit logs of rooms.

use protocol::{AuditEntry, RoomId, Time};

use super::pool::{Store, WriteTransaction};
use crate::Error;
use crate::store::rows::{count, key, stored_seq};

/// How many entries to keep for a room. The oldest ones beyond this number are deleted.
pub(crate) const KEPT: i64 = if cfg!(test) { 5 } else { 10_000 };

pub(crate) const INSERT: &str = "insert into audit_log (room, seq, at, actor, action, target)
    select $1, coalesce(max(seq), 0) + 1, $2, $3, $4, $5 from audit_log where room = $1
    returning seq";

pub(crate) const DELETE_OLDEST: &str = "delete from audit_log where room = $1 and seq <= $2";

/// Appends an entry to the audit log of a room.
pub(crate) async fn append(
    tx: &mut WriteTransaction,
    now: Time,
    room: RoomId,
    actor: &str,
    action: &str,
    target: &str,
) -> Result<(), Error> {
    let seq: i64 = sqlx::query_scalar(INSERT)
        .bind(key(room))
        .bind(now.millis())
        .bind(actor)
        .bind(action)
        .bind(target)
        .fetch_one(tx.connection())
        .await?;
    sqlx::query(DELETE_OLDEST)
        .bind(key(room))
        .bind(seq - KEPT)
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
    let rows: Vec<(i64, i64, String, String, String)> = sqlx::query_as(sql)
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
