//! The names in rooms that the names of a batch may look like.

use std::collections::HashMap;

use protocol::RoomId;
use sqlx::{PgConnection, Row};

use crate::store::NameClaim;
use crate::store::log_connection::WantedName;
use crate::store::rows::{key, room_id};

/// The claims of guests with one of these skeletons in their room.
pub(super) const CLAIMS: &str =
    "select room, person, name, skeleton, cased_skeleton from name_claim
    where (room, skeleton) in (select * from unnest($1::bigint[], $2::text[]))
    union select room, person, name, skeleton, cased_skeleton from name_claim
    where (room, cased_skeleton) in (select * from unnest($1::bigint[], $2::text[]))";

/// The names in the lobby with one of these skeletons.
pub(super) const LOBBY_NAMES: &str =
    "select room, 0::bigint as person, name, skeleton, cased_skeleton
    from lobby_name
    where (room, skeleton) in (select * from unnest($1::bigint[], $2::text[]))
    union select room, 0::bigint, name, skeleton, cased_skeleton from lobby_name
    where (room, cased_skeleton) in (select * from unnest($1::bigint[], $2::text[]))";

/// The names in rooms that have a wanted skeleton.
pub(super) async fn load_names(
    connection: &mut PgConnection,
    sql: &'static str,
    wanted: impl Iterator<Item = &WantedName>,
) -> sqlx::Result<HashMap<RoomId, Vec<NameClaim>>> {
    let skeletons = |name: &WantedName| {
        let room = key(name.room);
        [(room, name.lowercase.clone()), (room, name.cased.clone())]
    };
    let (rooms, skeletons): (Vec<i64>, Vec<String>) = wanted.flat_map(skeletons).unzip();
    let rows = sqlx::query(sql)
        .bind(rooms)
        .bind(skeletons)
        .fetch_all(connection)
        .await?;
    let mut names: HashMap<RoomId, Vec<NameClaim>> = HashMap::new();
    for row in rows {
        let claim = NameClaim {
            person: row.try_get("person")?,
            name: row.try_get("name")?,
            skeleton: row.try_get("skeleton")?,
            cased_skeleton: row.try_get("cased_skeleton")?,
        };
        names
            .entry(room_id(row.try_get("room")?))
            .or_default()
            .push(claim);
    }
    Ok(names)
}

/// The claims with one of these skeletons.
pub(super) fn with_skeletons(
    claims: Option<&Vec<NameClaim>>,
    lowercase: &str,
    cased: &str,
) -> Vec<NameClaim> {
    let wanted = [lowercase, cased];
    let has_skeleton = |claim: &&NameClaim| {
        wanted.contains(&&*claim.skeleton) || wanted.contains(&&*claim.cased_skeleton)
    };
    claims
        .into_iter()
        .flatten()
        .filter(has_skeleton)
        .cloned()
        .collect()
}
