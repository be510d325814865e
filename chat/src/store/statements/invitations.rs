//! The invitations to rooms. `expires_at` and `uses_left` are null where there is no such end.

use protocol::{Invitation, RoomId, Time};

use crate::Error;
use crate::store::rows::{InvitationRow, key, role_from_row, room_id};
use crate::store::sql::{FromRow, Row, query, query_as};
use crate::store::{Reader, Store, WriteTransaction};

impl FromRow for InvitationRow {
    fn from_row(row: &Row) -> sqlx::Result<Self> {
        let expires_at: Option<i64> = row.try_get("expires_at")?;
        let uses_left: Option<i64> = row.try_get("uses_left")?;
        Ok(Self {
            room: room_id(row.try_get("room")?),
            room_name: row.try_get("room_name")?,
            invitation: Invitation {
                code: row.try_get("code")?,
                role: role_from_row(row.try_get("role")?),
                expires_at: expires_at.map(Time::from_millis),
                uses_left: uses_left.map(i64::unsigned_abs),
            },
        })
    }
}

/// The valid invitation with this code to an open room.
pub(crate) async fn find_valid_invitation(
    from: &mut impl Reader,
    code: &str,
    now: Time,
) -> Result<Option<InvitationRow>, Error> {
    let sql = "select code, room, role, invitation.expires_at, uses_left, room.name as room_name
               from invitation join room on room.id = invitation.room
               where code = $1 and (invitation.expires_at is null or invitation.expires_at > $2)
               and (uses_left is null or uses_left > 0) and state = 0";
    Ok(query_as(sql)
        .bind(code)
        .bind(now.millis())
        .fetch_optional(from.connection())
        .await?)
}

/// The valid invitations to a room, the latest first.
pub(crate) async fn list_valid_invitations(
    store: &Store,
    room: RoomId,
    now: Time,
) -> Result<Vec<Invitation>, Error> {
    let sql = "select code, room, role, expires_at, uses_left, null as room_name from invitation
               where room = $1 and (expires_at is null or expires_at > $2)
               and (uses_left is null or uses_left > 0) order by created_at desc, code";
    let rows: Vec<InvitationRow> = query_as(sql)
        .bind(key(room))
        .bind(now.millis())
        .fetch_all(store.read())
        .await?;
    Ok(rows.into_iter().map(|row| row.invitation).collect())
}

/// The number of invitations to a room, valid or not.
pub(crate) async fn count_invitations(from: &mut impl Reader, room: RoomId) -> Result<u64, Error> {
    let count: i64 = query_as("select count(*) from invitation where room = $1")
        .bind(key(room))
        .fetch_one(from.connection())
        .await?;
    Ok(count.unsigned_abs())
}

/// Inserts an invitation to a room.
pub(crate) async fn insert_invitation(
    tx: &mut WriteTransaction,
    room: RoomId,
    invitation: &Invitation,
    now: Time,
) -> Result<(), Error> {
    let uses_left = invitation.uses_left;
    let sql = "insert into invitation (code, room, role, created_at, expires_at, uses_left)
               values ($1, $2, $3, $4, $5, $6)";
    query(sql)
        .bind(&invitation.code)
        .bind(key(room))
        .bind(invitation.role as i64)
        .bind(now.millis())
        .bind(invitation.expires_at.map(Time::millis))
        .bind(uses_left.map(|uses| i64::try_from(uses).unwrap_or(i64::MAX)))
        .execute(tx.connection())
        .await?;
    Ok(())
}

/// Takes one use from an invitation that has a limited number of them.
pub(crate) async fn take_use(tx: &mut WriteTransaction, code: &str) -> Result<(), Error> {
    query("update invitation set uses_left = uses_left - 1 where code = $1")
        .bind(code)
        .execute(tx.connection())
        .await?;
    Ok(())
}

/// Deletes an invitation to a room. Returns `false` if there is none with this code.
pub(crate) async fn delete_invitation(
    tx: &mut WriteTransaction,
    room: RoomId,
    code: &str,
) -> Result<bool, Error> {
    let deleted = query("delete from invitation where room = $1 and code = $2")
        .bind(key(room))
        .bind(code)
        .execute(tx.connection())
        .await?;
    Ok(deleted > 0)
}

/// Deletes the invitations to a room that have ended or have no use left.
pub(crate) async fn delete_ended_invitations(
    tx: &mut WriteTransaction,
    room: RoomId,
    now: Time,
) -> Result<(), Error> {
    query("delete from invitation where room = $1 and (expires_at <= $2 or uses_left <= 0)")
        .bind(key(room))
        .bind(now.millis())
        .execute(tx.connection())
        .await?;
    Ok(())
}
