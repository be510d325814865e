//! The log of a room, newest at the bottom.
//!
//! Promises: sticks to the newest message only while that is in view; older pages come in above without a jump and
//! without being announced; what is drawn stays bounded (`log`); a message on its way becomes the delivered one where it
//! stands. Leaves to others: single messages (`message`).

pub mod grouping;
pub mod keyboard_nav;
pub mod message_body;
pub mod message_menu;
pub mod message_row;
pub mod scroll;

use std::sync::Arc;

use leptos::prelude::*;

use crate::browser::dom::{on_change, on_click};
use crate::reactive::{bool_signal, erase_type, text_signal};
use crate::room::ids::LOG;
use crate::room::log::message_log::MessageLog;
use crate::room::outbox::queue::Outbox;
use crate::room::permissions::own_author;
use crate::room::share_dialog::{CopyLinkButton, InviteLink};
use crate::room::state::RoomState;
use crate::room::timeline::grouping::{RowPosition, TimelineRow, group_rows};
use crate::room::timeline::message_menu::{MessageMenu, select_message};
use crate::room::timeline::message_row::MessageRow;
use crate::session::display_name::DisplayName;
use crate::time::clock::Clock;
use crate::ui::icon::Icon;
use crate::ui::identicon::Identicon;
use crate::ui::stable_list::{ListItem, stable_list};

/// The log of the room that is visited.
#[component]
pub fn Timeline(state: RoomState) -> impl IntoView {
    keyboard_nav::listen();
    let clock = expect_context::<Clock>();
    let name = expect_context();
    let rows = stable_list(
        move || drawn(state, name, clock),
        move |row| view! { <MessageRow row state/> },
    );
    let silent = move || {
        state
            .sender
            .outbox()
            .with(|outbox| outbox.shown().next().is_none())
    };
    let loud =
        bool_signal(move || !state.history.log.with(|log| log.messages().is_empty()) || !silent());
    let private = bool_signal(move || state.is_private());
    let first = text_signal(move || match (state.is_private(), state.can_invite()) {
        _ if state.write_obstacle().is_some() => String::new(),
        (false, _) => "Send the link to somebody and say the first word.".to_owned(),
        (true, true) => "Invite somebody and say the first word.".to_owned(),
        (true, false) => "Say the first word.".to_owned(),
    });
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
            aria-label="Messages"
            aria-live=live
            tabindex="0"
            class:can-write=bool_signal(move || !state.closed.get())
            class:can-moderate=bool_signal(move || state.can_moderate())
            on:scroll=on_change(move || state.history.on_scroll())
            on:click=select_message(state)
        >
            <div class="column">
                <Beginning state/>
                <div hidden=loud class="hint">
                    <p><Identicon id=Some(state.id)/></p>
                    <p>"Nobody has written yet. "<span class="share-control">{first}</span></p>
                    <p hidden=private class="share-control"><CopyLinkButton id=state.id/></p>
                    <p hidden=bool_signal(move || !state.can_invite() || !state.is_private())><InviteLink id=state.id/></p>
                </div>
                {rows}
            </div>
        </div>
        <ToNewest state/>
        <MessageMenu state/>
    })
}

/// What stands above the oldest message.
#[component]
fn Beginning(state: RoomState) -> impl IntoView {
    let clock = expect_context::<Clock>();
    let words = text_signal(move || {
        if state.history.log.with(|log| log.has_older()) {
            return "Earlier messages".to_owned();
        }
        format!(
            "Opened on {}",
            clock
                .local_time(state.room.with(|room| room.created_at))
                .date()
        )
    });
    // Where the log begins, it says what it is about.
    let about = text_signal(
        move || match state.history.log.with(|log| log.has_older()) {
            true => String::new(),
            false => state
                .room
                .with(|room| room.description.clone().unwrap_or_default()),
        },
    );
    view! {
        <p class="description"><bdi>{about}</bdi></p>
        <p class="hint log-start">{words}</p>
    }
}

/// The way to the newest message, while that is out of view.
#[component]
fn ToNewest(state: RoomState) -> impl IntoView {
    let words = text_signal(move || match state.history.unseen_below.get() {
        0 => "Newest".to_owned(),
        1 => "1 new message".to_owned(),
        count => format!("{count} new messages"),
    });
    erase_type(view! {
        <button hidden=bool_signal(move || state.history.at_end.get()) type="button" class="jump-to-newest" on:click=on_click(move || state.history.scroll_to_newest())>
                {Icon::Down.view()}
                {words}
        </button>
    })
}

/// What is drawn of the log, and below it what is on its way, set as it will be when it is delivered.
fn drawn(
    state: RoomState,
    name: DisplayName,
    clock: Clock,
) -> Vec<ListItem<RowPosition, TimelineRow>> {
    let (window, own, author) = (state.history.window.get(), name.get(), own_author(name));
    let set = |log: &MessageLog, outbox: &Outbox| {
        let range = window.range(log);
        let previous = range
            .start
            .checked_sub(1)
            .and_then(|index| log.messages().get(index))
            .cloned();
        let said = log.messages()[range]
            .iter()
            .map(|message| (message.clone(), None));
        let waiting = outbox.shown().filter(|_| window.at_end());
        let waiting = waiting.map(|parcel| {
            (
                Arc::new(parcel.message(state.id, author)),
                Some(parcel.clone()),
            )
        });
        let rows = group_rows(previous, said.chain(waiting), &own, |message| {
            clock.local_time(message.sent_at).day()
        });
        rows.into_iter().map(|row| item(row, outbox)).collect()
    };
    state
        .history
        .log
        .with(|log| state.sender.outbox().with(|outbox| set(log, outbox)))
}

fn item(row: TimelineRow, outbox: &Outbox) -> ListItem<RowPosition, TimelineRow> {
    ListItem {
        key: row.place(),
        previous_key: outbox.delivered_as(row.message.id).map(RowPosition::of),
        content: row,
    }
}
