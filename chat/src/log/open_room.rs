//! The row of an open room while entries are appended to its log.
//!
//! # Guarantees
//! - Only a new message extends the lifetime of its room.

use std::time::Duration;

use protocol::Time;

use crate::lifetime::Lifetime;
use crate::store::{MINUTE, OpenRoom};

impl OpenRoom {
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
        self.is_minute_changed |= now / MINUTE != self.last_active_at / MINUTE;
        self.last_active_at = now;
        let last = Time::from_millis(i64::MAX).millis();
        self.expires_at = self.last_active_at.saturating_add(self.timeout).min(last);
    }

    /// Gives the next sequence number to a change.
    pub fn add_change(&mut self) {
        self.head += 1;
        self.is_changed = true;
    }
}
