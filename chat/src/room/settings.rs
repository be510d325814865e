//! The settings of a room, and closing it.
//!
//! # Guarantees
//! - Only the owner changes settings or closes a room, and each change is in the audit log.

use std::time::Duration;

use protocol::{Refusal, Role, Room, RoomChange, RoomId, Time, text};

use crate::events::DomainEvent;
use crate::identity::person::Person;
use crate::room::access::RoomAction;
use crate::room::{self, access, audit_log};
use crate::store::{Access, RoomRow, WriteTransaction, key, millis};
use crate::{Chat, Error};

/// The longest pause between two messages in slow mode, in seconds.
const SLOWEST: u64 = 3_600;

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
        let RoomAction { mut tx, found } = self.begin_action(by, room, Role::Owner).await?;
        let now = self.0.clock.now();
        let was_public = found.room.public;
        let changed = apply_change(found, change, self.0.timeout)?;
        update_settings(&mut tx, &changed, change.timeout.is_some()).await?;
        audit_log::record(&mut tx, now, *room, by, "changed the room", "").await?;
        let found = access::find_in(&mut tx, now, by, *room).await?;
        let room = *room;
        let lifetime = found.lifetime();
        let mut events = vec![
            DomainEvent::LifetimeChanged { room, lifetime },
            DomainEvent::AccessChanged { room },
        ];
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
        let mut tx = self.begin_action(by, room, Role::Owner).await?.tx;
        let now = self.0.clock.now().millis();
        let sql = "update room set state = 1, expires_at = $2, due_at = $2 where id = $1";
        sqlx::query(sql)
            .bind(key(*room))
            .bind(now)
            .execute(&mut *tx)
            .await?;
        self.commit(tx, [DomainEvent::RoomsFrozen]).await
    }
}

/// Stores the settings of a room. `timeout_requested` says whether its lifetime is a request of the
/// owner.
async fn update_settings(
    tx: &mut WriteTransaction,
    changed: &RoomRow,
    timeout_requested: bool,
) -> Result<(), Error> {
    let room = &changed.room;
    let access = if room.private {
        Access::Private
    } else {
        Access::Open
    };
    let timeout = millis(changed.timeout);
    let latest = Time::from_millis(i64::MAX).millis();
    let sql =
        "update room set name = $2, description = $3, public = $4, access = $5, timeout_ms = $6,
                 requested_timeout_ms = coalesce($7, requested_timeout_ms), read_only = $8,
                 slow_mode_ms = $9, expires_at = min(last_active_at + $6, $10), due_at = 0
               where id = $1 and access <> 2";
    sqlx::query(sql)
        .bind(key(room.id))
        .bind(&room.name)
        .bind(&room.description)
        .bind(room.public)
        .bind(access as i64)
        .bind(timeout)
        .bind(timeout_requested.then_some(timeout))
        .bind(room.read_only)
        .bind(i64::try_from(room.slow_mode * 1_000).unwrap_or(i64::MAX))
        .bind(latest)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// The room after the change.
fn apply_change(
    mut found: RoomRow,
    change: &RoomChange,
    longest: Duration,
) -> Result<RoomRow, Refusal> {
    let room = &mut found.room;
    if let Some(name) = &change.name {
        room.name = parse_optional(name, text::parse_room_name)?;
    }
    if let Some(description) = &change.description {
        room.description = parse_optional(description, text::parse_description)?;
    }
    room.private = change.private.unwrap_or(room.private);
    room.public = change.public.unwrap_or(room.public) && !room.private;
    room.read_only = change.read_only.unwrap_or(room.read_only);
    room.slow_mode = change.slow_mode.unwrap_or(room.slow_mode);
    if room.slow_mode > SLOWEST {
        return Err(Refusal::invalid(
            "slow_mode",
            format!("must be 0 to {SLOWEST} seconds"),
        ));
    }
    if let Some(timeout) = &change.timeout {
        found.timeout = room::parse_timeout(timeout, longest)?;
    }
    Ok(found)
}

/// Checks a text against its rule; `None` if the text is blank.
fn parse_optional(
    text: &str,
    rule: fn(&str) -> Result<String, Refusal>,
) -> Result<Option<String>, Refusal> {
    if text.trim().is_empty() {
        Ok(None)
    } else {
        rule(text).map(Some)
    }
}
