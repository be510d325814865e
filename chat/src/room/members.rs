//! The members of a room and their roles.
//!
//! # Guarantees
//! - A room has at most one owner.
//! - A person who is no longer a member of a private room receives nothing more of it.

use std::collections::{BTreeMap, BTreeSet};

use protocol::{Refusal, Role, RoomId, RoomMember};
use texts::refusal;

use crate::events::DomainEvent;
use crate::identity::caller_transaction::CallerTransaction;
use crate::identity::person::{
    Person, find_person_by_public_id, guest_public_id, load_public_id, parse_guest_public_id,
};
use crate::room::access::{self, Rank, RoomAction};
use crate::room::audit_log;
use crate::store::{
    Listing, MemberRow, RoomRow, WriteTransaction, members, name_claims, room_preferences,
};
use crate::{Chat, Error};

/// Checks that the caller owns the room or outranks its owner, who becomes a moderator when another
/// member becomes the owner.
async fn require_rank_over_owner(
    tx: &mut WriteTransaction,
    by: &Person,
    found: &RoomRow,
) -> Result<(), Error> {
    let Some(owner) = members::find_owner(tx, found.room.id).await? else {
        return Ok(());
    };
    if owner != by.id() {
        let standing = access::load_standing(tx, found, owner).await?;
        found.require_greater_rank(by, standing.rank)?;
    }
    Ok(())
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
        let RoomAction { mut tx, by, found } = self.begin_action(by, room, Role::Owner).await?;
        let person = find_person_by_public_id(&mut tx, id).await?;
        let now = self.0.clock.now();
        let standing = access::load_standing(&mut tx, &found, person).await?;
        // Operators give roles to each other, which matter once a room is private.
        if standing.rank == Rank::Operator && !by.is_operator() {
            found.require_greater_rank(&by, standing.rank)?;
        }
        match standing.role {
            None => return Err(Refusal::NotFound(refusal::NO_MEMBER).into()),
            Some(Role::Owner) if role != Role::Owner => {
                let reason = refusal::ROOM_NEEDS_OWNER;
                return Err(Refusal::Forbidden(reason).into());
            }
            Some(_) => {}
        }
        if role == Role::Owner {
            require_rank_over_owner(&mut tx, &by, &found).await?;
            members::replace_role(&mut tx, *room, Role::Owner, Role::Moderator).await?;
        }
        members::add_member(&mut tx, now, *room, person, role).await?;
        let action = format!("made {}", role.name());
        let target = load_public_id(&mut tx, person).await?;
        audit_log::record(&mut tx, now, *room, &by, &action, &target).await?;
        let room = *room;
        let event = match standing.role.max(Some(role)) >= Some(Role::Moderator) {
            true => DomainEvent::RolesChanged { room },
            false => DomainEvent::RoomChanged { room },
        };
        self.commit(tx, [event]).await
    }

    /// Removes a member from a room. Moderators remove members with a lesser role, and every member
    /// may leave. A room that its member has left is hidden from their list.
    ///
    /// # Errors
    /// The refusals of [`Chat::find_room`], [`Refusal::Forbidden`], [`Refusal::NotFound`] if there
    /// is no such member, or a fault.
    pub async fn remove_member(&self, by: &Person, room: &RoomId, id: &str) -> Result<(), Error> {
        let CallerTransaction { mut tx, by } = self.begin_by(by).await?;
        let found = access::find_in(&mut tx, self.0.clock.now(), &by, *room).await?;
        if found.direct {
            return Err(Refusal::Forbidden(refusal::CANNOT_LEAVE_DIRECT).into());
        }
        let person = find_person_by_public_id(&mut tx, id).await?;
        let standing = access::load_standing(&mut tx, &found, person).await?;
        let leaves = person == by.id();
        if !leaves {
            found.require_role(Role::Moderator)?;
            found.require_greater_rank(&by, standing.rank)?;
        }
        standing.role.ok_or(Refusal::NotFound(refusal::NO_MEMBER))?;
        members::delete_member(&mut tx, *room, person).await?;
        if leaves {
            let now = self.0.clock.now();
            room_preferences::set_listing(&mut tx, now, *room, person, Listing::Hidden).await?;
        }
        let action = if leaves { "left" } else { "removed" };
        let target = load_public_id(&mut tx, person).await?;
        audit_log::record(&mut tx, self.0.clock.now(), *room, &by, action, &target).await?;
        let room = *room;
        let mut events = vec![match found.room.private {
            true => DomainEvent::AccessChanged { room },
            false => DomainEvent::RoomChanged { room },
        }];
        events.push(DomainEvent::RoomUnlisted { person });
        if standing.role >= Some(Role::Moderator) {
            events.push(DomainEvent::RolesChanged { room });
        }
        self.commit(tx, events).await
    }
}
