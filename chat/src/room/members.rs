//! Members: who belongs to a room, and what they may do there.
//!
//! Promises: whoever acts has the role for it in the moment of acting, because it is asked in the same transaction; a room
//! has one owner at most; who no longer belongs to a room that only members may know of hears nothing more of it.

use std::collections::{BTreeMap, BTreeSet};

use protocol::{Refusal, Role, RoomId, RoomMember, Time};
use sqlx::SqliteConnection;

use crate::identity::person::{Person, guest_name, person_of};
use crate::room::{access, audit_log};
use crate::store::{key, role_of};
use crate::{Chat, Error};

/// Adds somebody to a room, or changes what they are in it.
pub(crate) async fn add(
    tx: &mut SqliteConnection,
    now: Time,
    room: RoomId,
    person: i64,
    role: Role,
) -> Result<(), Error> {
    let sql =
        "insert into member (room, person, role, joined_at, read_seq) values ($1, $2, $3, $4, 0)
               on conflict (room, person) do update set role = excluded.role";
    sqlx::query(sql)
        .bind(key(room))
        .bind(person)
        .bind(role as i64)
        .bind(now.millis())
        .execute(tx)
        .await?;
    Ok(())
}

/// What somebody is in a room, if anything.
pub(crate) async fn role_in(
    connection: &mut SqliteConnection,
    room: RoomId,
    person: i64,
) -> Result<Option<Role>, Error> {
    let role = sqlx::query_scalar("select role from member where room = $1 and person = $2");
    let role: Option<i64> = role
        .bind(key(room))
        .bind(person)
        .fetch_optional(connection)
        .await?;
    Ok(role.map(role_of))
}

impl Chat {
    /// Who belongs to a room, the greatest role first. Of a room that is open to everybody only its moderators learn it.
    ///
    /// # Errors
    /// The refusals of [`Chat::room`], [`Refusal::Forbidden`], or a fault.
    pub async fn members(&self, by: &Person, room: &RoomId) -> Result<Vec<RoomMember>, Error> {
        let found = access::find(&self.0.store, &self.0.clock, by, *room).await?;
        if !found.room.private {
            found.ask(Role::Moderator)?;
        }
        let sql = "select member.person, coalesce(account.username, name_claim.name), role, joined_at from member
                   left join account on account.id = member.person
                   left join name_claim on name_claim.room = member.room and name_claim.person = member.person
                   where member.room = $1 order by role desc, joined_at, member.person limit 10000";
        let rows: Vec<(i64, Option<String>, i64, i64)> = sqlx::query_as(sql)
            .bind(key(*room))
            .fetch_all(self.0.store.read())
            .await?;
        let member =
            |(person, username, role, since): (i64, Option<String>, i64, i64)| RoomMember {
                id: match &username {
                    Some(username) if person > 0 => username.clone(),
                    _ => guest_name(person),
                },
                username,
                role: role_of(role),
                since: Time::from_millis(since),
            };
        Ok(rows.into_iter().map(member).collect())
    }

    /// Under which names guests write in a room, by the IDs they are known by there; whoever has not written has none.
    ///
    /// # Errors
    /// The refusals of [`Chat::room`], [`Refusal::Forbidden`] for all but moderators, or a fault.
    pub async fn names(
        &self,
        by: &Person,
        room: &RoomId,
        ids: BTreeSet<String>,
    ) -> Result<BTreeMap<String, String>, Error> {
        access::find(&self.0.store, &self.0.clock, by, *room)
            .await?
            .ask(Role::Moderator)?;
        let mut connection = self.0.store.read().acquire().await?;
        let mut names = BTreeMap::new();
        for id in ids.into_iter().filter(|id| id.starts_with('~')) {
            let Ok(person) = person_of(&mut connection, &id).await else {
                continue;
            };
            let name =
                sqlx::query_scalar("select name from name_claim where room = $1 and person = $2");
            let name: Option<String> = name
                .bind(key(*room))
                .bind(person)
                .fetch_optional(&mut *connection)
                .await?;
            names.extend(name.map(|name| (id, name)));
        }
        Ok(names)
    }

    /// Gives somebody who belongs to a room another role. Who makes another one the owner becomes a moderator.
    ///
    /// # Errors
    /// The refusals of [`Chat::room`], [`Refusal::Forbidden`] for all but the owner, [`Refusal::NotFound`] if nobody of
    /// that ID belongs to it, or a fault.
    pub async fn set_role(
        &self,
        by: &Person,
        room: &RoomId,
        who: &str,
        role: Role,
    ) -> Result<(), Error> {
        let (mut tx, _) = self.act(by, room, Role::Owner).await?;
        let (person, now) = (person_of(&mut tx, who).await?, self.0.clock.now());
        match role_in(&mut tx, *room, person).await? {
            None => return Err(Refusal::NotFound("such member").into()),
            Some(Role::Owner) if role != Role::Owner => {
                return Err(Refusal::Forbidden(
                    "A room has an owner; make somebody else the owner instead.",
                )
                .into());
            }
            Some(_) => {}
        }
        if role == Role::Owner {
            let sql = "update member set role = $2 where room = $1 and role = $3";
            let step_down = sqlx::query(sql)
                .bind(key(*room))
                .bind(Role::Moderator as i64)
                .bind(Role::Owner as i64);
            step_down.execute(&mut *tx).await?;
        }
        add(&mut tx, now, *room, person, role).await?;
        audit_log::note(
            &mut tx,
            now,
            *room,
            by,
            &format!("made {}", role.name()),
            who,
        )
        .await?;
        let room = *room;
        self.commit(tx, move |inner| inner.hub.ring(room)).await
    }

    /// Removes somebody from a room: a moderator those with a lesser role, and each themselves.
    ///
    /// # Errors
    /// The refusals of [`Chat::room`], [`Refusal::Forbidden`], [`Refusal::NotFound`] if nobody of that ID belongs to it, or
    /// a fault.
    pub async fn remove_member(&self, by: &Person, room: &RoomId, who: &str) -> Result<(), Error> {
        let mut tx = self.0.store.begin().await?;
        let now = self.0.clock.now();
        let stored = access::find_in(&mut tx, now, by, *room).await?;
        if stored.direct {
            return Err(Refusal::Forbidden("Nobody leaves a conversation of two.").into());
        }
        let person = person_of(&mut tx, who).await?;
        let role = role_in(&mut tx, *room, person).await?;
        if person != by.id() {
            stored.ask(Role::Moderator)?;
            outranks(stored.room.role, role)?;
        }
        role.ok_or(Refusal::NotFound("such member"))?;
        let sql = "delete from member where room = $1 and person = $2";
        sqlx::query(sql)
            .bind(key(*room))
            .bind(person)
            .execute(&mut *tx)
            .await?;
        let deed = if person == by.id() { "left" } else { "removed" };
        audit_log::note(&mut tx, now, *room, by, deed, who).await?;
        let room = *room;
        self.commit(tx, move |inner| inner.hub.look_again(room))
            .await
    }
}

/// Makes sure that who acts has a greater role than whom it concerns.
pub(crate) fn outranks(own: Option<Role>, other: Option<Role>) -> Result<(), Refusal> {
    if own > other {
        Ok(())
    } else {
        Err(Refusal::Forbidden(
            "That person has no lesser role than you.",
        ))
    }
}
