//! The rows beside the logs.

use std::collections::{BTreeMap, BTreeSet};

use protocol::RoomId;
use sqlx::PgConnection;

use super::{Deletion, RoomPerson};
use crate::store::NameClaim;
use crate::store::log_sql::AUDITS_KEPT;
use crate::store::rows::key;

/// Notes the accounts that have written in rooms.
pub(super) async fn write_room_authors(
    connection: &mut PgConnection,
    authors: BTreeSet<RoomPerson>,
) -> sqlx::Result<()> {
    let sql = "insert into room_author (room, account)
               select * from unnest($1::bigint[], $2::bigint[]) on conflict do nothing";
    let (rooms, accounts) = columns(authors.into_iter());
    sqlx::query(sql)
        .bind(rooms)
        .bind(accounts)
        .execute(connection)
        .await?;
    Ok(())
}

/// Keeps rooms among those of people who have written in them.
pub(super) async fn write_kept_rooms(
    connection: &mut PgConnection,
    kept: BTreeMap<RoomPerson, i64>,
) -> sqlx::Result<()> {
    let sql = "insert into room_preference (room, person, listing, listed_at)
               select room, person, 1, listed_at
               from unnest($1::bigint[], $2::bigint[], $3::bigint[])
                 as kept (room, person, listed_at)
               where not exists (select 1 from member
                 where member.room = kept.room and member.person = kept.person)
               on conflict (person, room) do update
                 set listing = 1, listed_at = excluded.listed_at
                 where room_preference.listing <> 1";
    write_times(connection, sql, kept).await
}

/// Notes when people have written in slow mode.
pub(super) async fn write_last_writes(
    connection: &mut PgConnection,
    writes: BTreeMap<RoomPerson, i64>,
) -> sqlx::Result<()> {
    let sql = "insert into last_write (room, person, written_at)
               select * from unnest($1::bigint[], $2::bigint[], $3::bigint[])
               on conflict (room, person) do update set written_at = excluded.written_at";
    write_times(connection, sql, writes).await
}

/// Executes a statement whose parameters are the columns of rooms, people and times.
async fn write_times(
    connection: &mut PgConnection,
    sql: &'static str,
    times: BTreeMap<RoomPerson, i64>,
) -> sqlx::Result<()> {
    let (rooms, people) = columns(times.keys().copied());
    let times: Vec<i64> = times.into_values().collect();
    sqlx::query(sql)
        .bind(rooms)
        .bind(people)
        .bind(times)
        .execute(connection)
        .await?;
    Ok(())
}

/// Replaces the names of guests. All are removed first, because one may have the old name of
/// another.
pub(super) async fn write_claims(
    connection: &mut PgConnection,
    claims: BTreeMap<RoomPerson, NameClaim>,
) -> sqlx::Result<()> {
    let (rooms, people) = columns(claims.keys().copied());
    let sql = "delete from name_claim
               where (room, person) in (select * from unnest($1::bigint[], $2::bigint[]))";
    sqlx::query(sql)
        .bind(&rooms)
        .bind(&people)
        .execute(&mut *connection)
        .await?;
    let sql = "insert into name_claim (room, person, skeleton, cased_skeleton, name)
               select * from unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::text[])";
    let column =
        |read: fn(&NameClaim) -> &str| -> Vec<&str> { claims.values().map(read).collect() };
    sqlx::query(sql)
        .bind(rooms)
        .bind(people)
        .bind(column(|claim| &claim.skeleton))
        .bind(column(|claim| &claim.cased_skeleton))
        .bind(column(|claim| &claim.name))
        .execute(connection)
        .await?;
    Ok(())
}

/// Claims and releases names in the lobby.
pub(super) async fn write_lobby_names(
    connection: &mut PgConnection,
    names: BTreeMap<(RoomId, String), Option<(NameClaim, i64)>>,
) -> sqlx::Result<()> {
    let (rooms, touched): (Vec<i64>, Vec<&str>) = names
        .keys()
        .map(|(room, name)| (key(*room), name.as_str()))
        .unzip();
    let sql = "delete from lobby_name
               where (room, name) in (select * from unnest($1::bigint[], $2::text[]))";
    sqlx::query(sql)
        .bind(rooms)
        .bind(touched)
        .execute(&mut *connection)
        .await?;
    let claims = || {
        let claims = names.iter();
        claims.filter_map(|((room, _), claim)| Some((*room, claim.as_ref()?)))
    };
    let sql = "insert into lobby_name (room, since_seq, name, skeleton, cased_skeleton)
               select * from unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::text[])";
    let column = |read: fn(&NameClaim) -> &str| -> Vec<&str> {
        claims().map(|(_, (claim, _))| read(claim)).collect()
    };
    sqlx::query(sql)
        .bind(claims().map(|(room, _)| key(room)).collect::<Vec<_>>())
        .bind(claims().map(|(_, (_, since))| *since).collect::<Vec<_>>())
        .bind(column(|claim| &claim.name))
        .bind(column(|claim| &claim.skeleton))
        .bind(column(|claim| &claim.cased_skeleton))
        .execute(connection)
        .await?;
    Ok(())
}

/// Appends the deletions by moderators to the audit logs of their rooms.
pub(super) async fn write_deletions(
    connection: &mut PgConnection,
    deletions: Vec<Deletion>,
) -> sqlx::Result<()> {
    let rooms: Vec<i64> = deletions.iter().map(|row| key(row.room)).collect();
    let times: Vec<i64> = deletions.iter().map(|row| row.at).collect();
    let actions: Vec<&str> = deletions.iter().map(|row| row.action).collect();
    let targets: Vec<String> = deletions.iter().map(|row| row.target.to_string()).collect();
    let actors: Vec<&str> = deletions.iter().map(|row| &*row.actor).collect();
    let sql = "insert into audit_log (room, seq, at, actor, action, target)
               select room, row_number() over (partition by room order by position) + coalesce(
                   (select max(seq) from audit_log where audit_log.room = deletion.room), 0),
                 at, actor, action, target
               from unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::text[])
                 with ordinality as deletion (room, at, actor, action, target, position)";
    sqlx::query(sql)
        .bind(&rooms)
        .bind(times)
        .bind(actors)
        .bind(actions)
        .bind(targets)
        .execute(&mut *connection)
        .await?;
    let sql = "delete from audit_log where room = any($1) and seq <= $2 + (
                 select max(seq) from audit_log as newest where newest.room = audit_log.room)";
    sqlx::query(sql)
        .bind(rooms)
        .bind(-AUDITS_KEPT)
        .execute(connection)
        .await?;
    Ok(())
}

/// The columns of rooms and people.
fn columns(rows: impl Iterator<Item = RoomPerson>) -> (Vec<i64>, Vec<i64>) {
    rows.map(|(room, person)| (key(room), person)).unzip()
}
