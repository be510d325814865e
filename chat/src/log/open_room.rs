//! The row of an open room while entries are appended to its log.
//!
//! # Guarantees
//! - Only a new message extends the lifetime of its room.

use std::time::Duration;

use protocol::{Refusal, Time};

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

    /// Checks that the texts of the room are no longer than `most` with a text of so many bytes in
    /// place of another one.
    pub fn check_text(&self, old: usize, new: usize, most: i64) -> Result<(), Refusal> {
        if new > old && self.text_bytes_with(old, new) > most {
            Err(Refusal::RoomFull)
        } else {
            Ok(())
        }
    }

    /// Counts a text of so many bytes in place of another one.
    pub fn replace_text(&mut self, old: usize, new: usize) {
        self.text_bytes = self.text_bytes_with(old, new);
    }

    fn text_bytes_with(&self, old: usize, new: usize) -> i64 {
        let [old, new] = [old, new].map(|bytes| i64::try_from(bytes).unwrap_or(i64::MAX));
        self.text_bytes.saturating_add(new).saturating_sub(old)
    }

    /// Gives the next sequence number to a change.
    pub fn add_change(&mut self) {
        self.head += 1;
        self.is_changed = true;
    }
}
