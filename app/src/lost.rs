//! Where there is nothing, or no more: an unknown address, no such room, a room that closed.
//!
//! Promises: each says what happened and what to do next; what was being written when a room closed can still be copied.

use leptos::prelude::*;
use web_sys::HtmlTextAreaElement;

use crate::api::Failure;
use crate::browser::{click, find, focus_heading, live};
use crate::clock::Clock;
use crate::composer::{FIELD, draft};
use crate::opening::{room_title, title};
use crate::part::{part, text};
use crate::seal::icon;
use crate::storage;
use crate::tab;
use crate::transcript::{save, transcript};
use crate::visit::Visit;

/// An address that leads nowhere.
#[component]
pub fn Lost() -> impl IntoView {
    tab::name(title(Some("Not found")));
    tab::face(icon(None));
    part(view! {
        <main class="page notice">
            <h1>"There is nothing here"</h1>
            <p>"This address leads to no page. If it was meant to be a room, check that its ID has 16 characters, each 0–9 or a–f."</p>
            <p class="row"><a class="button" href="/">"Go to the rooms"</a></p>
        </main>
    })
}

/// A room that cannot be shown, and why.
#[component]
pub fn NoRoom(failure: Failure, again: impl Fn() + Copy + Send + 'static) -> impl IntoView {
    let (heading, words) = match failure.status() {
        Some(404) => {
            ("No such room", "There is no room with this ID. Check the link, or ask whoever sent it for a new one.".to_owned())
        }
        Some(410) => (
            "This room has closed",
            "It fell quiet, or its owner closed it, and its messages were deleted. Whoever had it open can still save what they see.".to_owned(),
        ),
        _ => ("The room cannot be opened", failure.words()),
    };
    let retry = !matches!(failure.status(), Some(404 | 410));
    tab::name(title(Some(heading)));
    tab::face(icon(None));
    part(view! {
        <main class="page notice">
            <h1>{heading}</h1>
            <p>{words}</p>
            <p class="row">
                {retry.then(|| view! { <button type="button" class="needs-script" on:click=click(again)>"Try again"</button> })}
                <a class="button" href="/">"Go to the rooms"</a>
            </p>
        </main>
    })
}

/// What stands in the composer's place once the room is gone.
#[component]
pub fn Closed(visit: Visit) -> impl IntoView {
    let clock = expect_context::<Clock>();
    // What it takes the place of is still on the page while it is made. While a message is edited the field has that.
    let unsent = match visit.editing.get_untracked() {
        0 => find::<HtmlTextAreaElement>(FIELD).map(|field| field.value()),
        _ => storage::get(&draft(visit)),
    };
    let unsent = unsent.unwrap_or_default();
    let nothing = unsent.is_empty();
    let wrote = document()
        .active_element()
        .is_some_and(|at| at.matches("footer *").unwrap_or(false));
    live(move || {
        if wrote {
            focus_heading("#closed-title");
        }
    });
    let keep = move || {
        let title = visit.room.with_untracked(room_title);
        let text = visit
            .log
            .with_untracked(|log| transcript(&title, log.messages(), |time| clock.wall(time)));
        // A browser that saves nothing says so itself.
        let _ = save(&format!("{}.txt", visit.id), &text);
    };
    let what = text(move || match visit.log.with(|log| log.has_older()) {
        false => "Everything that was said is still on this page.".to_owned(),
        true => "The latest messages are still on this page.".to_owned(),
    });
    let (heading, why) = match visit.removed.get_untracked() {
        false => (
            "This room has closed",
            "It fell quiet, or its owner closed it. ",
        ),
        true => (
            "You are no longer in this room",
            "You left, or its moderators let you in no more. ",
        ),
    };
    part(view! {
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
                <button type="button" class="primary" on:click=click(keep)>"Save transcript"</button>
                <button>"New room"</button>
            </form>
        </section>
    })
}
