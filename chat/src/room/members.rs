//! The members of a room and their roles.
//!
//! # Guarantees
//! - A room has at most one owner.
//! - A person who is no longer a member of a private room receives nothing more of it.

use std::collections::{BTreeMap, BTreeSet};

use protocol::{Refusal, Role, RoomId, RoomMember};

use crate::events::DomainEvent;
use crate::identity::person::{
    Person, find_person_by_public_id, guest_public_id, parse_guest_public_id,
};
use crate::room::{access, audit_log};
use crate::store::{MemberRow, members, name_claims};
use crate::{Chat, Error};

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

impl From<MemberRow> for RoomMember {
    fn from(row: MemberRow) -> Self {
        Self {
            id: match &row.name {
                Some(username) if row.person > 0 => username.clone(),
                _ => guest_public_id(row.person),
            },
            username: row.name,
            role: row.role,
            since: row.joined_at,
        }
    }
}

impl Chat {
    /// Lists the members of a room, the greatest role first. In a room that is open to everyone
    /// only moderators may list them.
    ///
    /// # Errors
    /// The refusals of [`Chat::find_room`], [`Refusal::Forbidden`], or a fault.
    pub async fn list_members(&self, by: &Person, room: &RoomId) -> Result<Vec<RoomMember>, Error> {
        let found = self.load_room_row(by, *room).await?;
        if !found.room.private {
            found.require_role(Role::Moderator)?;
        }
        let rows = members::list_members(&self.0.store, *room).await?;
        Ok(rows.into_iter().map(RoomMember::from).collect())
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
        self.load_room_row(by, *room)
            .await?
            .require_role(Role::Moderator)?;
        let guests: Vec<i64> = ids
            .iter()
            .filter_map(|id| parse_guest_public_id(id))
            .collect();
        let names = name_claims::load_claimed_names(&self.0.store, *room, &guests).await?;
        let by_id = |(person, name)| (guest_public_id(person), name);
        Ok(names.into_iter().map(by_id).collect())
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
        match members::load_role(&mut tx, *room, person).await? {
            None => return Err(Refusal::NotFound("such member").into()),
            Some(Role::Owner) if role != Role::Owner => {
                let reason = "A room has an owner; make another member the owner instead.";
                return Err(Refusal::Forbidden(reason).into());
            }
            Some(_) => {}
        }
        if role == Role::Owner {
            members::replace_role(&mut tx, *room, Role::Owner, Role::Moderator).await?;
        }
        members::add_member(&mut tx, now, *room, person, role).await?;
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
        let role = members::load_role(&mut tx, *room, person).await?;
        let leaves = person == by.id();
        if !leaves {
            found.require_role(Role::Moderator)?;
            require_greater_role(found.room.role, role)?;
        }
        role.ok_or(Refusal::NotFound("such member"))?;
        members::delete_member(&mut tx, *room, person).await?;
        let action = if leaves { "left" } else { "removed" };
        audit_log::record(&mut tx, self.0.clock.now(), *room, by, action, id).await?;
        self.commit(tx, [DomainEvent::AccessChanged { room: *room }])
            .await
    }
}
