//! The state that the components of a room's page share.
//!
//! # Guarantees
//! `room` is at least as recent as the server's last answer.
//!
//! # Not here
//! The messages (`history`), reacting to events (`events`), permissions (`permissions`), rendering.

use std::sync::Arc;

use leptos::prelude::*;
use protocol::{Message, NewMessage, Room, RoomId, Time};
use serde::Deserialize;

use crate::api::{self, Failure};
use crate::browser::dom::spawn_task;
use crate::connection::tab_feed::TabFeed;
use crate::initial_state::RoomSnapshot;
use crate::reactive::BrowserCell;
use crate::room::account_names::AccountNames;
use crate::room::history::History;
use crate::room::hues::HueTable;
use crate::room::outbox::sender::OutboxSender;
use crate::room_list::unread::Unread;
use crate::session::visitor::SignedIn;
use crate::ui::avatar::class_of_hue;

/// Who is present in a room.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct PresentUsers {
    /// Their names, up to a limit of the server.
    #[serde(rename = "here")]
    pub names: Vec<String>,
    /// How many there are.
    pub count: u64,
}

/// The state of a room's page. Its fields are signals, so that it can be copied into every
/// component.
#[derive(Clone, Copy)]
pub struct RoomState {
    /// The room's ID.
    pub id: RoomId,
    /// The room as last reported.
    pub room: RwSignal<Room>,
    /// The messages that this page holds, and which of them it shows.
    pub history: History,
    /// Whether the room is closed, at least for this visitor.
    pub closed: RwSignal<bool>,
    /// Whether it is closed because the visitor lost access.
    pub removed: RwSignal<bool>,
    /// Why it is closed, as the server answered.
    pub end: RwSignal<Option<Failure>>,
    /// Who is present in the room.
    pub present: RwSignal<PresentUsers>,
    /// Who is typing.
    pub typing: RwSignal<Vec<String>>,
    /// The display names of the accounts that wrote here, and of the visitor's own.
    pub names: RwSignal<AccountNames>,
    /// The hues of the people in the room.
    hues: StoredValue<HueTable>,
    /// What arrived while the page was hidden.
    pub unread: RwSignal<Unread>,
    /// The sequence of the message whose menu is or was open.
    pub selected: RwSignal<u64>,
    /// The sequence of the message that is being edited; 0 if none is.
    pub editing: RwSignal<u64>,
    /// The number of characters in the message field after trimming.
    pub draft_length: RwSignal<usize>,
    /// The error that the composer shows.
    pub error: RwSignal<Option<String>>,
    /// The title of the page in the page dialog.
    pub dialog_title: RwSignal<String>,
    /// Why the last form in the page dialog could not be sent.
    pub dialog_error: RwSignal<Option<String>>,
    /// The connection.
    pub feed: TabFeed,
    /// The visitor's own messages that are not delivered yet.
    pub sender: OutboxSender,
    /// When the room was last active, as the server reported it: its count includes the messages up
    /// to then.
    counted_until: BrowserCell<Time>,
}

impl RoomState {
    /// The state of a room that was just fetched.
    pub fn new(snapshot: RoomSnapshot) -> Self {
        let id = snapshot.room.id;
        let feed = expect_context();
        let closed = RwSignal::new(false);
        let counted_until = BrowserCell::new(snapshot.room.last_active_at);
        let names = RwSignal::new(initial_names(&snapshot.messages));
        let mut hues = HueTable::default();
        for message in &snapshot.messages {
            hues.hue(&message.username);
        }
        if let Some(peer) = &snapshot.room.with {
            hues.hue(&peer.username);
        }
        let history = History::new(id, snapshot.messages, snapshot.room.read_seq, closed);
        Self {
            id,
            room: RwSignal::new(snapshot.room),
            history,
            closed,
            removed: RwSignal::new(false),
            end: RwSignal::new(None),
            present: RwSignal::new(PresentUsers::default()),
            typing: RwSignal::new(Vec::new()),
            names,
            hues: StoredValue::new(hues),
            unread: RwSignal::new(Unread::default()),
            selected: RwSignal::new(0),
            editing: RwSignal::new(0),
            draft_length: RwSignal::new(0),
            error: RwSignal::new(None),
            dialog_title: RwSignal::new(String::new()),
            dialog_error: RwSignal::new(None),
            feed,
            sender: OutboxSender::new(id, history.log, feed),
            counted_until,
        }
    }

    /// The CSS class for the hue of a person in this room.
    pub fn hue_class(self, name: &str) -> String {
        let hue = self.hues.try_update_value(|hues| hues.hue(name));
        class_of_hue(hue.unwrap_or_default())
    }

    /// Queues a message for sending, and scrolls to the newest message.
    pub fn send_message(self, message: NewMessage) {
        self.history.scroll_to_newest();
        self.sender.put(message);
    }

    /// Shows why a request failed, in the composer.
    pub fn show_error(self, failure: &Failure) {
        self.error.try_set(Some(failure.text()));
    }

    /// Replaces the room by what the server reported.
    pub fn set_room(self, room: Room) {
        self.counted_until
            .with(|counted_until| *counted_until = room.last_active_at);
        self.room.try_set(room);
    }

    /// Counts new messages in the room, and extends its life by them.
    pub fn record_activity(self, messages: &[Arc<Message>]) {
        let counted_until = self.counted_until.with(|counted_until| *counted_until);
        self.room
            .update(|room| add_activity(room, counted_until, messages));
    }

    /// Asks the server whether the room still exists and whether the visitor still has access.
    pub fn recheck_access(self) {
        spawn_task(async move {
            match api::fetch_room(self.id).await {
                Ok(room) => self.set_room(room),
                Err(failure) if matches!(failure.status(), Some(403 | 404 | 410)) => {
                    self.end_because(failure)
                }
                Err(_) => {}
            }
        });
    }

    /// The room has closed, or the visitor has lost access to it, as the server answered.
    pub fn end_because(self, failure: Failure) {
        self.removed.try_set(failure.status() != Some(410));
        self.end.try_set(Some(failure));
        // Only once: the notice that replaces the composer takes over its text.
        if self.closed.try_get_untracked() == Some(false) {
            self.closed.set(true);
            self.feed.rest();
        }
    }
}

/// The names of the visitor's account and of the authors of these messages.
fn initial_names(messages: &[Message]) -> AccountNames {
    let mut names = AccountNames::default();
    if let Some(own) = use_context::<SignedIn>().and_then(|signed| signed.account) {
        names.record(&own.username, &own.name);
    }
    for message in messages {
        names.record_author(message);
    }
    names
}

/// Counts messages in a room, and moves its end. Messages up to `counted_until` are in the count
/// already.
fn add_activity(room: &mut Room, counted_until: Option<Time>, messages: &[Arc<Message>]) {
    let uncounted = messages
        .iter()
        .filter(|message| Some(message.sent_at) > counted_until);
    room.message_count += u64::try_from(uncounted.count()).unwrap_or_default();
    let timeout = room.expires_at.since(room.last_active_at);
    let latest = messages.iter().map(|message| message.sent_at).max();
    if let Some(latest) = latest.filter(|at| *at > room.last_active_at) {
        room.last_active_at = latest;
        room.expires_at = latest.after(timeout);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures;

    fn room(last: i64, message_count: u64) -> Room {
        let [last_active_at, expires_at] = [last, last + 1_000].map(Time::from_millis);
        Room {
            last_active_at,
            expires_at,
            message_count,
            ..fixtures::room()
        }
    }

    fn message(id: u64, sent_at: i64) -> Arc<Message> {
        Arc::new(Message {
            sent_at: Time::from_millis(sent_at),
            ..fixtures::message(id)
        })
    }

    #[test]
    fn new_messages_are_counted_and_extend_the_lifetime() {
        let mut updated = room(10, 2);
        let counted_until = Some(updated.last_active_at);
        add_activity(
            &mut updated,
            counted_until,
            &[message(3, 20), message(4, 20)],
        );
        assert_eq!(updated, room(20, 4));
        add_activity(&mut updated, counted_until, &[message(6, 30)]);
        add_activity(&mut updated, counted_until, &[message(5, 25)]);
        assert_eq!(
            updated,
            room(30, 6),
            "a visitor's own message may arrive before earlier ones"
        );
    }

    #[test]
    fn messages_in_the_servers_count_are_not_counted_again() {
        let mut updated = room(30, 4);
        let counted_until = Some(updated.last_active_at);
        add_activity(
            &mut updated,
            counted_until,
            &[message(3, 20), message(4, 30)],
        );
        assert_eq!(
            updated,
            room(30, 4),
            "the room may arrive before its messages"
        );
        add_activity(&mut updated, counted_until, &[]);
        assert_eq!(updated, room(30, 4));
    }
}
