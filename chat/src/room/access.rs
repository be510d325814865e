//! Access: whether a caller may know of a room, and the role of the caller in it.
//!
//! # Guarantees
//! - The query that finds a room checks the membership of the caller, so a missing check finds
//!   nothing.
//! - A room that is hidden from the caller answers like a room that does not exist.

use protocol::{Refusal, Role, RoomId, Time};
use sqlx::sqlite::SqliteRow;
use sqlx::{FromRow, Row, SqliteConnection};

use crate::identity::person::Person;
use crate::store::{ROOM_COLUMNS, RoomRow, Store, WriteTransaction, key, role_from_row};
use crate::{Chat, Clock, Error};

/// The refusal for a banned caller.
pub(crate) const BANNED: Refusal = Refusal::Forbidden("You are banned from this room.");

/// The open room with this ID, with the role of the caller.
pub(crate) async fn find(
    store: &Store,
    clock: &Clock,
    by: &Person,
    id: RoomId,
) -> Result<RoomRow, Error> {
    let mut connection = store.read().acquire().await?;
    find_in(&mut connection, clock.now(), by, id).await
}

/// Does the same as [`find`] on a connection, such as that of a transaction.
pub(crate) async fn find_in(
    connection: &mut SqliteConnection,
    now: Time,
    by: &Person,
    id: RoomId,
) -> Result<RoomRow, Error> {
    let sql = sqlx::AssertSqlSafe(format!(
        "select {ROOM_COLUMNS},
           (select role from member where room = $1 and person = $2) as role,
           exists (select 1 from sanction where room = $1 and person = $2 and kind = 1
                   and coalesce(until, $3 + 1) > $3) as banned
         from room where id = $1 and state = 0
         and (access = 0 or exists (select 1 from member where room = $1 and person = $2))"
    ));
    let found: Option<SqliteRow> = sqlx::query(sql)
        .bind(key(id))
        .bind(by.id())
        .bind(now.millis())
        .fetch_optional(&mut *connection)
        .await?;
    let Some(row) = found else {
        return Err(missing_room_refusal(connection, id).await?.into());
    };
    if row.try_get("banned")? {
        return Err(BANNED.into());
    }
    let mut found = RoomRow::from_row(&row)?;
    found.room.role = role_of_caller(&row, by)?;
    Ok(found)
}

/// The role of the caller. An operator acts as the owner of every room that is open to everyone.
fn role_of_caller(row: &SqliteRow, by: &Person) -> sqlx::Result<Option<Role>> {
    let is_open = row.try_get::<i64, _>("access")? == 0;
    if is_open && by.account().is_some_and(|account| account.operator) {
        return Ok(Some(Role::Owner));
    }
    let role: Option<i64> = row.try_get("role")?;
    Ok(role.map(role_from_row))
}

/// The refusal for a room that was not found: the room has ended, never existed, or is hidden from
/// the caller.
async fn missing_room_refusal(
    connection: &mut SqliteConnection,
    id: RoomId,
) -> Result<Refusal, Error> {
    let sql = "select exists (select 1 from room_tombstone where room = $1)
                 or exists (select 1 from room where id = $1 and state <> 0)";
    let has_ended: bool = sqlx::query_scalar(sql)
        .bind(key(id))
        .fetch_one(connection)
        .await?;
    Ok(if has_ended {
        Refusal::Gone
    } else {
        Refusal::NotFound("room")
    })
}

impl RoomRow {
    /// Checks that the caller has at least this role.
    pub fn require_role(&self, least: Role) -> Result<(), Refusal> {
        match self.room.role {
            Some(role) if role >= least => Ok(()),
            _ if least == Role::Owner => Err(Refusal::Forbidden(
                "Only the owner of this room may do that.",
            )),
            _ => Err(Refusal::Forbidden(
                "Only moderators of this room may do that.",
            )),
        }
    }
}

/// A transaction that acts on a room for a caller who has the role for it.
pub(crate) struct RoomAction {
    pub tx: WriteTransaction,
    pub found: RoomRow,
}

impl Chat {
    /// Begins a transaction on a room for a caller who must have at least this role.
    pub(crate) async fn begin_action(
        &self,
        by: &Person,
        room: &RoomId,
        least: Role,
    ) -> Result<RoomAction, Error> {
        let mut tx = self.0.store.begin().await?;
        let found = find_in(&mut tx, self.0.clock.now(), by, *room).await?;
        found.require_role(least)?;
        Ok(RoomAction { tx, found })
    }
}
