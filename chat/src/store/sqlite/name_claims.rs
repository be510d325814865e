//! The names that guests write under in rooms.

use std::collections::BTreeMap;

use protocol::RoomId;
use sqlx::QueryBuilder;

use super::pool::{Reader, Store, WriteTransaction};
use crate::Error;
use crate::store::rows::key;

/// How many names one statement reads.
const BATCH: usize = 1_000;

/// Whether an account, also a deleted one, or another guest in the room has a name that looks like
/// one. Usernames of accounts have no capitals, so an account has one skeleton only.
pub(crate) const IS_TAKEN: &str = "select
    exists (select 1 from name_claim where room = $1 and person <> $2 and skeleton in ($3, $4))
    or exists (select 1 from name_claim
      where room = $1 and person <> $2 and cased_skeleton in ($3, $4))
    or exists (select 1 from account where skeleton in ($3, $4))
    or exists (select 1 from former_username where skeleton in ($3, $4))";

/// Whether another person in the room has a name with this skeleton, in lower case or as it is
/// written.
pub(crate) async fn is_name_taken(
    from: &mut impl Reader,
    room: RoomId,
    person: i64,
    lowercase: &str,
    cased: &str,
) -> Result<bool, Error> {
    Ok(sqlx::query_scalar(IS_TAKEN)
        .bind(key(room))
        .bind(person)
        .bind(lowercase)
        .bind(cased)
        .fetch_one(from.connection())
        .await?)
}

/// Whether a guest has a name in a room.
pub(crate) async fn has_claim(
    from: &mut impl Reader,
    room: RoomId,
    person: i64,
) -> Result<bool, Error> {
    let sql = "select exists (select 1 from name_claim where room = $1 and person = $2)";
    Ok(sqlx::query_scalar(sql)
        .bind(key(room))
        .bind(person)
        .fetch_one(from.connection())
        .await?)
}

/// The guest with this skeleton of a name in a room, and the name as the guest writes it.
pub(crate) async fn find_guest(
    from: &mut impl Reader,
    room: RoomId,
    skeleton: &str,
) -> Result<Option<(i64, String)>, Error> {
    let sql = "select person, name from name_claim where room = $1 and skeleton = $2";
    Ok(sqlx::query_as(sql)
        .bind(key(room))
        .bind(skeleton)
        .fetch_optional(from.connection())
        .await?)
}

/// The name that a guest writes under in a room; `None` for a guest who has not written there.
pub(crate) async fn load_claimed_name(
    from: &mut impl Reader,
    room: RoomId,
    guest: i64,
) -> Result<Option<String>, Error> {
    let sql = "select name from name_claim where room = $1 and person = $2";
    Ok(sqlx::query_scalar(sql)
        .bind(key(room))
        .bind(guest)
        .fetch_optional(from.connection())
        .await?)
}

/// The names that these guests write under in a room. A guest who has not written there has none.
pub(crate) async fn load_claimed_names(
    store: &Store,
    room: RoomId,
    people: &[i64],
) -> Result<BTreeMap<i64, String>, Error> {
    let mut names = BTreeMap::new();
    for people in people.chunks(BATCH) {
        let mut query = QueryBuilder::new("select person, name from name_claim where room = ");
        query.push_bind(key(room)).push(" and person in (");
        let mut list = query.separated(", ");
        for person in people {
            list.push_bind(*person);
        }
        query.push(")");
        let rows: Vec<(i64, String)> = query.build_query_as().fetch_all(store.read()).await?;
        names.extend(rows);
    }
    Ok(names)
}

/// Releases the names of a guest in all rooms.
pub(crate) async fn delete_claims_of(tx: &mut WriteTransaction, person: i64) -> Result<(), Error> {
    sqlx::query("delete from name_claim where person = $1")
        .bind(person)
        .execute(tx.connection())
        .await?;
    Ok(())
}
