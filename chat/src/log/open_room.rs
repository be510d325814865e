//! The row of an open room while entries are appended to its log.
//!
//! # Guarantees
//! - Only a new message extends the lifetime of its room.

use std::time::Duration;

use protocol::{RoomId, Time};
use rusqlite::{OptionalExtension, Transaction, params};

use crate::Error;
use crate::lifetime::Lifetime;
use crate::store::rows::key;

/// The columns of a room that an entry reads or changes. Times are milliseconds since the Unix
/// epoch.
#[derive(Clone, Copy)]
pub(crate) struct OpenRoom {
    /// The newest sequence number.
    pub head: i64,
    message_count: i64,
    timeout: i64,
    last_active_at: i64,
    expires_at: i64,
    /// Whether the room restricts who may write, or how often.
    pub has_policy: bool,
    /// Whether a guest has claimed a name in the room.
    pub has_name_claims: bool,
    /// Whether the room has changed since it was loaded.
    is_changed: bool,
}

impl OpenRoom {
    /// The room with this ID, if it is open and not due.
    pub fn find(tx: &Transaction<'_>, id: RoomId, now: i64) -> Result<Option<Self>, Error> {
        let sql = "select head, timeout_ms, last_active_at, expires_at,
               access <> 0 or read_only or slow_mode_ms > 0
                 or exists (select 1 from sanction where room = ?1),
               exists (select 1 from name_claim where room = ?1), message_count
             from room where id = ?1 and state = 0 and expires_at > ?2";
        let mut select = tx.prepare_cached(sql)?;
        let room = select.query_row(params![key(id), now], |row| {
            Ok(Self {
                head: row.get(0)?,
                timeout: row.get(1)?,
                last_active_at: row.get(2)?,
                expires_at: row.get(3)?,
                has_policy: row.get(4)?,
                has_name_claims: row.get(5)?,
                message_count: row.get(6)?,
                is_changed: false,
            })
        });
        Ok(room.optional()?)
    }

    pub fn lifetime(self) -> Lifetime {
        Lifetime {
            end: Time::from_millis(self.expires_at),
            timeout: Duration::from_millis(self.timeout.unsigned_abs()),
        }
    }

    /// Gives the next sequence number to a message.
    pub fn add_message(&mut self, now: i64) {
        self.add_change();
        self.message_count += 1;
        self.last_active_at = now;
        let last = Time::from_millis(i64::MAX).millis();
        self.expires_at = self.last_active_at.saturating_add(self.timeout).min(last);
    }

    /// Gives the next sequence number to a change.
    pub fn add_change(&mut self) {
        self.head += 1;
        self.is_changed = true;
    }

    /// Updates the row of the room if it has changed.
    pub fn save(&self, tx: &Transaction<'_>, id: RoomId) -> Result<(), Error> {
        if !self.is_changed {
            return Ok(());
        }
        let sql = "update room
                   set head = ?2, last_active_at = ?3, expires_at = ?4, message_count = ?5
                   where id = ?1";
        tx.prepare_cached(sql)?.execute(params![
            key(id),
            self.head,
            self.last_active_at,
            self.expires_at,
            self.message_count
        ])?;
        Ok(())
    }
}
