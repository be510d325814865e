//! Sanctions: moderators mute people in a room or ban them from it.
//!
//! # Guarantees
//! - A banned follower is removed within a moment, under whatever name it follows.
//! - Every sanction can be lifted, and both are in the audit log.
//!
//! # Not here
//! - Whether a person may write a message now: `write_policy`.

use std::time::Duration;

use protocol::{Refusal, Role, RoomId, Sanction, SanctionKind};
use texts::refusal;

use crate::duration::parse_duration;
use crate::events::DomainEvent;
use crate::identity::person::{Person, find_person_by_public_id, load_public_id, public_id};
use crate::room::access::{self, RoomAction};
use crate::room::audit_log;
use crate::store::{Reader, SanctionRow, members, messages, name_claims, sanctions};
use crate::{Chat, Error};

/// The person that a sanction applies to.
#[derive(Clone, Debug)]
pub enum SanctionTarget {
    /// The person with this public ID.
    Person(String),
    /// The author of this message.
    AuthorOf(u64),
}

impl Chat {
    /// Mutes or bans a person, for a time or without an end.
    ///
    /// # Errors
    /// The refusals of [`Chat::find_room`], [`Refusal::Forbidden`] if the caller is not a moderator
    /// or the person has no lesser role, [`Refusal::Invalid`] if there is no such person or
    /// message, the message has no known author or the duration breaks a rule, or a fault.
    pub async fn impose_sanction(
        &self,
        by: &Person,
        room: &RoomId,
        target: &SanctionTarget,
        kind: SanctionKind,
        duration: Option<&str>,
    ) -> Result<Sanction, Error> {
        let RoomAction { mut tx, by, found } = self.begin_action(by, room, Role::Moderator).await?;
        let now = self.0.clock.now();
        let duration = duration.map(parse_sanction_duration).transpose()?;
        let until = duration.map(|duration| now.after(duration));
        let person = find_target(&mut tx, *room, target).await?;
        let standing = access::load_standing(&mut tx, &found, person).await?;
        found.require_greater_rank(&by, standing.rank)?;
        sanctions::set_sanction(&mut tx, *room, person, kind, until).await?;
        let id = load_public_id(&mut tx, person).await?;
        let room = *room;
        let (action, event) = match kind {
            SanctionKind::Ban => ("banned", DomainEvent::AccessChanged { room }),
            SanctionKind::Mute => ("muted", DomainEvent::RoomChanged { room }),
        };
        audit_log::record(&mut tx, now, room, &by, action, &id).await?;
        self.commit(tx, [event]).await?;
        Ok(Sanction { id, kind, until })
    }

    /// Lifts the sanction of a person.
    ///
    /// # Errors
    /// The refusals of [`Chat::find_room`], [`Refusal::Forbidden`] if the caller is not a
    /// moderator or lifts a sanction of its own, [`Refusal::NotFound`] if the person has no
    /// sanction, or a fault.
    pub async fn lift_sanction(&self, by: &Person, room: &RoomId, id: &str) -> Result<(), Error> {
        let RoomAction { mut tx, by, found } = self.begin_action(by, room, Role::Moderator).await?;
        let person = find_person_by_public_id(&mut tx, id).await?;
        if person == by.id() && found.room.role < Some(Role::Owner) {
            return Err(Refusal::Forbidden(refusal::OWN_SANCTION).into());
        }
        if !sanctions::delete_sanction(&mut tx, *room, person).await? {
            return Err(Refusal::NotFound(refusal::NO_SANCTION).into());
        }
        let target = load_public_id(&mut tx, person).await?;
        audit_log::record(&mut tx, self.0.clock.now(), *room, &by, "pardoned", &target).await?;
        self.commit(tx, [DomainEvent::RoomChanged { room: *room }])
            .await
    }

    /// Lists the sanctions in a room that have not ended.
    ///
    /// # Errors
    /// The refusals of [`Chat::find_room`], [`Refusal::Forbidden`] if the caller is not a
    /// moderator, or a fault.
    pub async fn list_sanctions(&self, by: &Person, room: &RoomId) -> Result<Vec<Sanction>, Error> {
        self.load_room_row(by, *room)
            .await?
            .require_role(Role::Moderator)?;
        let now = self.0.clock.now();
        let rows = sanctions::list_sanctions(&self.0.store, *room, now).await?;
        Ok(rows.into_iter().map(Sanction::from).collect())
    }
}

impl From<SanctionRow> for Sanction {
    fn from(row: SanctionRow) -> Self {
        Self {
            id: public_id(row.person, row.username),
            kind: row.kind,
            until: row.until,
        }
    }
}

fn parse_sanction_duration(text: &str) -> Result<Duration, Refusal> {
    parse_duration(text.trim()).map_err(|error| {
        Refusal::invalid(
            "timeout",
            refusal::RULE_WRITE_IT_LIKE.fill([&error.to_string(), "10m"]),
        )
    })
}

/// The person that a sanction applies to. An unknown target is an invalid field of the request.
async fn find_target(
    from: &mut impl Reader,
    room: RoomId,
    target: &SanctionTarget,
) -> Result<i64, Error> {
    let (found, field, reason) = match target {
        SanctionTarget::Person(id) => {
            let found = find_known_person(from, room, id).await;
            (found, "person", refusal::RULE_NO_PERSON_HERE.text())
        }
        SanctionTarget::AuthorOf(seq) => {
            let found = find_author(from, room, *seq).await;
            (found, "message", refusal::RULE_NO_MESSAGE_HERE.text())
        }
    };
    found.map_err(|error| match error {
        Error::Refusal(Refusal::NotFound(_)) => Refusal::invalid(field, reason).into(),
        other => other,
    })
}

/// The person with this public ID. A guest must have a name in the room or be its member: anyone can
/// invent the ID of a guest.
async fn find_known_person(from: &mut impl Reader, room: RoomId, id: &str) -> Result<i64, Error> {
    let person = find_person_by_public_id(from, id).await?;
    if person > 0
        || members::load_role(from, room, person).await?.is_some()
        || name_claims::has_claim(from, room, person).await?
    {
        Ok(person)
    } else {
        Err(Refusal::NotFound(refusal::NO_PERSON).into())
    }
}

/// The author of a message.
async fn find_author(from: &mut impl Reader, room: RoomId, seq: u64) -> Result<i64, Error> {
    match messages::find_author(from, room, seq).await? {
        None => Err(Refusal::NotFound(refusal::NO_MESSAGE).into()),
        Some(0) => Err(Refusal::invalid("message", refusal::RULE_ANONYMOUS_AUTHOR.text()).into()),
        Some(author) => Ok(author),
    }
}
