//! The lifetime of a room: when it ends, and when its followers are warned.

use std::time::Duration;

use protocol::Time;
use serde::{Deserialize, Serialize};

/// How long a room lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Lifetime {
    /// When the room ends, unless a message is posted.
    pub end: Time,
    /// How long the room stays open without a new message.
    pub timeout: Duration,
}

impl Lifetime {
    /// When to warn the followers: a tenth of the timeout before the end, but at most an hour
    /// before it.
    pub fn closing_at(self) -> Time {
        let notice = (self.timeout / 10).min(Duration::from_secs(3_600));
        // An hour has few milliseconds.
        let notice = i64::try_from(notice.as_millis()).unwrap_or(0).max(1);
        Time::from_millis(self.end.millis() - notice)
    }
}
