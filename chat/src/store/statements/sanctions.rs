//! The sanctions in rooms. One without an end has a null `until`.

use protocol::{RoomId, SanctionKind, Time};

use crate::Error;
use crate::store::rows::{ActiveSanction, SanctionRow, key, room_id, sanction_from_row};
use crate::store::sql::{FromRow, Row, query, query_as};
use crate::store::{Reader, Store, WriteTransaction};

/// The most sanctions of a room that are listed.
const LISTED: i64 = 10_000;

impl FromRow for SanctionRow {
    fn from_row(row: &Row) -> sqlx::Result<Self> {
        let until: Option<i64> = row.try_get("until")?;
        Ok(Self {
            person: row.try_get("person")?,
            username: row.try_get("username")?,
            kind: sanction_from_row(row.try_get("kind")?),
            until: until.map(Time::from_millis),
        })
    }
}

/// Stores the sanction of a person in a room, which replaces an earlier one.
pub(crate) async fn set_sanction(
    tx: &mut WriteTransaction,
    room: RoomId,
    person: i64,
    kind: SanctionKind,
    until: Option<Time>,
) -> Result<(), Error> {
    let sql = "insert into sanction (room, person, kind, until) values ($1, $2, $3, $4)
               on conflict (room, person)
                 do update set kind = excluded.kind, until = excluded.until";
    query(sql)
        .bind(key(room))
        .bind(person)
        .bind(kind as i64)
        .bind(until.map(Time::millis))
        .execute(tx.connection())
        .await?;
    Ok(())
}

/// Deletes the sanction of a person in a room. Returns `false` if there is none.
pub(crate) async fn delete_sanction(
    tx: &mut WriteTransaction,
    room: RoomId,
    person: i64,
) -> Result<bool, Error> {
    let deleted = query("delete from sanction where room = $1 and person = $2")
        .bind(key(room))
        .bind(person)
        .execute(tx.connection())
        .await?;
    Ok(deleted > 0)
}

/// The sanctions in a room that have not ended.
pub(crate) async fn list_sanctions(
    store: &Store,
    room: RoomId,
    now: Time,
) -> Result<Vec<SanctionRow>, Error> {
    let sql = "select person, username, kind, until
               from sanction left join account on account.id = person
               where room = $1 and (until is null or until > $2) order by person limit $3";
    Ok(query_as(sql)
        .bind(key(room))
        .bind(now.millis())
        .bind(LISTED)
        .fetch_all(store.read())
        .await?)
}

/// The sanction of a person in a room, unless it has ended.
pub(crate) async fn find_sanction(
    from: &mut impl Reader,
    room: RoomId,
    person: i64,
    now: Time,
) -> Result<Option<ActiveSanction>, Error> {
    let sql = "select kind, until from sanction
               where room = $1 and person = $2 and (until is null or until > $3)";
    let row: Option<(i64, Option<i64>)> = query_as(sql)
        .bind(key(room))
        .bind(person)
        .bind(now.millis())
        .fetch_optional(from.connection())
        .await?;
    Ok(row.map(|(kind, until)| ActiveSanction::from_row(kind, until)))
}

/// Deletes the sanctions of a person that have ended.
pub(crate) async fn delete_ended_sanctions(
    tx: &mut WriteTransaction,
    person: i64,
    now: Time,
) -> Result<(), Error> {
    query("delete from sanction where person = $1 and until <= $2")
        .bind(person)
        .bind(now.millis())
        .execute(tx.connection())
        .await?;
    Ok(())
}

/// The rooms that a person is banned from.
pub(crate) async fn list_bans(
    tx: &mut WriteTransaction,
    person: i64,
) -> Result<Vec<RoomId>, Error> {
    let sql = "select room from sanction where person = $1 and kind = $2";
    let rooms: Vec<i64> = query_as(sql)
        .bind(person)
        .bind(SanctionKind::Ban as i64)
        .fetch_all(tx.connection())
        .await?;
    Ok(rooms.into_iter().map(room_id).collect())
}

/// Imposes the sanctions of one person on another one, too. Of two sanctions in a room the other
/// person gets the harder kind and the later end, so that it escapes neither.
pub(crate) async fn copy_sanctions(
    tx: &mut WriteTransaction,
    from: i64,
    to: i64,
) -> Result<(), Error> {
    let sql = "insert into sanction (room, person, kind, until)
               select room, $2, kind, until from sanction where person = $1
               on conflict (room, person) do update set
                 kind = case when excluded.kind > sanction.kind
                   then excluded.kind else sanction.kind end,
                 until = case when excluded.until is null or excluded.until > sanction.until
                   then excluded.until else sanction.until end";
    query(sql)
        .bind(from)
        .bind(to)
        .execute(tx.connection())
        .await?;
    Ok(())
}
