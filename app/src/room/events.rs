//! Reacting to the events of a room.
//!
//! # Guarantees
//! No message is missed: a message that arrives after a gap is shown, but the cursor stays before
//! the gap, and the missing messages are requested again.
//!
//! # Not here
//! The connection (`connection`).

use std::ops::Add;
use std::sync::Arc;
use std::time::Duration;

use leptos::prelude::*;
use protocol::{Account, Change, EventName, Message, Problem, Room, Time};
use serde::Deserialize;

use crate::api::{self, Failure};
use crate::browser::dom::{browser_effect, run_after, spawn_task};
use crate::browser::json;
use crate::connection::sharing::topic::sequence_of;
use crate::connection::tab_feed::FeedEvent;
use crate::reactive::BrowserCell;
use crate::room::log::message_log::MessageLog;
use crate::room::log::sequence_tracker::SequenceTracker;
use crate::room::state::RoomState;
use crate::room::timeline::mentioned::mentions;
use crate::room_list::store::RoomLists;
use crate::room_list::unread::Unread;
use crate::session::display_name::DisplayName;

/// How long to wait after a failed reload of the log.
const RETRY_AFTER: Duration = Duration::from_secs(3);

/// The data of the event `typing`.
#[derive(Deserialize)]
struct Typing {
    usernames: Vec<String>,
}

/// The data of the event `closing`.
#[derive(Deserialize)]
struct Closing {
    expires_at: Time,
}

/// The data of the events `closed` and `removed`: what a request for the room would answer. So no
/// page needs to ask, however many follow the room.
#[derive(Deserialize)]
struct Ended {
    problem: Problem,
}

/// Applies a room's events to its state.
#[derive(Clone, Copy)]
struct RoomEvents {
    state: RoomState,
    /// The visitor's own name.
    name: DisplayName,
    tracker: BrowserCell<SequenceTracker>,
}

/// Follows the events of the room after hydration.
pub fn start(state: RoomState) {
    let lists: RoomLists = expect_context();
    let newest = state.history.log.with_untracked(MessageLog::newest);
    let events = RoomEvents {
        state,
        name: expect_context(),
        tracker: BrowserCell::new(SequenceTracker::at(newest)),
    };
    browser_effect(move || events.follow());
    browser_effect(move || events.update_from_lists(lists));
}

impl RoomEvents {
    fn follow(self) {
        self.state.sender.start(move |answer| match answer {
            Some(message) => self.add_own(message),
            // The server refused the message: the visitor may have lost access.
            None => self.state.recheck_access(),
        });
        let cursor = move || {
            self.tracker
                .with(|tracker| tracker.cursor())
                .unwrap_or_default()
        };
        self.state
            .feed
            .follow(self.state.id.to_string(), cursor, move |event| {
                self.on_feed_event(event)
            });
    }

    /// Takes the room from the room lists after another person changed it, unless the lists are
    /// older than the state here.
    fn update_from_lists(self, lists: RoomLists) {
        let listed = lists.own.with(|own| {
            let mut rooms = own.rooms.iter().chain(&own.open);
            rooms.find(|room| room.id == self.state.id).cloned()
        });
        let current = self.state.room.get_untracked();
        let is_newer =
            |room: &Room| room.last_active_at >= current.last_active_at && *room != current;
        if let Some(mut room) = listed.filter(is_newer) {
            // The lists have no roles.
            room.roles.clone_from(&current.roles);
            self.state.set_room(room);
        }
    }

    fn on_feed_event(self, event: FeedEvent) {
        match event {
            FeedEvent::Event(name, data, cursor) => self.on_event(name, &data, cursor),
            FeedEvent::Lost => self.state.recheck_access(),
            FeedEvent::OutboxChanged(client_id) => {
                self.state.history.mark_own(&client_id);
                self.state.sender.read_database();
            }
        }
    }

    fn on_event(self, name: EventName, data: &str, cursor: String) {
        match name {
            EventName::Message => self.on_message(data, cursor),
            EventName::Change => self.on_change(data, cursor),
            EventName::Presence => self.on_presence(data),
            EventName::Typing => self.on_typing(data),
            EventName::Closing => self.on_expiry_change(data),
            EventName::Closed | EventName::Removed => self.on_end(data),
            EventName::Reset => self.reload_log(),
            EventName::Name => self.on_name(data),
            EventName::Roles => self.state.recheck_access(),
            EventName::SignedOut | EventName::Rooms | EventName::Overview | EventName::Beat => {}
        }
    }

    /// Adds a message, together with all others that arrive in the same turn of the event loop.
    fn on_message(self, data: &str, cursor: String) {
        let Some(message) = json::parse(data) else {
            self.pass(cursor);
            return;
        };
        let taken = self.tracker.with(|tracker| tracker.take(message, cursor));
        let tracked = taken.unwrap_or_default();
        if tracked.starts_batch {
            run_after(Duration::ZERO, move || self.add_batch());
        }
        if tracked.found_gap {
            self.state.feed.ask();
        }
    }

    /// A message was changed. A kind that a later version of the server sends changes nothing here.
    fn on_change(self, data: &str, cursor: String) {
        // A change can come twice: the stream repeats events for tabs whose cursors are behind.
        let is_new = self.pass(cursor);
        if let Some(message) = changed_message(data).filter(|_| is_new) {
            self.add_batch();
            self.state.history.replace(message);
        }
    }

    /// Moves the cursor past an entry of the log that adds no message; returns whether it is new.
    fn pass(self, cursor: String) -> bool {
        let passed = self
            .tracker
            .with(|tracker| tracker.pass(sequence_of(&cursor), cursor));
        let tracked = passed.unwrap_or_default();
        if tracked.found_gap {
            self.state.feed.ask();
        }
        tracked.is_new
    }

    fn on_presence(self, data: &str) {
        if let Some(present) = json::parse(data) {
            self.state.present.set(present);
        }
    }

    /// An account has another display name: all its messages show it.
    fn on_name(self, data: &str) {
        if let Some(account) = json::parse::<Account>(data) {
            self.record_name(&account.username, &account.name);
        }
    }

    fn record_name(self, username: &str, name: &str) {
        let is_new = self.state.names.try_maybe_update(|names| {
            let is_new = names.record(username, name);
            (is_new, is_new)
        });
        if is_new == Some(true) {
            self.state.history.rename(username, name);
        }
    }

    fn on_typing(self, data: &str) {
        if let Some(typing) = json::parse::<Typing>(data) {
            self.state.typing.set(typing.usernames);
        }
    }

    fn on_end(self, data: &str) {
        match json::parse(data) {
            Some(Ended { problem }) => self
                .state
                .end_because(Failure::Refused(Box::new(problem), None)),
            // A server of another version does not say why.
            None => self.state.recheck_access(),
        }
    }

    fn on_expiry_change(self, data: &str) {
        if let Some(closing) = json::parse::<Closing>(data) {
            self.state
                .room
                .update(|room| room.expires_at = closing.expires_at);
        }
    }

    fn add_batch(self) {
        let batch = self.tracker.with(SequenceTracker::take_batch);
        if let Some(batch) = batch.filter(|batch| !batch.is_empty()) {
            self.add_messages(batch, true);
        }
    }

    /// Adds the visitor's own message, as the server answered it.
    fn add_own(self, message: Message) {
        let own = Message {
            own: true,
            ..message
        };
        self.add_messages(vec![own], false);
    }

    fn add_messages(self, mut batch: Vec<Message>, from_stream: bool) {
        if from_stream {
            self.record_arrivals(&mut batch);
        }
        let fresh = self.state.history.add(batch, from_stream);
        if fresh.is_empty() {
            return;
        }
        for message in &fresh {
            if let Some(name) = &message.name {
                self.record_name(&message.username, name);
            }
        }
        self.state.record_activity(&fresh);
        let is_silent = self.state.room.with_untracked(Room::is_silent);
        if from_stream && document().hidden() && !is_silent {
            let own = self.name.get_untracked();
            let one = |message: &Arc<Message>| Unread {
                messages: 1,
                mentions: u64::from(mentions(message, &own)),
            };
            self.state
                .unread
                .update(|unread| *unread = fresh.iter().map(one).fold(*unread, Add::add));
        }
    }

    /// Messages that wait in the outbox have arrived: they are the visitor's own.
    fn record_arrivals(self, batch: &mut [Message]) {
        self.state.sender.outbox().update(|outbox| {
            for message in batch {
                outbox.record_arrival(message);
                message.own |= outbox.delivered_as(message.id).is_some();
            }
        });
        self.state.sender.forget_arrived();
    }

    /// The server cannot honour the page's cursor: fetches the newest messages again.
    fn reload_log(self) {
        spawn_task(async move {
            match api::fetch_newest(self.state.id).await {
                Ok(messages) => self.restart_with(MessageLog::new(messages)),
                Err(failure) if matches!(failure.status(), Some(403 | 404 | 410)) => {
                    self.state.recheck_access()
                }
                Err(_) => drop(run_after(RETRY_AFTER, move || self.retry_reload())),
            }
        });
    }

    fn retry_reload(self) {
        if !self.state.history.log.is_disposed() {
            self.reload_log();
        }
    }

    fn restart_with(self, log: MessageLog) {
        if self.state.history.log.is_disposed() {
            return;
        }
        let newest = log.newest();
        self.tracker
            .with(|tracker| *tracker = SequenceTracker::at(newest));
        self.state.sender.outbox().update(|outbox| {
            outbox.restart_log();
            let messages = log.messages().iter();
            messages.for_each(|message| outbox.record_arrival(message));
        });
        self.state.history.reset(log);
        self.state.feed.ask();
    }
}

/// The message after a change, if this version knows the kind.
fn changed_message(data: &str) -> Option<Message> {
    let change: Change = json::parse(data)?;
    Some(change.message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures;

    #[test]
    fn change_of_an_unknown_kind_changes_no_message() {
        let message = fixtures::message(1);
        let change = Change::new(protocol::ChangeKind::Edit, 2, message.clone());
        let edit = serde_json::to_string(&change).unwrap();
        assert_eq!(changed_message(&edit), Some(message));
        assert_eq!(changed_message(&edit.replace("edit", "reaction")), None);
    }
}
