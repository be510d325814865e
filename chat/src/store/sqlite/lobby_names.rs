//! The names that are held in the lobby.

use protocol::RoomId;
use rusqlite::{Transaction, params};

use crate::Error;
use crate::store::rows::key;

/// Lets somebody have a name in the lobby from the sequence `head` on, unless somebody has it.
pub(crate) fn claim_lobby_name(
    tx: &Transaction<'_>,
    room: RoomId,
    name: &str,
    head: i64,
) -> Result<bool, Error> {
    let sql =
        "insert into lobby_name (room, name, since_seq) values (?1, ?2, ?3) on conflict do nothing";
    Ok(tx
        .prepare_cached(sql)?
        .execute(params![key(room), name, head])?
        > 0)
}

/// Lets nobody have a name in the lobby, if somebody has it.
pub(crate) fn release_lobby_name(
    tx: &Transaction<'_>,
    room: RoomId,
    name: &str,
) -> Result<bool, Error> {
    let sql = "delete from lobby_name where room = ?1 and name = ?2";
    Ok(tx.prepare_cached(sql)?.execute(params![key(room), name])? > 0)
}
