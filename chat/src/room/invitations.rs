//! Invitations: links with which people become members of a room.
//!
//! # Guarantees
//! - A code cannot be guessed.
//! - An invitation works as often and as long as it says, also under concurrent use, and never
//!   after it is revoked.
//!
//! # Not here
//! - How often a client may try a code: the server.

use protocol::{Invitation, NewInvitation, Refusal, Role, Room, RoomId, Time};
use sqlx::sqlite::SqliteRow;
use sqlx::{FromRow, Row, SqliteConnection};

use crate::duration::parse_duration;
use crate::events::DomainEvent;
use crate::identity::person::Person;
use crate::room::{access, audit_log, members};
use crate::store::{key, role_from_row, room_id};
use crate::{Chat, Error};

/// How many valid invitations a room may have.
const MAX_INVITATIONS: i64 = 100;

const UNKNOWN: Refusal = Refusal::NotFound("such invitation, or no longer");

/// A row of the table `invitation`.
struct InvitationRow {
    room: RoomId,
    invitation: Invitation,
}

impl FromRow<'_, SqliteRow> for InvitationRow {
    fn from_row(row: &SqliteRow) -> sqlx::Result<Self> {
        let expires_at: Option<i64> = row.try_get("expires_at")?;
        let uses_left: Option<i64> = row.try_get("uses_left")?;
        Ok(Self {
            room: room_id(row.try_get("room")?),
            invitation: Invitation {
                code: row.try_get("code")?,
                role: role_from_row(row.try_get("role")?),
                expires_at: expires_at.map(Time::from_millis),
                uses_left: uses_left.map(i64::unsigned_abs),
            },
        })
    }
}

/// The valid invitation with this code.
async fn load_valid_invitation(
    connection: &mut SqliteConnection,
    code: &str,
    now: Time,
) -> Result<InvitationRow, Error> {
    let sql = "select invitation.* from invitation join room on room.id = invitation.room
               where code = $1 and coalesce(invitation.expires_at, $2 + 1) > $2
               and coalesce(uses_left, 1) > 0 and state = 0";
    let found = sqlx::query_as(sql)
        .bind(code)
        .bind(now.millis())
        .fetch_optional(connection)
        .await?;
    Ok(found.ok_or(UNKNOWN)?)
}

impl Chat {
    /// Creates an invitation to a room.
    ///
    /// # Errors
    /// The refusals of [`Chat::find_room`], [`Refusal::Forbidden`] if the caller is not a
    /// moderator, [`Refusal::Invalid`] if the wish breaks a rule, or a fault.
    pub async fn create_invitation(
        &self,
        by: &Person,
        room: &RoomId,
        wish: &NewInvitation,
    ) -> Result<Invitation, Error> {
        let mut tx = self.begin_action(by, room, Role::Moderator).await?.tx;
        let now = self.0.clock.now();
        let invitation = check_invitation(wish, now)?;
        delete_invalid_invitations(&mut tx, *room, now).await?;
        let uses_left = invitation.uses_left;
        let sql = "insert into invitation (code, room, role, created_at, expires_at, uses_left)
                   values ($1, $2, $3, $4, $5, $6)";
        sqlx::query(sql)
            .bind(&invitation.code)
            .bind(key(*room))
            .bind(invitation.role as i64)
            .bind(now.millis())
            .bind(invitation.expires_at.map(Time::millis))
            .bind(uses_left.map(|uses| i64::try_from(uses).unwrap_or(i64::MAX)))
            .execute(&mut *tx)
            .await?;
        audit_log::record(&mut tx, now, *room, by, "invited", invitation.role.name()).await?;
        tx.commit().await?;
        Ok(invitation)
    }

    /// Lists the valid invitations to a room, the latest first.
    ///
    /// # Errors
    /// The refusals of [`Chat::find_room`], [`Refusal::Forbidden`] if the caller is not a
    /// moderator, or a fault.
    pub async fn list_invitations(
        &self,
        by: &Person,
        room: &RoomId,
    ) -> Result<Vec<Invitation>, Error> {
        let now = self.0.clock.now();
        access::find(&self.0.store, &self.0.clock, by, *room)
            .await?
            .require_role(Role::Moderator)?;
        let sql = "select * from invitation where room = $1 and coalesce(expires_at, $2 + 1) > $2
                   and coalesce(uses_left, 1) > 0 order by created_at desc, code";
        let rows: Vec<InvitationRow> = sqlx::query_as(sql)
            .bind(key(*room))
            .bind(now.millis())
            .fetch_all(self.0.store.read())
            .await?;
        Ok(rows.into_iter().map(|row| row.invitation).collect())
    }

    /// Revokes an invitation.
    ///
    /// # Errors
    /// The refusals of [`Chat::find_room`], [`Refusal::Forbidden`] if the caller is not a
    /// moderator, [`Refusal::NotFound`] if the room has no such invitation, or a fault.
    pub async fn revoke_invitation(
        &self,
        by: &Person,
        room: &RoomId,
        code: &str,
    ) -> Result<(), Error> {
        let mut tx = self.begin_action(by, room, Role::Moderator).await?.tx;
        let sql = "delete from invitation where room = $1 and code = $2";
        let deleted = sqlx::query(sql)
            .bind(key(*room))
            .bind(code)
            .execute(&mut *tx)
            .await?;
        if deleted.rows_affected() == 0 {
            return Err(UNKNOWN.into());
        }
        let now = self.0.clock.now();
        audit_log::record(&mut tx, now, *room, by, "took back an invitation", "").await?;
        tx.commit().await?;
        Ok(())
    }

    /// An invitation, and the name of its room if that room has a name.
    ///
    /// # Errors
    /// [`Refusal::NotFound`] if there is no such valid invitation, or a fault.
    pub async fn find_invitation(&self, code: &str) -> Result<(Invitation, Option<String>), Error> {
        let mut connection = self.0.store.read().acquire().await?;
        let found = load_valid_invitation(&mut connection, code, self.0.clock.now()).await?;
        let name = sqlx::query_scalar("select name from room where id = $1")
            .bind(key(found.room))
            .fetch_one(&mut *connection)
            .await?;
        Ok((found.invitation, name))
    }

    /// Makes the caller a member of the room of an invitation. A member with a role that is not
    /// lesser keeps it, and the invitation loses no use.
    ///
    /// # Errors
    /// [`Refusal::NotFound`] if there is no such valid invitation, [`Refusal::NotSignedIn`] if the
    /// caller is anonymous, [`Refusal::Forbidden`] if the caller is banned, or a fault.
    pub async fn accept_invitation(&self, by: &Person, code: &str) -> Result<Room, Error> {
        let mut tx = self.0.store.begin().await?;
        let now = self.0.clock.now();
        let InvitationRow { room, invitation } = load_valid_invitation(&mut tx, code, now).await?;
        if *by == Person::Anonymous {
            return Err(Refusal::NotSignedIn.into());
        }
        let role = members::load_role(&mut tx, room, by.id()).await?;
        if role.is_none_or(|role| role < invitation.role) {
            members::add_member(&mut tx, now, room, by.id(), invitation.role).await?;
            let sql = "update invitation set uses_left = uses_left - 1 where code = $1";
            sqlx::query(sql).bind(code).execute(&mut *tx).await?;
        }
        // For a banned caller this fails, and the transaction is rolled back.
        let found = access::find_in(&mut tx, now, by, room).await?;
        self.commit(tx, [DomainEvent::PersonChanged { person: by.id() }])
            .await?;
        Ok(found.room)
    }
}

/// Checks the wish for an invitation against the rules, and gives it a random code.
fn check_invitation(wish: &NewInvitation, now: Time) -> Result<Invitation, Error> {
    let role = match wish.role.unwrap_or(Role::Member) {
        role @ (Role::Reader | Role::Member) => role,
        _ => return Err(Refusal::invalid("role", "must be reader or member").into()),
    };
    let timeout = wish
        .timeout
        .as_deref()
        .map(|text| parse_duration(text.trim()))
        .transpose()
        .map_err(|error| Refusal::invalid("timeout", format!("{error}; write it like 2days")))?;
    if wish.uses == Some(0) {
        return Err(Refusal::invalid("uses", "must be at least 1").into());
    }
    let code = format!("{:016x}{:016x}", getrandom::u64()?, getrandom::u64()?);
    Ok(Invitation {
        code,
        role,
        expires_at: timeout.map(|timeout| now.after(timeout)),
        uses_left: wish.uses,
    })
}

/// Deletes the invitations to a room that are no longer valid. Fails if the room has the maximum
/// number of valid ones.
async fn delete_invalid_invitations(
    tx: &mut SqliteConnection,
    room: RoomId,
    now: Time,
) -> Result<(), Error> {
    let sql = "delete from invitation where room = $1 and (expires_at <= $2 or uses_left <= 0)";
    sqlx::query(sql)
        .bind(key(room))
        .bind(now.millis())
        .execute(&mut *tx)
        .await?;
    let count: i64 = sqlx::query_scalar("select count(*) from invitation where room = $1")
        .bind(key(room))
        .fetch_one(tx)
        .await?;
    if count < MAX_INVITATIONS {
        Ok(())
    } else {
        Err(Refusal::Forbidden("Take another invitation back first.").into())
    }
}
