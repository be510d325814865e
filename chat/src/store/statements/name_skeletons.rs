//! The skeletons of names that are stored.
//!
//! # Not here
//! - What follows from a change of the algorithm: `room::skeleton_update`.

use std::collections::HashMap;

use protocol::RoomId;

use crate::Error;
use crate::store::log_rows::NameClaim;
use crate::store::rows::{AccountSkeletonRow, count, key, room_id};
use crate::store::sql::{query, query_as};
use crate::store::{Store, WriteTransaction};

type AccountColumns = (i64, String, String, i64);

fn account_from_row((id, username, skeleton, created_at): AccountColumns) -> AccountSkeletonRow {
    AccountSkeletonRow {
        id,
        username,
        skeleton,
        created_at,
    }
}

/// The first accounts after this ID.
pub(crate) async fn load_accounts(
    tx: &mut WriteTransaction,
    after: i64,
    limit: usize,
) -> Result<Vec<AccountSkeletonRow>, Error> {
    let sql = "select id, username, skeleton, created_at from account
               where id > $1 order by id limit $2";
    let rows: Vec<AccountColumns> = query_as(sql)
        .bind(after)
        .bind(count(limit))
        .fetch_all(tx.connection())
        .await?;
    Ok(rows.into_iter().map(account_from_row).collect())
}

/// The account that has this skeleton.
pub(crate) async fn find_account(
    tx: &mut WriteTransaction,
    skeleton: &str,
) -> Result<Option<AccountSkeletonRow>, Error> {
    let sql = "select id, username, skeleton, created_at from account where skeleton = $1";
    let row: Option<AccountColumns> = query_as(sql)
        .bind(skeleton)
        .fetch_optional(tx.connection())
        .await?;
    Ok(row.map(account_from_row))
}

/// Replaces the skeleton of an account.
pub(crate) async fn set_account_skeleton(
    tx: &mut WriteTransaction,
    id: i64,
    skeleton: &str,
) -> Result<(), Error> {
    query("update account set skeleton = $2 where id = $1")
        .bind(id)
        .bind(skeleton)
        .execute(tx.connection())
        .await?;
    Ok(())
}

/// The rooms where names are taken, by guests or in the lobby.
pub(crate) async fn list_rooms_with_names(store: &Store) -> Result<Vec<RoomId>, Error> {
    let sql = "select room from name_claim union select room from lobby_name";
    let rooms: Vec<i64> = query_as(sql).fetch_all(store.read()).await?;
    Ok(rooms.into_iter().map(room_id).collect())
}

/// The claims of the guests in a room.
pub(crate) async fn load_claims(
    tx: &mut WriteTransaction,
    room: RoomId,
) -> Result<Vec<NameClaim>, Error> {
    let sql = "select person, name, skeleton, cased_skeleton from name_claim where room = $1";
    load_names(tx, room, sql).await
}

/// The names in the lobby, if the room is one.
pub(crate) async fn load_lobby_names(
    tx: &mut WriteTransaction,
    room: RoomId,
) -> Result<Vec<NameClaim>, Error> {
    let sql =
        "select cast(0 as bigint), name, skeleton, cased_skeleton from lobby_name where room = $1";
    load_names(tx, room, sql).await
}

async fn load_names(
    tx: &mut WriteTransaction,
    room: RoomId,
    sql: &'static str,
) -> Result<Vec<NameClaim>, Error> {
    let rows: Vec<(i64, String, String, String)> = query_as(sql)
        .bind(key(room))
        .fetch_all(tx.connection())
        .await?;
    let claim = |(person, name, skeleton, cased_skeleton)| NameClaim {
        person,
        name,
        skeleton,
        cased_skeleton,
    };
    Ok(rows.into_iter().map(claim).collect())
}

/// The key of the first message of each guest in a room.
pub(crate) async fn load_first_messages(
    tx: &mut WriteTransaction,
    room: RoomId,
) -> Result<HashMap<i64, i64>, Error> {
    let sql = "select author, min(key) from message
               where key > ((select number from room where id = $1) << 32)
                 and key < ((select number from room where id = $1) + 1 << 32)
                 and kind = 0 and author < 0
               group by author";
    let rows: Vec<(i64, i64)> = query_as(sql)
        .bind(key(room))
        .fetch_all(tx.connection())
        .await?;
    Ok(rows.into_iter().collect())
}

/// Replaces all claims of the guests in a room.
pub(crate) async fn replace_claims(
    tx: &mut WriteTransaction,
    room: RoomId,
    claims: &[NameClaim],
) -> Result<(), Error> {
    query("delete from name_claim where room = $1")
        .bind(key(room))
        .execute(tx.connection())
        .await?;
    for claim in claims {
        let sql = "insert into name_claim (room, skeleton, cased_skeleton, name, person)
                   values ($1, $2, $3, $4, $5)";
        query(sql)
            .bind(key(room))
            .bind(&claim.skeleton)
            .bind(&claim.cased_skeleton)
            .bind(&claim.name)
            .bind(claim.person)
            .execute(tx.connection())
            .await?;
    }
    Ok(())
}

/// Replaces the skeletons of a name in the lobby.
pub(crate) async fn set_lobby_skeletons(
    tx: &mut WriteTransaction,
    room: RoomId,
    claim: &NameClaim,
) -> Result<(), Error> {
    let sql = "update lobby_name set skeleton = $3, cased_skeleton = $4
               where room = $1 and name = $2";
    query(sql)
        .bind(key(room))
        .bind(&claim.name)
        .bind(&claim.skeleton)
        .bind(&claim.cased_skeleton)
        .execute(tx.connection())
        .await?;
    Ok(())
}
