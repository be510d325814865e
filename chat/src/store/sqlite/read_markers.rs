//! The read markers of members: the sequence number up to which a member has read a room.
//!
//! # Guarantees
//! - A read marker never moves backwards.

use protocol::RoomId;

use super::pool::{Store, WriteTransaction};
use crate::Error;
use crate::store::rows::{key, stored_seq};

/// The read marker of a person in a room; `None` if the person is not a member.
pub(crate) async fn load_read_marker(
    store: &Store,
    room: RoomId,
    person: i64,
) -> Result<Option<u64>, Error> {
    let sql = "select read_seq from member where room = $1 and person = $2";
    let seq: Option<i64> = sqlx::query_scalar(sql)
        .bind(key(room))
        .bind(person)
        .fetch_optional(store.read())
        .await?;
    Ok(seq.map(i64::unsigned_abs))
}

/// Moves the read marker of a member forward to a sequence number.
pub(crate) async fn advance_read_marker(
    tx: &mut WriteTransaction,
    room: RoomId,
    person: i64,
    seq: u64,
) -> Result<(), Error> {
    let sql = "update member set read_seq = $3
               where room = $1 and person = $2 and read_seq < $3";
    sqlx::query(sql)
        .bind(key(room))
        .bind(person)
        .bind(stored_seq(seq))
        .execute(tx.connection())
        .await?;
    Ok(())
}
