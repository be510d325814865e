//! The members of a room and their roles.
//!
//! # Guarantees
//! - A room has at most one owner.
//! - A person who is no longer a member of a private room receives nothing more of it.

use std::collections::{BTreeMap, BTreeSet};

use protocol::{Refusal, Role, RoomId, RoomMember, Time};
use sqlx::SqliteConnection;

use crate::events::DomainEvent;
use crate::identity::person::{Person, find_person_by_public_id, guest_public_id};
use crate::room::{access, audit_log};
use crate::store::{key, role_from_row};
use crate::{Chat, Error};

/// Adds a member to a room, or changes the role of a member.
pub(crate) async fn add_member(
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

/// The role of a person in a room; `None` if the person is not a member.
pub(crate) async fn load_role(
    connection: &mut SqliteConnection,
    room: RoomId,
    person: i64,
) -> Result<Option<Role>, Error> {
    let sql = "select role from member where room = $1 and person = $2";
    let role: Option<i64> = sqlx::query_scalar(sql)
        .bind(key(room))
        .bind(person)
        .fetch_optional(connection)
        .await?;
    Ok(role.map(role_from_row))
}

/// Checks that the role of the caller is greater than that of the other person.
pub(crate) fn require_greater_role(own: Option<Role>, other: Option<Role>) -> Result<(), Refusal> {
    if own > other {
        Ok(())
    } else {
        Err(Refusal::Forbidden(
            "That person has no lesser role than you.",
        ))
    }
}

/// A row of the list of members: person, name, role, and the time of joining.
type MemberRow = (i64, Option<String>, i64, i64);

fn member_from_row((person, username, role, joined_at): MemberRow) -> RoomMember {
    RoomMember {
        id: match &username {
            Some(username) if person > 0 => username.clone(),
            _ => guest_public_id(person),
        },
        username,
        role: role_from_row(role),
        since: Time::from_millis(joined_at),
    }
}

/// The name that a guest writes under in a room, if the guest has written there.
async fn load_claimed_name(
    connection: &mut SqliteConnection,
    room: RoomId,
    person: i64,
) -> Result<Option<String>, Error> {
    let sql = "select name from name_claim where room = $1 and person = $2";
    Ok(sqlx::query_scalar(sql)
        .bind(key(room))
        .bind(person)
        .fetch_optional(connection)
        .await?)
}

impl Chat {
    /// Lists the members of a room, the greatest role first. In a room that is open to everyone
    /// only moderators may list them.
    ///
    /// # Errors
    /// The refusals of [`Chat::find_room`], [`Refusal::Forbidden`], or a fault.
    pub async fn list_members(&self, by: &Person, room: &RoomId) -> Result<Vec<RoomMember>, Error> {
        let found = access::find(&self.0.store, &self.0.clock, by, *room).await?;
        if !found.room.private {
            found.require_role(Role::Moderator)?;
        }
        let sql = "select member.person, coalesce(account.username, name_claim.name), role, joined_at
                   from member left join account on account.id = member.person
                   left join name_claim on name_claim.room = member.room and name_claim.person = member.person
                   where member.room = $1 order by role desc, joined_at, member.person limit 10000";
        let rows: Vec<MemberRow> = sqlx::query_as(sql)
            .bind(key(*room))
            .fetch_all(self.0.store.read())
            .await?;
        Ok(rows.into_iter().map(member_from_row).collect())
    }

    /// The names that guests write under in a room, by their public IDs. A guest who has not
    /// written has no name.
    ///
    /// # Errors
    /// The refusals of [`Chat::find_room`], [`Refusal::Forbidden`] if the caller is not a
    /// moderator, or a fault.
    pub async fn list_guest_names(
        &self,
        by: &Person,
        room: &RoomId,
        ids: BTreeSet<String>,
    ) -> Result<BTreeMap<String, String>, Error> {
        access::find(&self.0.store, &self.0.clock, by, *room)
            .await?
            .require_role(Role::Moderator)?;
        let mut connection = self.0.store.read().acquire().await?;
        let mut names = BTreeMap::new();
        for id in ids.into_iter().filter(|id| id.starts_with('~')) {
            let Ok(person) = find_person_by_public_id(&mut connection, &id).await else {
                continue;
            };
            let name = load_claimed_name(&mut connection, *room, person).await?;
            names.extend(name.map(|name| (id, name)));
        }
        Ok(names)
    }

    /// Changes the role of a member. An owner who makes another member the owner becomes a
    /// moderator.
    ///
    /// # Errors
    /// The refusals of [`Chat::find_room`], [`Refusal::Forbidden`] if the caller is not the owner,
    /// [`Refusal::NotFound`] if there is no such member, or a fault.
    pub async fn set_member_role(
        &self,
        by: &Person,
        room: &RoomId,
        id: &str,
        role: Role,
    ) -> Result<(), Error> {
        let mut tx = self.begin_action(by, room, Role::Owner).await?.tx;
        let person = find_person_by_public_id(&mut tx, id).await?;
        let now = self.0.clock.now();
        match load_role(&mut tx, *room, person).await? {
            None => return Err(Refusal::NotFound("such member").into()),
            Some(Role::Owner) if role != Role::Owner => {
                let reason = "A room has an owner; make another member the owner instead.";
                return Err(Refusal::Forbidden(reason).into());
            }
            Some(_) => {}
        }
        if role == Role::Owner {
            let sql = "update member set role = $2 where room = $1 and role = $3";
            sqlx::query(sql)
                .bind(key(*room))
                .bind(Role::Moderator as i64)
                .bind(Role::Owner as i64)
                .execute(&mut *tx)
                .await?;
        }
        add_member(&mut tx, now, *room, person, role).await?;
        let action = format!("made {}", role.name());
        audit_log::record(&mut tx, now, *room, by, &action, id).await?;
        self.commit(tx, [DomainEvent::RoomChanged { room: *room }])
            .await
    }

    /// Removes a member from a room. Moderators remove members with a lesser role, and every member
    /// may leave.
    ///
    /// # Errors
    /// The refusals of [`Chat::find_room`], [`Refusal::Forbidden`], [`Refusal::NotFound`] if there
    /// is no such member, or a fault.
    pub async fn remove_member(&self, by: &Person, room: &RoomId, id: &str) -> Result<(), Error> {
        let mut tx = self.0.store.begin().await?;
        let found = access::find_in(&mut tx, self.0.clock.now(), by, *room).await?;
        if found.direct {
            return Err(Refusal::Forbidden("Nobody can leave a direct chat.").into());
        }
        let person = find_person_by_public_id(&mut tx, id).await?;
        let role = load_role(&mut tx, *room, person).await?;
        let leaves = person == by.id();
        if !leaves {
            found.require_role(Role::Moderator)?;
            require_greater_role(found.room.role, role)?;
        }
        role.ok_or(Refusal::NotFound("such member"))?;
        let sql = "delete from member where room = $1 and person = $2";
        sqlx::query(sql)
            .bind(key(*room))
            .bind(person)
            .execute(&mut *tx)
            .await?;
        let action = if leaves { "left" } else { "removed" };
        audit_log::record(&mut tx, self.0.clock.now(), *room, by, action, id).await?;
        self.commit(tx, [DomainEvent::AccessChanged { room: *room }])
            .await
    }
}
