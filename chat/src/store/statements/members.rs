//! The members of rooms.

use protocol::{Role, RoomId, Time};

use crate::Error;
use crate::store::rows::{MemberRow, count, key, role_from_row, room_id};
use crate::store::sql::{FromRow, Row, query, query_as};
use crate::store::{Reader, Store, WriteTransaction};

/// The most members of a room that are listed.
const LISTED: i64 = 10_000;

impl FromRow for MemberRow {
    fn from_row(row: &Row) -> sqlx::Result<Self> {
        Ok(Self {
            person: row.try_get("person")?,
            name: row.try_get("name")?,
            role: role_from_row(row.try_get("role")?),
            joined_at: Time::from_millis(row.try_get("joined_at")?),
        })
    }
}

/// Adds a member to an existing room, or changes the role of a member.
pub(crate) async fn add_member(
    tx: &mut WriteTransaction,
    now: Time,
    room: RoomId,
    person: i64,
    role: Role,
) -> Result<(), Error> {
    let sql = "insert into member
                 (room, person, role, joined_at, read_seq, active_minute, direct)
               select id, $2, $3, $4, 0, last_active_at / 60000, access = 2
               from room where id = $1
               on conflict (room, person) do update set role = excluded.role";
    query(sql)
        .bind(key(room))
        .bind(person)
        .bind(role as i64)
        .bind(now.millis())
        .execute(tx.connection())
        .await?;
    Ok(())
}

/// The role of a person in a room; `None` if the person is not a member.
pub(crate) async fn load_role(
    from: &mut impl Reader,
    room: RoomId,
    person: i64,
) -> Result<Option<Role>, Error> {
    let sql = "select role from member where room = $1 and person = $2";
    let role: Option<i64> = query_as(sql)
        .bind(key(room))
        .bind(person)
        .fetch_optional(from.connection())
        .await?;
    Ok(role.map(role_from_row))
}

/// The owner of a room.
pub(crate) async fn find_owner(from: &mut impl Reader, room: RoomId) -> Result<Option<i64>, Error> {
    let sql = "select person from member where room = $1 and role = $2";
    Ok(query_as(sql)
        .bind(key(room))
        .bind(Role::Owner as i64)
        .fetch_optional(from.connection())
        .await?)
}

/// The members of a room, the greatest role first.
pub(crate) async fn list_members(store: &Store, room: RoomId) -> Result<Vec<MemberRow>, Error> {
    let sql = "select member.person, coalesce(account.username, name_claim.name) as name, role,
                 joined_at
               from member left join account on account.id = member.person
               left join name_claim on name_claim.room = member.room
                 and name_claim.person = member.person
               where member.room = $1 order by role desc, joined_at, member.person limit $2";
    Ok(query_as(sql)
        .bind(key(room))
        .bind(LISTED)
        .fetch_all(store.read())
        .await?)
}

/// The members of a room with the role of a moderator or a greater one, the greatest first, at most
/// `limit`.
pub(crate) async fn list_moderators(
    from: &mut impl Reader,
    room: RoomId,
    limit: usize,
) -> Result<Vec<MemberRow>, Error> {
    // A partial index has these members. Its condition is the one here: 2 is the moderator.
    let sql = "select member.person, coalesce(account.username, name_claim.name) as name, role,
                 joined_at
               from member left join account on account.id = member.person
               left join name_claim on name_claim.room = member.room
                 and name_claim.person = member.person
               where member.room = $1 and role >= 2
               order by role desc, joined_at, member.person limit $2";
    Ok(query_as(sql)
        .bind(key(room))
        .bind(count(limit))
        .fetch_all(from.connection())
        .await?)
}

/// The rooms in which a person has the role of a moderator or a greater one.
pub(crate) async fn list_moderated_rooms(
    from: &mut impl Reader,
    person: i64,
) -> Result<Vec<RoomId>, Error> {
    let sql = "select room from member where person = $1 and role >= $2";
    let rooms: Vec<i64> = query_as(sql)
        .bind(person)
        .bind(Role::Moderator as i64)
        .fetch_all(from.connection())
        .await?;
    Ok(rooms.into_iter().map(room_id).collect())
}

/// The rooms that a person is a member of, at most `limit`.
pub(crate) async fn list_rooms_of(
    from: &mut impl Reader,
    person: i64,
    limit: usize,
) -> Result<Vec<RoomId>, Error> {
    let rooms: Vec<i64> = query_as("select room from member where person = $1 limit $2")
        .bind(person)
        .bind(count(limit))
        .fetch_all(from.connection())
        .await?;
    Ok(rooms.into_iter().map(room_id).collect())
}

/// The common table expressions that begin a query for the newest rooms of a person: `newest` has
/// their IDs as `newest_room`. `open` says which rooms count, from `from` on; `limit` is the
/// parameter with their number.
///
/// Only the rooms of the same minute as the last one are read beside them.
pub(super) fn newest_rooms(open: &str, limit: &str) -> String {
    format!(
        "with recent as (
           select active_minute as minute {open} order by active_minute desc limit {limit}),
         newest as materialized (
           select room.id as newest_room {open}
             and active_minute >= (select min(minute) from recent)
           order by last_active_at desc, room.id desc limit {limit})"
    )
}

/// Gives all members of a room who have one role another one.
pub(crate) async fn replace_role(
    tx: &mut WriteTransaction,
    room: RoomId,
    old: Role,
    new: Role,
) -> Result<(), Error> {
    query("update member set role = $3 where room = $1 and role = $2")
        .bind(key(room))
        .bind(old as i64)
        .bind(new as i64)
        .execute(tx.connection())
        .await?;
    Ok(())
}

/// Removes a member from a room.
pub(crate) async fn delete_member(
    tx: &mut WriteTransaction,
    room: RoomId,
    person: i64,
) -> Result<(), Error> {
    query("delete from member where room = $1 and person = $2")
        .bind(key(room))
        .bind(person)
        .execute(tx.connection())
        .await?;
    Ok(())
}

/// Removes a person from all rooms.
pub(crate) async fn delete_memberships(
    tx: &mut WriteTransaction,
    person: i64,
) -> Result<(), Error> {
    query("delete from member where person = $1")
        .bind(person)
        .execute(tx.connection())
        .await?;
    Ok(())
}

/// Makes a person a member of the rooms of another one, who leaves them. Of two roles in a room
/// the person gets the greater one.
pub(crate) async fn move_memberships(
    tx: &mut WriteTransaction,
    from: i64,
    to: i64,
) -> Result<(), Error> {
    let sql = "insert into member
                 (room, person, role, joined_at, read_seq, active_minute, direct)
               select room, $2, role, joined_at, read_seq, active_minute, direct
               from member where person = $1
               on conflict (room, person) do update set role = excluded.role
                 where excluded.role > member.role";
    query(sql)
        .bind(from)
        .bind(to)
        .execute(tx.connection())
        .await?;
    delete_memberships(tx, from).await
}
