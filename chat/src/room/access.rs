//! Access: whether a person may know of a room, and which role they have in it.

use protocol::{Refusal, Role, RoomId, Time};
use sqlx::sqlite::SqliteRow;
use sqlx::{FromRow, Row, SqliteConnection};

use crate::identity::person::Person;
use crate::store::rows::{ROOM_COLUMNS, RoomRow, key, role_of};
use crate::store::{Store, Tx};
use crate::{Chat, Clock, Error};

/// The open room with this ID, if `by` may know of it.
pub(crate) async fn find(
    store: &Store,
    clock: &Clock,
    by: &Person,
    id: RoomId,
) -> Result<RoomRow, Error> {
    let mut connection = store.read().acquire().await?;
    find_in(&mut connection, clock.now(), by, id).await
}

/// The same, in a transaction that is going to act on it.
pub(crate) async fn find_in(
    connection: &mut SqliteConnection,
    now: Time,
    by: &Person,
    id: RoomId,
) -> Result<RoomRow, Error> {
    let sql = sqlx::AssertSqlSafe(format!(
        "select {ROOM_COLUMNS}, (select role from member where room = $1 and person = $2) as role,
           exists (select 1 from sanction where room = $1 and person = $2 and kind = 1 and coalesce(until, $3 + 1) > $3)
             as banned
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
        return Err(missing(connection, id).await?.into());
    };
    if row.try_get("banned")? {
        return Err(BANNED.into());
    }
    let mut stored = RoomRow::from_row(&row)?;
    let role: Option<i64> = row.try_get("role")?;
    // An operator keeps order wherever everybody may come.
    let operator =
        row.try_get::<i64, _>("access")? == 0 && by.member().is_some_and(|member| member.operator);
    stored.room.role = if operator {
        Some(Role::Owner)
    } else {
        role.map(role_of)
    };
    Ok(stored)
}

/// What whoever is banned is told, to read or to write.
pub(crate) const BANNED: Refusal = Refusal::Forbidden("You are banned from this room.");

impl RoomRow {
    /// Makes sure that whoever asks has this role or a greater one.
    pub fn ask(&self, least: Role) -> Result<(), Refusal> {
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

/// Why there is no open room with this ID: it never was, or it is gone.
async fn missing(executor: &mut SqliteConnection, id: RoomId) -> Result<Refusal, Error> {
    // One that is open and yet not found is hidden from who asks.
    let sql = "select exists (select 1 from room_tombstone where room = $1)
                 or exists (select 1 from room where id = $1 and state <> 0)";
    let was: bool = sqlx::query_scalar(sql)
        .bind(key(id))
        .fetch_one(executor)
        .await?;
    Ok(if was {
        Refusal::Gone
    } else {
        Refusal::NotFound("room")
    })
}

impl Chat {
    /// Begins to act on a room as somebody who must have a role there, or a greater one.
    pub(crate) async fn act(
        &self,
        by: &Person,
        room: &RoomId,
        least: Role,
    ) -> Result<(Tx, RoomRow), Error> {
        let mut tx = self.0.store.begin().await?;
        let stored = find_in(&mut tx, self.0.clock.now(), by, *room).await?;
        stored.ask(least)?;
        Ok((tx, stored))
    }
}
