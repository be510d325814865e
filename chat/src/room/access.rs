//! Access: whether a caller may know of a room, and the role of the caller in it.
//!
//! # Guarantees
//! - The statement that finds a room checks the membership of the caller, so a missing check finds
//!   nothing.
//! - A room that is hidden from the caller answers like a room that does not exist.

use protocol::{Refusal, Role, RoomId, SanctionKind, Time};
use texts::refusal;

use crate::identity::caller_transaction::CallerTransaction;
use crate::identity::person::Person;
use crate::store::{
    ActiveSanction, FoundRoom, Reader, RoomLookup, RoomRow, WritePolicy, WriteTransaction,
    accounts, members, room_access,
};
use crate::{Chat, Error};

impl Chat {
    /// The open room with this ID, with the role of the caller.
    pub(crate) async fn load_room_row(&self, by: &Person, id: RoomId) -> Result<RoomRow, Error> {
        Ok(admit(self.look_up_room(by, id).await?, by)?)
    }

    /// Checks that the caller may write in the open room with this ID.
    pub(crate) async fn require_writer(&self, by: &Person, id: RoomId) -> Result<(), Error> {
        let row = self.load_room_row(by, id).await?;
        Ok(row.write_policy().check_write()?)
    }

    async fn look_up_room(&self, by: &Person, id: RoomId) -> Result<FoundRoom, Error> {
        let lookup = RoomLookup {
            room: id,
            person: by.id(),
            now: self.now(),
        };
        match self.0.room_lookups.find(lookup).await? {
            Some(found) => Ok(found),
            None => Err(refuse(&mut self.0.store.reader().await?, by, id)
                .await?
                .into()),
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
        None => Err(refuse(tx, by, id).await?.into()),
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
pub(super) async fn refuse(
    from: &mut impl Reader,
    by: &Person,
    id: RoomId,
) -> Result<Refusal, Error> {
    let end = room_access::find_end(from, id, by.id()).await?;
    Ok(Refusal::of_ended_room(end))
}

/// The room with the role and the mute of the caller, unless the caller is banned. An operator acts as the owner
/// of every room that is open to everyone, and no sanction holds against an operator there.
pub(super) fn admit(found: FoundRoom, by: &Person) -> Result<RoomRow, Refusal> {
    let FoundRoom {
        mut row,
        role,
        sanction,
    } = found;
    let is_operator = row.is_operated_by(by);
    if let Some(sanction) = sanction.filter(|_| !is_operator) {
        if sanction.kind == SanctionKind::Ban {
            return Err(sanction.refusal());
        }
        row.room.muted = true;
        row.room.muted_until = sanction.until;
    }
    row.room.role = if is_operator { Some(Role::Owner) } else { role };
    Ok(row)
}

/// The place of a person in a room: who has a greater rank may impose sanctions on a person, remove
/// it and change its role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rank {
    /// A member, or `None` for a person who is no member.
    Role(Option<Role>),
    /// An operator of the server, in a room that is open to everyone.
    Operator,
}

/// The rank and the role of another person in a room.
pub(crate) struct Standing {
    pub rank: Rank,
    /// `None` if the person is no member.
    pub role: Option<Role>,
}

/// The standing of a person in a room.
pub(crate) async fn load_standing(
    from: &mut impl Reader,
    found: &RoomRow,
    person: i64,
) -> Result<Standing, Error> {
    let role = members::load_role(from, found.room.id, person).await?;
    let is_operator = found.is_open_to_all() && accounts::is_operator(from, person).await?;
    let rank = if is_operator {
        Rank::Operator
    } else {
        Rank::Role(role)
    };
    Ok(Standing { rank, role })
}

impl RoomRow {
    /// Whether every caller may find the room.
    pub fn is_open_to_all(&self) -> bool {
        !self.room.private && !self.direct
    }

    /// Whether the caller acts as an operator in the room.
    fn is_operated_by(&self, by: &Person) -> bool {
        self.is_open_to_all() && by.is_operator()
    }

    /// Whether the caller, whose role and mute the row has, may write, except for slow mode.
    pub fn write_policy(&self) -> WritePolicy {
        let mute = ActiveSanction {
            kind: SanctionKind::Mute,
            until: self.room.muted_until,
        };
        WritePolicy {
            read_only: self.room.read_only,
            role: self.room.role,
            sanction: self.room.muted.then_some(mute),
            ..WritePolicy::default()
        }
    }

    /// The rank of the caller, whose role the row has.
    pub fn rank_of_caller(&self, by: &Person) -> Rank {
        if self.is_operated_by(by) {
            Rank::Operator
        } else {
            Rank::Role(self.room.role)
        }
    }

    /// Checks that the caller, whose role the row has, outranks another person.
    pub fn require_greater_rank(&self, by: &Person, other: Rank) -> Result<(), Refusal> {
        if self.rank_of_caller(by) > other {
            Ok(())
        } else {
            Err(Refusal::Forbidden(refusal::NO_LESSER_ROLE))
        }
    }

    /// Checks that the caller has at least this role.
    pub fn require_role(&self, least: Role) -> Result<(), Refusal> {
        match self.room.role {
            Some(role) if role >= least => Ok(()),
            _ if least == Role::Owner => Err(Refusal::Forbidden(refusal::ONLY_OWNER)),
            _ => Err(Refusal::Forbidden(refusal::ONLY_MODERATORS)),
        }
    }
}

/// A transaction that acts on a room for a caller who has the role for it.
pub(crate) struct RoomAction {
    pub tx: WriteTransaction,
    /// The caller as stored now.
    pub by: Person,
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
        let CallerTransaction { mut tx, by } = self.begin_by(by).await?;
        let found = find_in(&mut tx, self.0.clock.now(), &by, *room).await?;
        found.require_role(least)?;
        Ok(RoomAction { tx, by, found })
    }
}
