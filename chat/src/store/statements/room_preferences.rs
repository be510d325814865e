//! What people have chosen for rooms: the notification level, and whether a room is among their own.
//!
//! # Not here
//! - That a writer keeps the room: `append`. Reading the choices with the room: `room_access`.

use protocol::{NotificationLevel, RoomId, Time};

use crate::Error;
use crate::store::rows::{Listing, count, key, room_id};
use crate::store::sql::{query, query_as};
use crate::store::{Reader, WriteTransaction};

/// The number of rooms for which a person has chosen anything.
pub(crate) async fn count_preferences(from: &mut impl Reader, person: i64) -> Result<u64, Error> {
    let sql = "select count(*) from room_preference where person = $1";
    let number: i64 = query_as(sql)
        .bind(person)
        .fetch_one(from.connection())
        .await?;
    Ok(number.unsigned_abs())
}

/// The rooms that a person keeps, those that were kept last first, at most `limit`.
pub(crate) async fn list_kept_rooms(
    from: &mut impl Reader,
    person: i64,
    limit: usize,
) -> Result<Vec<RoomId>, Error> {
    let sql = "select room from room_preference where person = $1 and listing = 1
               order by listed_at desc limit $2";
    let rooms: Vec<i64> = query_as(sql)
        .bind(person)
        .bind(count(limit))
        .fetch_all(from.connection())
        .await?;
    Ok(rooms.into_iter().map(room_id).collect())
}

/// Sets the notification level of a person in a room.
pub(crate) async fn set_level(
    tx: &mut WriteTransaction,
    room: RoomId,
    person: i64,
    level: NotificationLevel,
) -> Result<(), Error> {
    let sql = "insert into room_preference (person, room, level) values ($1, $2, $3)
               on conflict (person, room) do update set level = excluded.level";
    query(sql)
        .bind(person)
        .bind(key(room))
        .bind(level as i64)
        .execute(tx.connection())
        .await?;
    Ok(())
}

/// Sets whether a room is among a person's own.
pub(crate) async fn set_listing(
    tx: &mut WriteTransaction,
    now: Time,
    room: RoomId,
    person: i64,
    listing: Listing,
) -> Result<(), Error> {
    let sql = "insert into room_preference (person, room, listing, listed_at)
               values ($1, $2, $3, $4)
               on conflict (person, room) do update
                 set listing = excluded.listing, listed_at = excluded.listed_at";
    query(sql)
        .bind(person)
        .bind(key(room))
        .bind(listing as i64)
        .bind(now.millis())
        .execute(tx.connection())
        .await?;
    Ok(())
}

/// Gives the choices of a person to another one, who keeps their own where both have chosen.
pub(crate) async fn move_preferences(
    tx: &mut WriteTransaction,
    from: i64,
    to: i64,
) -> Result<(), Error> {
    let sql = "insert into room_preference (person, room, level, listing, listed_at)
               select $2, room, level, listing, listed_at from room_preference where person = $1
               on conflict (person, room) do nothing";
    query(sql)
        .bind(from)
        .bind(to)
        .execute(tx.connection())
        .await?;
    delete_preferences(tx, from).await
}

/// Deletes all choices of a person.
pub(crate) async fn delete_preferences(
    tx: &mut WriteTransaction,
    person: i64,
) -> Result<(), Error> {
    query("delete from room_preference where person = $1")
        .bind(person)
        .execute(tx.connection())
        .await?;
    Ok(())
}
