//! The line above the message field: the display name, whether the visitor is muted or a message is
//! edited, how many messages wait, and how many characters are left.
//!
//! # Guarantees
//! A visitor who has chosen no name is asked for one until the first message.

use leptos::prelude::*;
use protocol::Time;
use protocol::text::BODY_MAX;
use texts::app as t;

use crate::browser::dom::{focus_field, on_change, on_click, on_enter};
use crate::connection::sharing::stream_event::ConnectionState;
use crate::reactive::{bool_signal, erase_type, text_signal};
use crate::room::composer::message_form::MessageForm;
use crate::room::ids::{FIELD, WRITING_AS};
use crate::room::state::RoomState;
use crate::time::clock::Clock;
use crate::time::duration_text;
use crate::ui::icon::Icon;

/// The number of characters left from which on it is shown.
const COUNT_FROM: usize = 400;

/// The line.
#[component]
pub fn StatusLine(form: MessageForm) -> impl IntoView {
    let MessageForm {
        state, name, field, ..
    } = form;
    let clock = expect_context::<Clock>();
    let not_editing = bool_signal(move || state.editing.get() == 0);
    let is_asked = move || !name.is_chosen();
    let hue = text_signal(move || {
        let asked = if is_asked() { " asked" } else { "" };
        format!("author-field {}{asked}", state.hue_class(&name.get()))
    });
    let label = text_signal(move || {
        if is_asked() {
            t::YOUR_NAME_IS.text()
        } else {
            t::WRITING_AS.text()
        }
        .to_owned()
    });
    let muted = text_signal(move || muted_text(state, clock.now()));
    let too_long = bool_signal(move || state.draft_length.get() > BODY_MAX);
    let count = text_signal(move || characters_left(state.draft_length.get()));
    let parts = Memo::new(move |_| form.count_parts());
    erase_type(view! {
        <p class="composer-status">
            <label class=hue>
                <span>{label}</span>
                <input
                    id=WRITING_AS
                    name="username"
                    value=name.get_untracked()
                    autocomplete="nickname"
                    spellcheck="false"
                    required=not_editing
                    readonly=name.is_fixed
                    on:change=on_change(move || { form.change_name(); })
                    on:keydown=on_enter(move || {
                        if form.change_name() {
                            focus_field(FIELD);
                        }
                    })
                />
                {(!name.is_fixed).then(|| Icon::Pencil.view())}
            </label>
            <span hidden=bool_signal(move || muted.with(String::is_empty)) class="muted" role="status">{muted}</span>
            <span hidden=not_editing class="editing" role="status">
                {t::EDITING_MESSAGE.text()}
                " "
                <button type="button" class="link-button" on:click=on_click(move || field.end_edit())>{t::CANCEL.text()}</button>
            </span>
            <QueueStatus state/>
            <span class="character-count" class:too-long=too_long>{count}</span>
            <button hidden=bool_signal(move || parts.get() == 0) type="button" class="link-button" on:click=on_click(move || form.send_in_parts())>
                {text_signal(move || t::SEND_IN_PARTS.fill([&parts.get().to_string()]))}
            </button>
        </p>
    })
}

/// Until when the visitor is muted, if they are.
fn muted_text(state: RoomState, now: Time) -> String {
    match state.muted_until(now) {
        None => String::new(),
        Some(None) => t::YOU_ARE_MUTED.text().to_owned(),
        Some(Some(until)) => {
            let time = duration_text::format_long(until.since(now));
            t::YOU_ARE_MUTED_FOR.fill([&time])
        }
    }
}

fn characters_left(length: usize) -> String {
    match BODY_MAX.checked_sub(length) {
        Some(left) if left <= COUNT_FROM => t::CHARACTERS_LEFT.fill([&left.to_string()]),
        Some(_) => String::new(),
        None => t::CHARACTERS_OVER.fill([&(length - BODY_MAX).to_string()]),
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
            // Tracked, so that the seconds count down.
            let seconds = pause.until.since(clock.now()).as_secs() + 1;
            t::WAITING_UNTIL.fill([&waiting.to_string(), &seconds.to_string()])
        }
        None if state.feed.state() != ConnectionState::Offline => String::new(),
        _ => t::N_WAITING.fill([&waiting.to_string()]),
    }
}
