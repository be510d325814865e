//! The names that are taken in the lobby.

use protocol::RoomId;
use rusqlite::{Transaction, params};

use crate::Error;
use crate::store::rows::key;

/// Claims a name in the lobby from the sequence number `head` on. Returns `false` if it is taken.
pub(crate) fn claim_lobby_name(
    tx: &Transaction<'_>,
    room: RoomId,
    name: &str,
    head: i64,
) -> Result<bool, Error> {
    let sql =
        "insert into lobby_name (room, name, since_seq) values (?1, ?2, ?3) on conflict do nothing";
    let inserted = tx
        .prepare_cached(sql)?
        .execute(params![key(room), name, head])?;
    Ok(inserted > 0)
}

/// Releases a name in the lobby. Returns `false` if it is not taken.
pub(crate) fn release_lobby_name(
    tx: &Transaction<'_>,
    room: RoomId,
    name: &str,
) -> Result<bool, Error> {
    let sql = "delete from lobby_name where room = ?1 and name = ?2";
    let deleted = tx.prepare_cached(sql)?.execute(params![key(room), name])?;
    Ok(deleted > 0)
}
