//! The read markers of members: the sequence number up to which a member has read a room.
//!
//! # Guarantees
//! - A read marker never moves backwards.

use std::collections::BTreeMap;

use protocol::RoomId;
use sqlx::AssertSqlSafe;

use crate::Error;
use crate::store::rows::{key, stored_seq};
use crate::store::sql::{query, query_as};
use crate::store::{Store, WriteTransaction};

/// The read marker of a person in a room; `None` if the person is not a member.
pub(crate) async fn load_read_marker(
    store: &Store,
    room: RoomId,
    person: i64,
) -> Result<Option<u64>, Error> {
    let sql = "select read_seq from member where room = $1 and person = $2";
    let seq: Option<i64> = query_as(sql)
        .bind(key(room))
        .bind(person)
        .fetch_optional(store.read())
        .await?;
    Ok(seq.map(i64::unsigned_abs))
}

/// Moves the read markers of people in rooms forward to sequence numbers. Those who are no members have
/// none.
pub(crate) async fn advance_read_markers(
    tx: &mut WriteTransaction,
    markers: &BTreeMap<(RoomId, i64), u64>,
) -> Result<(), Error> {
    let columns = ["wanted_room", "wanted_person", "wanted_seq"];
    let elements = tx.connection().dialect().select_elements("$1", &columns);
    let sql = AssertSqlSafe(format!(
        "update member set read_seq = wanted_seq from ({elements}) as wanted
         where room = wanted_room and person = wanted_person and read_seq < wanted_seq"
    ));
    let wanted =
        |((room, person), seq): (&(RoomId, i64), &u64)| (key(*room), *person, stored_seq(*seq));
    let wanted: Vec<_> = markers.iter().map(wanted).collect();
    query(sql)
        .bind(serde_json::to_string(&wanted).map_err(Error::fault)?)
        .execute(tx.connection())
        .await?;
    Ok(())
}
