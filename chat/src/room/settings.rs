//! The settings of a room, and closing it.
//!
//! # Guarantees
//! - Only the owner changes settings or closes a room, and each change is in the audit log.

use std::time::Duration;

use protocol::{Refusal, Role, Room, RoomChange, RoomEnd, RoomId, text};
use texts::refusal;

use crate::events::DomainEvent;
use crate::identity::person::Person;
use crate::room::access::RoomAction;
use crate::room::{self, access, audit_log};
use crate::store::{RoomRow, members, room_settings, rooms};
use crate::{Chat, Error};

/// The longest pause between two messages in slow mode, in seconds.
const SLOWEST: u64 = 3_600;

/// The refusal for an operator who would hide a room from itself.
const HIDDEN_FROM_CALLER: Refusal = Refusal::Forbidden(refusal::WOULD_LOSE_ROOM);

impl Chat {
    /// Changes the settings of a room.
    ///
    /// # Errors
    /// The refusals of [`Chat::find_room`], [`Refusal::Forbidden`] if the caller is not the owner,
    /// [`Refusal::Invalid`] if the change breaks a rule, or a fault.
    pub async fn change_room_settings(
        &self,
        by: &Person,
        room: &RoomId,
        change: &RoomChange,
    ) -> Result<Room, Error> {
        let RoomAction { mut tx, by, found } = self.begin_action(by, room, Role::Owner).await?;
        let now = self.0.clock.now();
        let (was_public, was_private) = (found.room.public, found.room.private);
        let changed = apply_change(found, change, self.0.timeout)?;
        if changed.room.private && members::load_role(&mut tx, *room, by.id()).await?.is_none() {
            return Err(HIDDEN_FROM_CALLER.into());
        }
        room_settings::update_settings(&mut tx, &changed, change.timeout.is_some()).await?;
        audit_log::record(&mut tx, now, *room, &by, "changed the room", "").await?;
        let found = access::find_in(&mut tx, now, &by, *room).await?;
        let room = *room;
        let lifetime = found.lifetime();
        let mut events = vec![
            DomainEvent::LifetimeChanged { room, lifetime },
            match found.room.private && !was_private {
                true => DomainEvent::AccessChanged { room },
                false => DomainEvent::RoomChanged { room },
            },
        ];
        if found.room.private != was_private {
            // Operators have no role in a private room.
            events.push(DomainEvent::RolesChanged { room });
        }
        if was_public || found.room.public {
            events.push(DomainEvent::PublicRoomsChanged);
        }
        self.commit(tx, events).await?;
        Ok(found.room)
    }

    /// Closes a room. When this returns, the room is frozen.
    ///
    /// # Errors
    /// The refusals of [`Chat::find_room`], [`Refusal::Forbidden`] if the caller is not the owner,
    /// or a fault.
    pub async fn close_room(&self, by: &Person, room: &RoomId) -> Result<(), Error> {
        let RoomAction { mut tx, by, .. } = self.begin_action(by, room, Role::Owner).await?;
        let end = match members::load_role(&mut tx, *room, by.id()).await? {
            Some(Role::Owner) => RoomEnd::ClosedByOwner,
            _ => RoomEnd::ClosedByOperator,
        };
        rooms::freeze(&mut tx, *room, self.0.clock.now(), end).await?;
        self.commit(tx, [DomainEvent::RoomsFrozen]).await
    }
}

/// The room after the change.
fn apply_change(
    mut found: RoomRow,
    change: &RoomChange,
    longest: Duration,
) -> Result<RoomRow, Refusal> {
    let room = &mut found.room;
    let name = parse_change(change.name.as_deref(), text::parse_room_name);
    let description = parse_change(change.description.as_deref(), text::parse_description);
    let (name, description) = Refusal::both(name, description)?;
    room.name = name.unwrap_or(room.name.take());
    room.description = description.unwrap_or(room.description.take());
    room.private = change.private.unwrap_or(room.private);
    room.public = change.public.unwrap_or(room.public) && !room.private;
    room.read_only = change.read_only.unwrap_or(room.read_only);
    room.slow_mode = change.slow_mode.unwrap_or(room.slow_mode);
    if room.slow_mode > SLOWEST {
        return Err(Refusal::invalid(
            "slow_mode",
            refusal::RULE_SLOW_MODE.fill([&SLOWEST.to_string()]),
        ));
    }
    if let Some(timeout) = &change.timeout {
        found.timeout = room::parse_timeout(timeout, longest)?;
    }
    Ok(found)
}

/// Checks a changed text against its rule: `None` if it does not change, and the new text, which a
/// blank text removes.
fn parse_change(
    text: Option<&str>,
    rule: fn(&str) -> Result<String, Refusal>,
) -> Result<Option<Option<String>>, Refusal> {
    match text {
        None => Ok(None),
        Some(text) if text.trim().is_empty() => Ok(Some(None)),
        Some(text) => rule(text).map(|text| Some(Some(text))),
    }
}
