//! The form in which messages are written.
//!
//! # Guarantees
//! - Enter sends, and Shift+Enter starts a new line. With an on-screen keyboard, Enter starts a new
//!   line and the button sends.
//! - Without a script it is a plain form.
//!
//! # Not here
//! Delivering a message (`outbox`).

pub mod draft;
mod editing;
mod files;
pub mod mention_list;
mod message_form;
mod splitting;
mod status_line;
mod typing;

use leptos::prelude::*;
use texts::app as t;

use crate::api;
use crate::browser::dom::{browser_effect, on_change, on_submit, on_window_capture};
use crate::initial_state::FirstContent;
use crate::reactive::{ErrorText, bool_signal, erase_type, text_signal};
use crate::room::composer::draft::DraftField;
use crate::room::composer::mention_list::{MentionList, MentionOptions};
use crate::room::composer::message_form::MessageForm;
use crate::room::composer::status_line::StatusLine;
use crate::room::composer::typing::{TypingIndicator, TypingReporter};
use crate::room::ids::{FIELD, NOTICE};
use crate::room::state::RoomState;
use crate::time::clock::Clock;
use crate::ui::icon::Icon;
use crate::ui::later::later;

/// The form below the messages of a room.
#[component]
pub fn Composer(state: RoomState) -> impl IntoView {
    let form = create_form(state);
    let cannot_write = bool_signal(move || state.write_obstacle().is_some());
    let clock = expect_context::<Clock>();
    let is_muted = bool_signal(move || state.muted_until(clock.now()).is_some());
    let obstacle = text_signal(move || state.write_obstacle().unwrap_or_default().to_owned());
    erase_type(view! {
        <p hidden=bool_signal(move || state.write_obstacle().is_none()) class="composer-notice">{obstacle}</p>
        <div id=NOTICE role="status" class="status-message"></div>
        <form
            hidden=cannot_write
            class="composer"
            method="post"
            enctype="multipart/form-data"
            action=format!("{}files/", api::room_path(state.id))
            on:submit=on_submit(move || form.send())
        >
            // Enter in the field for the name sends nothing, also without a script: the browser would
            // press the first button of the form.
            <button hidden disabled></button>
            <MentionOptions list=form.mentions/>
            <TypingIndicator state/>
            {later(1, move || view! { <StatusLine form/> })}
            <p class="composer-input">
                {files::attach_field()}
                <textarea
                    id=FIELD
                    name="body"
                    rows="1"
                    aria-label=t::MESSAGE.text()
                    placeholder=t::WRITE_MESSAGE.text()
                    data-find
                    on:input=on_change(move || form.on_input())
                    on:keydown=move |event| form.on_key(&event)
                ></textarea>
                <button class="send-button" disabled=is_muted aria-label=t::SEND.text() title=t::SEND.text()>{Icon::Send.view()}</button>
            </p>
            <ErrorText text=state.error/>
        </form>
    })
}

/// Creates what the form needs, and starts its effects.
fn create_form(state: RoomState) -> MessageForm {
    let field = DraftField::new(state);
    let form = MessageForm {
        state,
        name: expect_context(),
        field,
        mentions: MentionList::new(state, expect_context(), field),
        typing: TypingReporter::new(state),
    };
    editing::fill_field_on_edit(state, field);
    let navigated = expect_context::<FirstContent>().is_over();
    browser_effect(move || form.on_shown(navigated));
    browser_effect(move || on_window_capture("blur", move |_| form.mentions.close()));
    form
}
