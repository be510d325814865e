//! Where there is nothing, or no more: an unknown address, no such room, a room that closed.
//!
//! Promises: each says what happened and what to do next; what was being written when a room closed can still be copied.

use leptos::prelude::*;
use web_sys::HtmlTextAreaElement;

use crate::browser::dom::{browser_effect, element_by_id, focus_heading, on_click};
use crate::initial_state::room_title;
use crate::reactive::{erase_type, text_signal};
use crate::room::composer::draft::stored_draft;
use crate::room::ids::FIELD;
use crate::room::state::RoomState;
use crate::room::transcript::{save, transcript};
use crate::time::clock::Clock;

/// What stands in the composer's place once the room is gone.
#[component]
pub fn RoomClosed(state: RoomState) -> impl IntoView {
    let clock = expect_context::<Clock>();
    // What it takes the place of is still on the page while it is made. While a message is edited the field has that.
    let unsent = match state.editing.get_untracked() {
        0 => element_by_id::<HtmlTextAreaElement>(FIELD).map(|field| field.value()),
        _ => Some(stored_draft(state.id)),
    };
    let unsent = unsent.unwrap_or_default();
    let nothing = unsent.is_empty();
    let wrote = document()
        .active_element()
        .is_some_and(|at| at.matches("footer *").unwrap_or(false));
    browser_effect(move || {
        if wrote {
            focus_heading("#closed-title");
        }
    });
    let keep = move || {
        let title = state.room.with_untracked(room_title);
        let text = state.history.log.with_untracked(|log| {
            transcript(&title, log.messages(), |time| clock.local_time(time))
        });
        // A browser that saves nothing says so itself.
        let _ = save(&format!("{}.txt", state.id), &text);
    };
    let what = text_signal(
        move || match state.history.log.with(|log| log.has_older()) {
            false => "Everything that was said is still on this page.".to_owned(),
            true => "The latest messages are still on this page.".to_owned(),
        },
    );
    let (heading, why) = match state.removed.get_untracked() {
        false => (
            "This room has closed",
            "It fell quiet, or its owner closed it. ",
        ),
        true => (
            "You are no longer in this room",
            "You left, or its moderators let you in no more. ",
        ),
    };
    erase_type(view! {
        <section class="closed" aria-labelledby="closed-title">
            <h2 id="closed-title">{heading}</h2>
            <p>
                {why}
                {what}
                " It is gone when you leave."
            </p>
            <label hidden=nothing class="field">
                <span>"What you had not sent"</span>
                <textarea readonly>{unsent}</textarea>
            </label>
            <form class="row" method="post" action="/rooms/">
                <button type="button" class="primary" on:click=on_click(keep)>"Save transcript"</button>
                <button>"New room"</button>
            </form>
        </section>
    })
}
