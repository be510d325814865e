//! What replaces the composer after a room has closed, or the visitor has lost access.
//!
//! # Guarantees
//! The unsent text can still be copied, and the messages can be saved.

use leptos::prelude::*;
use texts::app as t;
use web_sys::HtmlTextAreaElement;

use crate::api::Failure;
use crate::browser::dom::{browser_effect, element_by_id, focus_heading, on_click};
use crate::initial_state::room_title;
use crate::reactive::{erase_type, text_signal};
use crate::room::composer::draft::read_draft;
use crate::room::ids::FIELD;
use crate::room::state::RoomState;
use crate::room::transcript::{save_file, transcript};
use crate::room_list::sidebar::NEW_ROOM;
use crate::time::clock::Clock;

/// The notice.
#[component]
pub fn RoomClosed(state: RoomState) -> impl IntoView {
    let clock = expect_context::<Clock>();
    let unsent = unsent_text(state);
    let nothing_unsent = unsent.is_empty();
    let removed = move || state.removed.get();
    let reason = text_signal(move || match state.end.get() {
        // A room that is hidden from the visitor now does not say why.
        Some(failure) if failure.status() != Some(404) => end_text(&failure, clock),
        _ => reason(removed()).to_owned(),
    });
    let scope = text_signal(move || scope_text(state).to_owned());
    take_over_focus();
    erase_type(view! {
        <section class="closed" aria-labelledby="closed-title">
            <h2 id="closed-title">{text_signal(move || heading(removed()).to_owned())}</h2>
            <p>
                {reason}
                " "
                {scope}
                " "
                {t::GONE_WHEN_YOU_LEAVE.text()}
            </p>
            <label hidden=nothing_unsent class="field">
                <span>{t::UNSENT_MESSAGE.text()}</span>
                <textarea readonly>{unsent}</textarea>
            </label>
            <p class="row">
                <button type="button" class="primary" on:click=on_click(move || save_transcript(state, clock))>{t::SAVE_TRANSCRIPT.text()}</button>
                <button type="button" popovertarget=NEW_ROOM>{t::NEW_ROOM.text()}</button>
            </p>
        </section>
    })
}

/// The text in the composer, which is still on the page here. While a message is edited, its field
/// does not hold the draft.
fn unsent_text(state: RoomState) -> String {
    if state.editing.get_untracked() > 0 {
        return read_draft(state.id);
    }
    element_by_id::<HtmlTextAreaElement>(FIELD)
        .map(|field| field.value())
        .unwrap_or_default()
}

/// Gives the heading the focus if the composer has it now.
fn take_over_focus() {
    let had_focus = document()
        .active_element()
        .is_some_and(|element| element.matches("footer *").unwrap_or(false));
    browser_effect(move || {
        if had_focus {
            focus_heading("#closed-title");
        }
    });
}

fn save_transcript(state: RoomState, clock: Clock) {
    let title = state.room.with_untracked(room_title);
    let text = state
        .history
        .log
        .with_untracked(|log| transcript(&title, log.messages(), |time| clock.local_time(time)));
    // The browser itself reports a download that fails.
    let _ = save_file(&format!("{}.txt", state.id), &text);
}

fn scope_text(state: RoomState) -> &'static str {
    if state.history.log.with(|log| log.has_older()) {
        t::LATEST_STILL_HERE.text()
    } else {
        t::ALL_STILL_HERE.text()
    }
}

/// Why a room is closed, with the time until which the visitor is banned.
pub fn end_text(failure: &Failure, clock: Clock) -> String {
    match failure {
        Failure::Refused(problem, _) => match problem.until {
            Some(until) => t::BANNED_UNTIL.fill([&clock.full_text(until)]),
            None => failure.text(),
        },
        Failure::Foreign(..) | Failure::Unreachable => failure.text(),
    }
}

fn heading(removed: bool) -> &'static str {
    if removed {
        t::NO_LONGER_IN_ROOM.text()
    } else {
        t::ROOM_HAS_CLOSED.text()
    }
}

fn reason(removed: bool) -> &'static str {
    if removed {
        t::LEFT_OR_REMOVED.text()
    } else {
        t::ENDED_OR_CLOSED.text()
    }
}
