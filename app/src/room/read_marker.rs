//! Reporting how far the visitor has read a room.
//!
//! # Guarantees
//! - Messages count as read only while the newest one is in view and the page is visible.
//! - At most one report waits or is being sent.
//! - In a room that the visitor does not belong to, the browser stores the count itself.

use std::time::Duration;

use leptos::prelude::*;

use crate::api;
use crate::browser::dom::{browser_effect, on_window_event, run_after, spawn_task};
use crate::reactive::BrowserCell;
use crate::room::log::message_log::MessageLog;
use crate::room::state::RoomState;
use crate::room_list::store::{store_read_count, store_read_seq};

/// The time between two reports.
const REPORT_INTERVAL: Duration = Duration::from_secs(3);
/// The value of [`ReadMarker::reported`] while a report waits to be sent.
const REPORTING: u64 = u64::MAX;

/// Reports read progress as long as the room's page is open.
#[derive(Clone, Copy)]
struct ReadMarker {
    state: RoomState,
    /// The sequence that was reported last.
    reported: BrowserCell<u64>,
}

/// Reports after hydration.
pub fn start(state: RoomState) {
    let marker = ReadMarker {
        state,
        reported: BrowserCell::new(0),
    };
    browser_effect(move || marker.update());
    browser_effect(move || on_window_event("visibilitychange", move |_| marker.update()));
}

impl ReadMarker {
    /// Reports all messages as read if the newest one is in view; tracks both.
    fn update(self) {
        let newest = self.state.history.log.with(MessageLog::newest);
        let at_end = self.state.history.at_end.get();
        if !at_end || document().hidden() {
            return;
        }
        let is_direct = self.state.room.with(|room| room.with.is_some());
        let is_member = self.state.room.with(|room| room.role.is_some());
        if !is_direct && !is_member {
            let count = self.state.room.with(|room| room.message_count);
            store_read_seq(self.state.id, newest);
            return store_read_count(self.state.id, count);
        }
        if newest > self.reported.with(|reported| *reported).unwrap_or(newest) {
            self.report_soon(is_direct);
        }
    }

    /// Reports after a pause, so that what arrives in the meantime is in the same report. The first
    /// report, and those of a direct chat, are sent at once.
    fn report_soon(self, is_direct: bool) {
        let previous = self
            .reported
            .with(|reported| std::mem::replace(reported, REPORTING));
        let wait = if is_direct || previous == Some(0) {
            Duration::ZERO
        } else {
            REPORT_INTERVAL
        };
        run_after(wait, move || self.report());
    }

    fn report(self) {
        let newest = self
            .state
            .history
            .log
            .try_with_untracked(MessageLog::newest);
        let Some(newest) = newest else { return };
        if self.reported.with(|reported| *reported = newest).is_some() {
            spawn_task(async move { api::report_read(self.state.id, newest).await });
        }
    }
}
