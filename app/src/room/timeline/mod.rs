//! The timeline of a room: its messages, the newest at the bottom.
//!
//! # Guarantees
//! - The view follows the newest message only while that is in view. Older messages appear above
//!   without moving the view, and screen readers do not announce them.
//! - The number of rows stays bounded.
//! - A message keeps its row when it is delivered.
//!
//! # Not here
//! Which messages are on the page (`log`, `history`).

mod code_copy;
mod files;
pub mod grouping;
mod marked_text;
pub mod mentioned;
pub mod message_body;
pub mod message_menu;
pub mod message_row;
pub mod unread_line;

use leptos::prelude::*;
use protocol::Room;
use texts::app as t;
use wasm_bindgen::JsCast;
use web_sys::{Element, MouseEvent};

use crate::browser::dom::{on_change, on_click};
use crate::reactive::{bool_signal, erase_type, text_signal};
use crate::room::ids::LOG;
use crate::room::log::message_log::MessageLog;
use crate::room::outbox::pending_message::PendingMessage;
use crate::room::outbox::queue::Outbox;
use crate::room::permissions::{is_mine, own_author};
use crate::room::share_dialog::{CopyLinkButton, InviteLink};
use crate::room::state::RoomState;
use crate::room::timeline::code_copy::copy_code;
use crate::room::timeline::grouping::{LogItem, RowPosition, TimelineRow, group_rows};
use crate::room::timeline::mentioned::MentionLookup;
use crate::room::timeline::message_menu::{MessageMenu, open_menu};
use crate::room::timeline::message_row::MessageRow;
use crate::room::timeline::unread_line::{JumpToUnread, first_unread};
use crate::room::viewport::keyboard_nav;
use crate::session::display_name::DisplayName;
use crate::time::clock::Clock;
use crate::time::duration_text;
use crate::ui::icon::Icon;
use crate::ui::identicon::Identicon;
use crate::ui::stable_list::{ListItem, stable_list};
use crate::ui::without_app::without_app;

/// The messages of a room, with their menu and the button that scrolls to the newest one.
#[component]
pub fn Timeline(state: RoomState) -> impl IntoView {
    keyboard_nav::handle_arrow_keys();
    let clock = expect_context::<Clock>();
    let name = expect_context();
    let rows = stable_list(
        move || {
            let from = state.history.drawn_from.get();
            let mut rows = visible_rows(state, name, clock);
            rows.retain(|row| row.content.pending.is_some() || row.content.message.id >= from);
            rows
        },
        move |row| view! { <MessageRow row state/> },
    );
    let live = text_signal(move || {
        if state.history.unannounced.get() > 0 {
            "off"
        } else {
            "polite"
        }
        .to_owned()
    });
    erase_type(view! {
        <div
            class="scroller"
            id=LOG
            role="log"
            aria-label=t::MESSAGES.text()
            aria-live=live
            tabindex="0"
            on:scroll=on_change(move || {
                state.history.on_scroll();
                unread_line::look(state.history);
            })
            on:click=act_on_click(state)
        >
            <div class="column">
                <TimelineStart state/>
                {empty_room_hint(state)}
                {waiting_rows(state, name, clock)}
                {rows}
            </div>
        </div>
        <JumpToUnread state/>
        <JumpToNewest state/>
        <MessageMenu state/>
    })
}

/// The rows that the app draws later, for pages without the app.
fn waiting_rows(state: RoomState, name: DisplayName, clock: Clock) -> impl IntoView {
    let from = state.history.drawn_from;
    let rows = move || {
        let rows = visible_rows(state, name, clock).into_iter();
        let waiting = rows.filter(|row| row.content.message.id < from.get_untracked());
        waiting
            .map(|row| view! { <MessageRow row=row.content state/> }.into_view())
            .collect_view()
    };
    without_app(bool_signal(move || from.get() == 0), rows)
}

/// A click handler for the log: the buttons in the messages.
fn act_on_click(state: RoomState) -> Box<dyn FnMut(MouseEvent)> {
    Box::new(move |event| {
        let target: Option<Element> = event.target().and_then(|target| target.dyn_into().ok());
        let closest = |selector| target.as_ref()?.closest(selector).ok().flatten();
        if let Some(button) = closest(".message-menu-button") {
            open_menu(state, &button);
        } else if let Some(button) = closest(".copy-code") {
            copy_code(button);
        }
    })
}

/// What is shown above the oldest message.
#[component]
fn TimelineStart(state: RoomState) -> impl IntoView {
    let clock = expect_context::<Clock>();
    let has_older = move || state.history.log.with(|log| log.has_older());
    let text = text_signal(move || {
        if has_older() {
            return t::EARLIER_MESSAGES.text().to_owned();
        }
        let created_at = state.room.with(|room| room.created_at);
        t::OPENED_ON.fill([&clock.date(created_at)])
    });
    // The description is shown where the log starts.
    let description = text_signal(move || {
        if has_older() {
            return String::new();
        }
        state
            .room
            .with(|room| room.description.clone().unwrap_or_default())
    });
    view! {
        <p class="description"><bdi>{description}</bdi></p>
        <p class="hint log-start">{text}</p>
    }
}

/// What an open room without messages shows.
fn empty_room_hint(state: RoomState) -> impl IntoView {
    let is_hidden = bool_signal(move || {
        let is_log_empty = state.history.log.with(|log| log.messages().is_empty());
        !is_log_empty
            || state.closed.get()
            || state
                .sender
                .outbox()
                .with(|outbox| outbox.shown().next().is_some())
    });
    let private = bool_signal(move || state.is_private());
    let next_step = text_signal(move || next_step_text(state).to_owned());
    let lifetime = text_signal(move || state.room.with(lifetime_text));
    view! {
        <div hidden=is_hidden class="hint">
            <p><Identicon id=Some(state.id)/></p>
            <p>{t::NO_MESSAGES_YET.text()}" "<span class="share-control">{next_step}</span></p>
            <p class="share-control">{lifetime}</p>
            <p hidden=private class="share-control"><CopyLinkButton id=state.id/></p>
            <p hidden=bool_signal(move || !state.can_invite() || !state.is_private())><InviteLink id=state.id/></p>
        </div>
    }
}

fn lifetime_text(room: &Room) -> String {
    let lifetime = room.expires_at.since(room.last_active_at);
    t::ROOM_LIFETIME.fill([&duration_text::format_words(lifetime)])
}

fn next_step_text(state: RoomState) -> &'static str {
    if state.write_obstacle().is_some() {
        ""
    } else if !state.is_private() {
        t::SEND_LINK_AND_WRITE.text()
    } else if state.can_invite() {
        t::INVITE_AND_WRITE.text()
    } else {
        t::WRITE_FIRST.text()
    }
}

/// The button that scrolls to the newest message, shown while that is out of view.
#[component]
fn JumpToNewest(state: RoomState) -> impl IntoView {
    let text = text_signal(move || match state.history.unseen_below.get() {
        0 => t::NEWEST.text().to_owned(),
        count => t::N_NEW_MESSAGES.count(count as u64, []),
    });
    erase_type(view! {
        <button hidden=bool_signal(move || state.history.at_end.get()) type="button" class="jump-to-newest" on:click=on_click(move || state.history.scroll_to_newest())>
                {Icon::Down.view()}
                {text}
        </button>
    })
}

/// The rows to show: a part of the log, and at its end the outbox.
fn visible_rows(
    state: RoomState,
    name: DisplayName,
    clock: Clock,
) -> Vec<ListItem<RowPosition, TimelineRow>> {
    let window = state.history.window.get();
    let author = own_author(name);
    let closed = state.closed.get();
    let names = state.names.get();
    let read_until = state.history.read_until.get();
    let list = |log: &MessageLog, outbox: &Outbox| {
        let range = window.range(log);
        let previous = range
            .start
            .checked_sub(1)
            .and_then(|index| log.messages().get(index))
            .cloned();
        let delivered = log.messages()[range].iter().map(LogItem::delivered);
        let pending = outbox.shown().filter(|_| window.at_end());
        let pending = pending.map(|pending| {
            let pending = with_end_of_room(pending, closed);
            LogItem::pending(&pending, state.id, author, &names)
        });
        let rows = group_rows(
            previous,
            delivered.chain(pending),
            |message| is_mine(message, name),
            |message| clock.local_time(message.sent_at).day(),
        );
        let people = MentionLookup { state, name, log };
        let unread =
            read_until.and_then(|until| first_unread(log, until, |message| is_mine(message, name)));
        let item = |row: TimelineRow| {
            let starts_unread = row.pending.is_none() && Some(row.message.id) == unread;
            let row = TimelineRow {
                starts_unread,
                starts_group: row.starts_group || starts_unread,
                role: state.role_of_author(&row.message.username, row.message.author),
                mentioned: people.find_all(row.message.marks()),
                ..row
            };
            list_item(row, outbox)
        };
        rows.into_iter().map(item).collect()
    };
    state
        .history
        .log
        .with(|log| state.sender.outbox().with(|outbox| list(log, outbox)))
}

/// A pending message: once the room has closed, it will never be sent.
fn with_end_of_room(pending: &PendingMessage, closed: bool) -> PendingMessage {
    let reason = closed.then(|| t::CAN_NO_LONGER_WRITE.text().to_owned());
    PendingMessage {
        refused: reason.or_else(|| pending.refused.clone()),
        ..pending.clone()
    }
}

/// The row with its key. A message that was just delivered had another key while it was pending.
fn list_item(row: TimelineRow, outbox: &Outbox) -> ListItem<RowPosition, TimelineRow> {
    ListItem {
        key: row.position(),
        previous_key: outbox
            .delivered_as(row.message.id)
            .map(RowPosition::of_pending),
        content: row,
    }
}
