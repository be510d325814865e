//! Settings: what a room is like, and its end by its owner.

use std::time::Duration;

use protocol::{Refusal, Role, Room, RoomChange, RoomId, Time, text};

use crate::identity::person::Person;
use crate::room::{self, access, audit_log};
use crate::store::{Access, RoomRow, key, millis};
use crate::{Chat, Error, Inner};

/// The longest pause between two messages in slow mode, in seconds.
const SLOWEST: u64 = 3_600;

impl Chat {
    /// Changes what a room is like.
    ///
    /// # Errors
    /// The refusals of [`Chat::room`], [`Refusal::Forbidden`] for all but the owner, [`Refusal::Invalid`] if the change
    /// breaks a rule, or a fault.
    pub async fn change_room(
        &self,
        by: &Person,
        room: &RoomId,
        change: &RoomChange,
    ) -> Result<Room, Error> {
        let (mut tx, stored) = self.act(by, room, Role::Owner).await?;
        let now = self.0.clock.now();
        let was_public = stored.room.public;
        let changed = apply(stored, change, self.0.timeout)?;
        let access = if changed.room.private {
            Access::Private
        } else {
            Access::Open
        };
        let last = Time::from_millis(i64::MAX).millis();
        let sql = "update room set name = $2, description = $3, public = $4, access = $5, timeout_ms = $6, requested_timeout_ms = coalesce($7, requested_timeout_ms),
                     read_only = $8, slow_mode_ms = $9, expires_at = min(last_active_at + $6, $10), due_at = 0
                   where id = $1 and access <> 2";
        sqlx::query(sql)
            .bind(key(*room))
            .bind(&changed.room.name)
            .bind(&changed.room.description)
            .bind(changed.room.public)
            .bind(access as i64)
            .bind(millis(changed.timeout))
            .bind(change.timeout.as_ref().map(|_| millis(changed.timeout)))
            .bind(changed.room.read_only)
            .bind(i64::try_from(changed.room.slow_mode * 1_000).unwrap_or(i64::MAX))
            .bind(last)
            .execute(&mut *tx)
            .await?;
        audit_log::note(&mut tx, now, *room, by, "changed the room", "").await?;
        let found = access::find_in(&mut tx, now, by, *room).await?;
        let (room, life, public) = (*room, found.life(), was_public || found.room.public);
        let tell = move |inner: &Inner| {
            inner.hub.lives(room, life);
            inner.hub.look_again(room);
            if public {
                inner.directory.changed();
            }
        };
        self.commit(tx, tell).await?;
        Ok(found.room)
    }

    /// Ends a room now, in the way in which rooms end: when this returns, it is frozen.
    ///
    /// # Errors
    /// The refusals of [`Chat::room`], [`Refusal::Forbidden`] for all but the owner, or a fault.
    pub async fn close_room(&self, by: &Person, room: &RoomId) -> Result<(), Error> {
        let (mut tx, _) = self.act(by, room, Role::Owner).await?;
        let now = self.0.clock.now().millis();
        let sql = "update room set state = 1, expires_at = $2, due_at = $2 where id = $1";
        sqlx::query(sql)
            .bind(key(*room))
            .bind(now)
            .execute(&mut *tx)
            .await?;
        self.commit(tx, |inner| inner.frozen.notify_one()).await
    }
}

/// What the room is like after the change.
fn apply(mut stored: RoomRow, change: &RoomChange, longest: Duration) -> Result<RoomRow, Refusal> {
    let room = &mut stored.room;
    let given = |text: &String, rule: fn(&str) -> Result<String, Refusal>| {
        if text.trim().is_empty() {
            Ok(None)
        } else {
            rule(text).map(Some)
        }
    };
    if let Some(name) = &change.name {
        room.name = given(name, text::room_name)?;
    }
    if let Some(description) = &change.description {
        room.description = given(description, text::description)?;
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
        stored.timeout = room::check_timeout(timeout, longest)?;
    }
    Ok(stored)
}
