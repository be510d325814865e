//! The names that guests write under in rooms.

use std::collections::BTreeMap;

use protocol::RoomId;
use sqlx::AssertSqlSafe;

use crate::Error;
use crate::store::log_sql::IS_TAKEN;
use crate::store::rows::key;
use crate::store::sql::{query, query_as};
use crate::store::{Reader, Store, WriteTransaction};

/// How many names one statement reads.
const BATCH: usize = 1_000;

/// Whether another person in the room has a name with this skeleton, in lower case or as it is
/// written.
pub(crate) async fn is_name_taken(
    from: &mut impl Reader,
    room: RoomId,
    person: i64,
    lowercase: &str,
    cased: &str,
) -> Result<bool, Error> {
    Ok(query_as(IS_TAKEN)
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
    Ok(query_as(sql)
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
    Ok(query_as(sql)
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
    Ok(query_as(sql)
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
        let wanted: Vec<_> = people.iter().map(|person| (person,)).collect();
        let elements = store.dialect().select_elements("$2", &["wanted_person"]);
        let sql = AssertSqlSafe(format!(
            "select person, name from ({elements}) as wanted
             join name_claim on name_claim.room = $1 and person = wanted_person"
        ));
        let rows: Vec<(i64, String)> = query_as(sql)
            .bind(key(room))
            .bind(serde_json::to_string(&wanted).map_err(Error::fault)?)
            .fetch_all(store.read())
            .await?;
        names.extend(rows);
    }
    Ok(names)
}

/// Releases the names of a guest in all rooms.
pub(crate) async fn delete_claims_of(tx: &mut WriteTransaction, person: i64) -> Result<(), Error> {
    query("delete from name_claim where person = $1")
        .bind(person)
        .execute(tx.connection())
        .await?;
    Ok(())
}
