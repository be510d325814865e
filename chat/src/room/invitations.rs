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
use texts::refusal;

use crate::duration::parse_duration;
use crate::events::DomainEvent;
use crate::identity::caller_transaction::CallerTransaction;
use crate::identity::person::Person;
use crate::room::access::{self, RoomAction};
use crate::room::audit_log;
use crate::store::{InvitationRow, Reader, WriteTransaction, invitations, members};
use crate::{Chat, Error};

/// How many valid invitations a room may have.
const MAX_INVITATIONS: u64 = 100;

const UNKNOWN: Refusal = Refusal::NotFound(refusal::NO_INVITATION_NOW);

/// The valid invitation with this code.
async fn load_valid_invitation(
    from: &mut impl Reader,
    code: &str,
    now: Time,
) -> Result<InvitationRow, Error> {
    let found = invitations::find_valid_invitation(from, code, now).await?;
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
        let RoomAction { mut tx, by, .. } = self.begin_action(by, room, Role::Moderator).await?;
        let now = self.0.clock.now();
        let invitation = check_invitation(wish, now)?;
        delete_invalid_invitations(&mut tx, *room, now).await?;
        invitations::insert_invitation(&mut tx, *room, &invitation, now).await?;
        audit_log::record(&mut tx, now, *room, &by, "invited", invitation.role.name()).await?;
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
        self.load_room_row(by, *room)
            .await?
            .require_role(Role::Moderator)?;
        invitations::list_valid_invitations(&self.0.store, *room, now).await
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
        let RoomAction { mut tx, by, .. } = self.begin_action(by, room, Role::Moderator).await?;
        if !invitations::delete_invitation(&mut tx, *room, code).await? {
            return Err(UNKNOWN.into());
        }
        let now = self.0.clock.now();
        audit_log::record(&mut tx, now, *room, &by, "took back an invitation", "").await?;
        tx.commit().await?;
        Ok(())
    }

    /// An invitation, and the name of its room if that room has a name.
    ///
    /// # Errors
    /// [`Refusal::NotFound`] if there is no such valid invitation, or a fault.
    pub async fn find_invitation(&self, code: &str) -> Result<(Invitation, Option<String>), Error> {
        let mut reader = self.0.store.reader().await?;
        let found = load_valid_invitation(&mut reader, code, self.0.clock.now()).await?;
        Ok((found.invitation, found.room_name))
    }

    /// Makes the caller a member of the room of an invitation. A member with a role that is not
    /// lesser keeps it, and the invitation loses no use.
    ///
    /// # Errors
    /// [`Refusal::NotFound`] if there is no such valid invitation, [`Refusal::NotSignedIn`] if the
    /// caller is anonymous, [`Refusal::Forbidden`] if the caller is banned, or a fault.
    pub async fn accept_invitation(&self, by: &Person, code: &str) -> Result<Room, Error> {
        let CallerTransaction { mut tx, by } = self.begin_by(by).await?;
        let now = self.0.clock.now();
        let InvitationRow {
            room, invitation, ..
        } = load_valid_invitation(&mut tx, code, now).await?;
        if by == Person::Anonymous {
            return Err(Refusal::NotSignedIn.into());
        }
        let role = members::load_role(&mut tx, room, by.id()).await?;
        if role.is_none_or(|role| role < invitation.role) {
            members::add_member(&mut tx, now, room, by.id(), invitation.role).await?;
            invitations::take_use(&mut tx, code).await?;
        }
        // For a banned caller this fails, and the transaction is rolled back.
        let found = access::find_in(&mut tx, now, &by, room).await?;
        self.commit(tx, [DomainEvent::PersonChanged { person: by.id() }])
            .await?;
        Ok(found.room)
    }
}

/// Checks the wish for an invitation against the rules, and gives it a random code.
fn check_invitation(wish: &NewInvitation, now: Time) -> Result<Invitation, Error> {
    let role = match wish.role.unwrap_or(Role::Member) {
        role @ (Role::Reader | Role::Member) => role,
        _ => return Err(Refusal::invalid("role", refusal::RULE_INVITATION_ROLE.text()).into()),
    };
    let timeout = wish
        .timeout
        .as_deref()
        .map(|text| parse_duration(text.trim()))
        .transpose()
        .map_err(|error| {
            Refusal::invalid(
                "timeout",
                refusal::RULE_WRITE_IT_LIKE.fill([&error.to_string(), "2days"]),
            )
        })?;
    if wish.uses == Some(0) {
        return Err(Refusal::invalid("uses", refusal::RULE_USES.text()).into());
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
    tx: &mut WriteTransaction,
    room: RoomId,
    now: Time,
) -> Result<(), Error> {
    invitations::delete_ended_invitations(tx, room, now).await?;
    if invitations::count_invitations(tx, room).await? < MAX_INVITATIONS {
        Ok(())
    } else {
        Err(Refusal::Forbidden(refusal::REVOKE_INVITATION_FIRST).into())
    }
}
