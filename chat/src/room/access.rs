//! Access: whether a caller may know of a room, and the role of the caller in it.
//!
//! # Guarantees
//! - The statement that finds a room checks the membership of the caller, so a missing check finds
//!   nothing.
//! - A room that is hidden from the caller answers like a room that does not exist.

use protocol::{Refusal, Role, RoomId, Time};

use crate::identity::person::Person;
use crate::store::{FoundRoom, Reader, RoomLookup, RoomRow, WriteTransaction, room_access};
use crate::{Chat, Error};

/// The refusal for a banned caller.
pub(crate) const BANNED: Refusal = Refusal::Forbidden("You are banned from this room.");

impl Chat {
    /// The open room with this ID, with the role of the caller.
    pub(crate) async fn load_room_row(&self, by: &Person, id: RoomId) -> Result<RoomRow, Error> {
        let lookup = RoomLookup {
            room: id,
            person: by.id(),
            now: self.now(),
        };
        match self.0.room_lookups.find(lookup).await? {
            Some(found) => Ok(admit(found, by)?),
            None => Err(refuse(&mut self.0.store.reader().await?, id).await?.into()),
        }
    }

    /// The rooms of these IDs that the caller may find, with the role of the caller.
    pub(crate) async fn load_room_rows(
        &self,
        by: &Person,
        ids: &[RoomId],
    ) -> Result<Vec<RoomRow>, Error> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let mut reader = self.0.store.reader().await?;
        let found = find_open_rooms(&mut reader, self.now(), by, ids).await?;
        let admitted = found
            .into_iter()
            .flatten()
            .filter_map(|found| admit(found, by).ok());
        Ok(admitted.collect())
    }
}

/// Does the same as [`Chat::load_room_row`] in a transaction.
pub(crate) async fn find_in(
    tx: &mut WriteTransaction,
    now: Time,
    by: &Person,
    id: RoomId,
) -> Result<RoomRow, Error> {
    let found = find_open_rooms(tx, now, by, &[id]).await?;
    match found.into_iter().flatten().next() {
        Some(found) => Ok(admit(found, by)?),
        None => Err(refuse(tx, id).await?.into()),
    }
}

async fn find_open_rooms(
    from: &mut impl Reader,
    now: Time,
    by: &Person,
    ids: &[RoomId],
) -> Result<Vec<Option<FoundRoom>>, Error> {
    let person = by.id();
    let lookup = |&room: &RoomId| RoomLookup { room, person, now };
    let lookups: Vec<RoomLookup> = ids.iter().map(lookup).collect();
    room_access::find_open_rooms(from, &lookups).await
}

/// The refusal for a room that the caller does not find.
async fn refuse(from: &mut impl Reader, id: RoomId) -> Result<Refusal, Error> {
    Ok(match room_access::has_ended(from, id).await? {
        true => Refusal::Gone,
        false => Refusal::NotFound("room"),
    })
}

/// The room with the role of the caller, unless the caller is banned. An operator acts as the owner
/// of every room that is open to everyone.
fn admit(found: FoundRoom, by: &Person) -> Result<RoomRow, Refusal> {
    if found.is_banned {
        return Err(BANNED);
    }
    let mut row = found.row;
    let is_open = !row.room.private && !row.direct;
    let is_operator = by.account().is_some_and(|account| account.operator);
    row.room.role = if is_open && is_operator {
        Some(Role::Owner)
    } else {
        found.role
    };
    Ok(row)
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
