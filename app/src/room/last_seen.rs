//! The messages that this tab has shown, for a reload without a network: the page that the browser
//! has kept then may be older.
//!
//! # Guarantees
//! - The messages are in the tab's own storage, of one room, and the next page of a room takes them
//!   out. A page that is not older does not show them.
//! - The page still asks the server from where it was itself, so it misses nothing.

use std::time::Duration;

use leptos::prelude::*;
use protocol::{Message, RoomId, Time};
use serde::{Deserialize, Serialize};

use crate::api::PAGE_SIZE;
use crate::browser::dom::{browser_effect, on_window_event};
use crate::browser::{json, local_storage};
use crate::room::log::message_log::MessageLog;
use crate::room::state::RoomState;
use crate::time::clock;

const KEY: &str = "seen";
/// How much the page's clock may differ from the server's.
const CLOCK_ERROR: Duration = Duration::from_secs(5);

#[derive(Serialize, Deserialize)]
struct LastSeen {
    room: RoomId,
    at: Time,
    messages: Vec<Message>,
}

/// Shows what an earlier page of this tab has shown after this one was drawn, and stores what this
/// one shows when it ends.
pub fn start(state: RoomState, drawn_at: Time) {
    browser_effect(move || {
        let held = state.history.log.with_untracked(MessageLog::newest);
        if let Some(seen) = take().filter(|seen| seen.is_later(state.id, drawn_at, held)) {
            state.history.reset(MessageLog::new(seen.messages));
        }
        on_window_event("pagehide", move |_| store(state));
    });
}

impl LastSeen {
    /// Whether this is later than a page that was drawn at this time with this newest message. The
    /// page of a server that answers is never taken for an earlier one: it has all messages.
    fn is_later(&self, room: RoomId, drawn_at: Time, held: u64) -> bool {
        let newest = self.messages.last().map_or(0, |message| message.id);
        let is_clear = self.at.since(drawn_at) > CLOCK_ERROR;
        self.room == room && self.at > drawn_at && (newest > held || newest == held && is_clear)
    }
}

fn take() -> Option<LastSeen> {
    let seen = local_storage::get_in_tab(KEY).and_then(|seen| json::parse(&seen));
    local_storage::set_in_tab(KEY, "");
    seen
}

fn store(state: RoomState) {
    let newest = |log: &MessageLog| {
        let newest = log.messages().iter().rev().take(PAGE_SIZE).rev();
        newest.map(|message| Message::clone(message)).collect()
    };
    let seen = LastSeen {
        room: state.id,
        at: clock::now(),
        messages: state.history.log.with_untracked(newest),
    };
    // Serialising fails only for maps whose keys are no strings; there are none.
    local_storage::set_in_tab(KEY, &serde_json::to_string(&seen).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures;

    #[test]
    fn messages_replace_those_of_an_earlier_page_alone() {
        let room = fixtures::room().id;
        let seen = LastSeen {
            room,
            at: Time::from_millis(60_000),
            messages: vec![fixtures::message(1), fixtures::message(2)],
        };
        let is_later = |drawn_at, held| seen.is_later(room, Time::from_millis(drawn_at), held);
        assert!(is_later(59_000, 1));
        assert!(is_later(50_000, 2), "a message may have changed");
        assert!(!is_later(59_000, 2), "the clocks may differ");
        assert!(!is_later(50_000, 3));
        assert!(!is_later(61_000, 1), "the log was replaced");
        assert!(!seen.is_later(RoomId::from_bytes([9; 8]), Time::EPOCH, 0));
    }
}
