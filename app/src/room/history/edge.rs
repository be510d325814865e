//! Where the messages that a page holds end.
//!
//! # Not here
//! When more are fetched (`history`).

use protocol::{Message, RoomId};

use crate::api::{self, Answer};
use crate::room::log::message_log::MessageLog;
use crate::room::log::window::LogWindow;

/// An edge at which messages are fetched.
#[derive(Clone, Copy)]
pub(super) enum Edge {
    /// Before the oldest message.
    Start,
    /// After the log's earlier part.
    End,
}

impl Edge {
    /// The sequence of the message at the edge.
    pub fn seq(self, log: &MessageLog) -> u64 {
        match self {
            Self::Start => log.oldest(),
            Self::End => log.earlier_until().unwrap_or_default(),
        }
    }

    /// Fetches the messages beyond the one with this sequence.
    pub async fn fetch(self, room: RoomId, seq: u64) -> Answer<Vec<Message>> {
        match self {
            Self::Start => api::fetch_before(room, seq).await,
            Self::End => api::fetch_after(room, seq).await,
        }
    }

    /// Adds what was fetched.
    pub fn add(self, log: &mut MessageLog, page: Vec<Message>) {
        match self {
            Self::Start => drop(log.add(page)),
            Self::End => log.continue_earlier_part(page),
        }
    }

    /// The window with what was added.
    pub fn extend(self, window: LogWindow, log: &MessageLog) -> LogWindow {
        match self {
            Self::Start => window.up(log),
            Self::End => window.down(log),
        }
    }
}
