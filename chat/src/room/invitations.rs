//! Invitations: links by which people join a room.
//!
//! Promises: a code cannot be guessed; it works as often and as long as it says, also when many use it at once, and not
//! after it was taken back. Leaves to others: how often one may try a code.

use protocol::{Invitation, NewInvitation, Refusal, Role, Room, RoomId, Time};
use sqlx::sqlite::SqliteRow;
use sqlx::{FromRow, Row, SqliteConnection};

use crate::duration::parse_duration;
use crate::identity::person::Person;
use crate::room::{access, audit_log, members};
use crate::store::{key, role_of, room_id};
use crate::{Chat, Error};

/// The most invitations that a room has at once.
const KEPT: i64 = 100;

const UNKNOWN: Refusal = Refusal::NotFound("such invitation, or no longer");

/// An invitation as it is stored.
struct InvitationRow {
    room: RoomId,
    invitation: Invitation,
}

impl FromRow<'_, SqliteRow> for InvitationRow {
    fn from_row(row: &SqliteRow) -> sqlx::Result<Self> {
        let invitation = Invitation {
            code: row.try_get("code")?,
            role: role_of(row.try_get("role")?),
            expires_at: row
                .try_get::<Option<i64>, _>("expires_at")?
                .map(Time::from_millis),
            uses_left: row
                .try_get::<Option<i64>, _>("uses_left")?
                .map(i64::unsigned_abs),
        };
        Ok(Self {
            room: room_id(row.try_get("room")?),
            invitation,
        })
    }
}

/// The invitation of this code, if it is still good.
async fn find(
    connection: &mut SqliteConnection,
    code: &str,
    now: Time,
) -> Result<InvitationRow, Error> {
    let sql = "select invitation.* from invitation join room on room.id = invitation.room
               where code = $1 and coalesce(invitation.expires_at, $2 + 1) > $2 and coalesce(uses_left, 1) > 0
               and state = 0";
    let found = sqlx::query_as(sql)
        .bind(code)
        .bind(now.millis())
        .fetch_optional(connection)
        .await?;
    Ok(found.ok_or(UNKNOWN)?)
}

impl Chat {
    /// Makes an invitation to a room.
    ///
    /// # Errors
    /// The refusals of [`Chat::room`], [`Refusal::Forbidden`] for all but moderators, [`Refusal::Invalid`] if the wish
    /// breaks a rule, or a fault.
    pub async fn invite(
        &self,
        by: &Person,
        room: &RoomId,
        wish: &NewInvitation,
    ) -> Result<Invitation, Error> {
        let (mut tx, _) = self.act(by, room, Role::Moderator).await?;
        let now = self.0.clock.now();
        let invitation = check(wish, now)?;
        clear(&mut tx, *room, now).await?;
        let sql = "insert into invitation (code, room, role, created_at, expires_at, uses_left)
                   values ($1, $2, $3, $4, $5, $6)";
        sqlx::query(sql)
            .bind(&invitation.code)
            .bind(key(*room))
            .bind(invitation.role as i64)
            .bind(now.millis())
            .bind(invitation.expires_at.map(Time::millis))
            .bind(
                invitation
                    .uses_left
                    .map(|uses| i64::try_from(uses).unwrap_or(i64::MAX)),
            )
            .execute(&mut *tx)
            .await?;
        audit_log::note(&mut tx, now, *room, by, "invited", invitation.role.name()).await?;
        tx.commit().await?;
        Ok(invitation)
    }

    /// The invitations to a room that are still good, the latest first.
    ///
    /// # Errors
    /// The refusals of [`Chat::room`], [`Refusal::Forbidden`] for all but moderators, or a fault.
    pub async fn invitations(&self, by: &Person, room: &RoomId) -> Result<Vec<Invitation>, Error> {
        let now = self.0.clock.now();
        access::find(&self.0.store, &self.0.clock, by, *room)
            .await?
            .ask(Role::Moderator)?;
        let sql = "select * from invitation where room = $1 and coalesce(expires_at, $2 + 1) > $2
                   and coalesce(uses_left, 1) > 0 order by created_at desc, code";
        let rows: Vec<InvitationRow> = sqlx::query_as(sql)
            .bind(key(*room))
            .bind(now.millis())
            .fetch_all(self.0.store.read())
            .await?;
        Ok(rows.into_iter().map(|stored| stored.invitation).collect())
    }

    /// Takes an invitation back.
    ///
    /// # Errors
    /// The refusals of [`Chat::room`], [`Refusal::Forbidden`] for all but moderators, [`Refusal::NotFound`] if there is no
    /// such invitation to this room, or a fault.
    pub async fn take_back(&self, by: &Person, room: &RoomId, code: &str) -> Result<(), Error> {
        let (mut tx, _) = self.act(by, room, Role::Moderator).await?;
        let sql = "delete from invitation where room = $1 and code = $2";
        let gone = sqlx::query(sql)
            .bind(key(*room))
            .bind(code)
            .execute(&mut *tx)
            .await?
            .rows_affected();
        if gone == 0 {
            return Err(UNKNOWN.into());
        }
        audit_log::note(
            &mut tx,
            self.0.clock.now(),
            *room,
            by,
            "took back an invitation",
            "",
        )
        .await?;
        tx.commit().await
    }

    /// What an invitation is good for: its role, and the name of the room if that has one.
    ///
    /// # Errors
    /// [`Refusal::NotFound`] if there is no such invitation, or no longer, or a fault.
    pub async fn invitation(&self, code: &str) -> Result<(Invitation, Option<String>), Error> {
        let mut connection = self.0.store.read().acquire().await?;
        let found = find(&mut connection, code, self.0.clock.now()).await?;
        let name = sqlx::query_scalar("select name from room where id = $1").bind(key(found.room));
        Ok((found.invitation, name.fetch_one(&mut *connection).await?))
    }

    /// Joins the room of an invitation. Whoever belongs to it with a greater role keeps that, and uses nothing up.
    ///
    /// # Errors
    /// [`Refusal::NotFound`] if there is no such invitation, or no longer, [`Refusal::NotSignedIn`] if nobody in particular
    /// wants to join, [`Refusal::Forbidden`] for the banned, or a fault.
    pub async fn accept(&self, by: &Person, code: &str) -> Result<Room, Error> {
        let mut tx = self.0.store.begin().await?;
        let now = self.0.clock.now();
        let InvitationRow { room, invitation } = find(&mut tx, code, now).await?;
        if *by == Person::Anyone {
            return Err(Refusal::NotSignedIn.into());
        }
        let joins = members::role_in(&mut tx, room, by.id())
            .await?
            .is_none_or(|role| role < invitation.role);
        if joins {
            members::add(&mut tx, now, room, by.id(), invitation.role).await?;
            let sql = "update invitation set uses_left = uses_left - 1 where code = $1";
            sqlx::query(sql).bind(code).execute(&mut *tx).await?;
        }
        // Also says whether they are banned, in which case nothing has happened.
        let found = access::find_in(&mut tx, now, by, room).await?;
        let person = by.id();
        self.commit(tx, move |inner| inner.hub.ring_person(person))
            .await?;
        Ok(found.room)
    }
}

fn check(wish: &NewInvitation, now: Time) -> Result<Invitation, Error> {
    let role = match wish.role.unwrap_or(Role::Member) {
        role @ (Role::Reader | Role::Member) => role,
        _ => return Err(Refusal::invalid("role", "must be reader or member").into()),
    };
    let lasts = wish
        .timeout
        .as_deref()
        .map(|text| parse_duration(text.trim()))
        .transpose();
    let lasts = lasts
        .map_err(|error| Refusal::invalid("timeout", format!("{error}; write it like 2days")))?;
    if wish.uses == Some(0) {
        return Err(Refusal::invalid("uses", "must be at least 1").into());
    }
    let code = format!("{:016x}{:016x}", getrandom::u64()?, getrandom::u64()?);
    Ok(Invitation {
        code,
        role,
        expires_at: lasts.map(|lasts| now.after(lasts)),
        uses_left: wish.uses,
    })
}

/// Forgets the invitations to a room that are good no longer, and makes room for one more.
async fn clear(tx: &mut SqliteConnection, room: RoomId, now: Time) -> Result<(), Error> {
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
    if count < KEPT {
        Ok(())
    } else {
        Err(Refusal::Forbidden("Take another invitation back first.").into())
    }
}
