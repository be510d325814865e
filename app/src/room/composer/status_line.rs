//! The line above the message field: the display name, whether a message is edited, how many
//! messages wait, and how many characters are left.

use leptos::prelude::*;
use protocol::text::BODY_MAX;

use crate::browser::dom::{on_change, on_click};
use crate::connection::sharing::stream_event::ConnectionState;
use crate::reactive::{bool_signal, erase_type, text_signal};
use crate::room::composer::editing;
use crate::room::composer::message_form::MessageForm;
use crate::room::ids::WRITING_AS;
use crate::room::state::RoomState;
use crate::time::clock::{self, Clock};
use crate::ui::avatar::hue_class;

/// The number of characters left from which on it is shown.
const COUNT_FROM: usize = 400;

/// The line.
#[component]
pub fn StatusLine(form: MessageForm) -> impl IntoView {
    let MessageForm {
        state, name, field, ..
    } = form;
    let not_editing = bool_signal(move || state.editing.get() == 0);
    let hue = text_signal(move || format!("author-field {}", hue_class(&name.get())));
    let too_long = bool_signal(move || field.length.get() > BODY_MAX);
    let count = text_signal(move || characters_left(field.length.get()));
    erase_type(view! {
        <p class="composer-status">
            <label class=hue>
                <span>"Writing as"</span>
                <input
                    id=WRITING_AS
                    name="username"
                    value=name.get_untracked()
                    autocomplete="nickname"
                    spellcheck="false"
                    required=not_editing
                    readonly=name.is_fixed
                    on:change=on_change(move || { form.change_name(); })
                />
            </label>
            <span hidden=not_editing class="editing" role="status">
                "Editing a message "
                <button type="button" class="link-button" on:click=on_click(move || editing::cancel_edit(state, field))>"Cancel"</button>
            </span>
            <QueueStatus state/>
            <span class="character-count" class:too-long=too_long>{count}</span>
        </p>
    })
}

fn characters_left(length: usize) -> String {
    match BODY_MAX.checked_sub(length) {
        Some(left) if left <= COUNT_FROM => format!("{left} left"),
        Some(_) => String::new(),
        None => format!("{} too many", length - BODY_MAX),
    }
}

/// How many messages wait, if they do, and until when.
#[component]
fn QueueStatus(state: RoomState) -> impl IntoView {
    let clock = expect_context::<Clock>();
    let text = text_signal(move || queue_text(state, clock));
    view! { <span class="queue-status" class:idle=bool_signal(move || text.with(String::is_empty)) role="status">{text}</span> }
}

fn queue_text(state: RoomState, clock: Clock) -> String {
    let waiting = state.sender.outbox().with(|outbox| outbox.waiting());
    if waiting == 0 {
        return String::new();
    }
    match state.sender.pause() {
        Some(pause) if pause.asked => {
            // Only tracked, so that the seconds count down: `until` is a time of this machine.
            clock.now();
            let seconds = pause.until.since(clock::now()).as_secs() + 1;
            format!("{waiting} waiting · going on in {seconds} s")
        }
        None if state.feed.state() != ConnectionState::Offline => String::new(),
        _ => format!("{waiting} waiting"),
    }
}
