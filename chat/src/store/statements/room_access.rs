//! Finds rooms for a person.
//!
//! # Guarantees
//! - The statement that finds a room joins its members, so a room that is hidden from the person is
//!   not found.

use protocol::{RoomEnd, RoomId, Time};
use sqlx::AssertSqlSafe;

use super::wanted_rows::rows_in_order;
use crate::Error;
use crate::store::Reader;
use crate::store::log_sql::END;
use crate::store::rows::{
    ActiveSanction, FoundRoom, ROOM_COLUMNS, RoomRow, key, level_from_row, listing_from_row,
    role_from_row, room_end_from_row,
};
use crate::store::sql::{Dialect, FromRow, Row, query, query_as};

impl FromRow for FoundRoom {
    fn from_row(row: &Row) -> sqlx::Result<Self> {
        let role: Option<i64> = row.try_get("role")?;
        let sanction: Option<i64> = row.try_get("sanction")?;
        let until = row.try_get("sanction_until")?;
        let mut found = RoomRow::from_row(row)?;
        found.room.level = level_from_row(row.try_get("level")?);
        found.listing = listing_from_row(row.try_get("listing")?);
        Ok(Self {
            row: found,
            role: role.map(role_from_row),
            sanction: sanction.map(|kind| ActiveSanction::from_row(kind, until)),
        })
    }
}

/// A room that is looked up for a person.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RoomLookup {
    pub room: RoomId,
    pub person: i64,
    pub now: Time,
}

/// The statement that finds open rooms. Its parameter is a list of the wanted rooms, each with the
/// person and the present.
fn open_rooms(dialect: Dialect) -> String {
    let elements = dialect.select_elements("$1", &["wanted_room", "wanted_by", "present"]);
    format!(
        "with wanted as materialized ({elements})
         select position, {ROOM_COLUMNS},
           (select role from member where member.room = room.id and person = wanted_by) as role,
           sanction.kind as sanction, sanction.until as sanction_until, level, listing
         from wanted join room on room.id = wanted_room
         left join room_preference as preference
           on preference.person = wanted_by and preference.room = room.id
         left join sanction on sanction.room = room.id and sanction.person = wanted_by
           and (sanction.until is null or sanction.until > present)
         where state = 0
         and (access = 0
           or exists (select 1 from member where member.room = room.id and person = wanted_by))"
    )
}

/// The open room of each lookup; `None` for one that is hidden from the person.
pub(crate) async fn find_open_rooms(
    from: &mut impl Reader,
    lookups: &[RoomLookup],
) -> Result<Vec<Option<FoundRoom>>, Error> {
    let wanted = |lookup: &RoomLookup| (key(lookup.room), lookup.person, lookup.now.millis());
    let wanted: Vec<_> = lookups.iter().map(wanted).collect();
    let sql = open_rooms(from.connection().dialect());
    let rows = query(AssertSqlSafe(sql))
        .bind(serde_json::to_string(&wanted).map_err(Error::fault)?)
        .fetch_all(from.connection())
        .await?;
    rows_in_order(&rows, lookups.len())
}

/// How a room that is not open ended; `None` if it did not exist, or was hidden from the person.
pub(crate) async fn find_end(
    from: &mut impl Reader,
    id: RoomId,
    person: i64,
) -> Result<Option<RoomEnd>, Error> {
    let end: Option<i64> = query_as(END)
        .bind(key(id))
        .bind(person)
        .fetch_one(from.connection())
        .await?;
    Ok(end.map(room_end_from_row))
}
