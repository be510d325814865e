//! The page of a room that cannot be opened.

use leptos::prelude::*;
use texts::app as t;

use crate::api::Failure;
use crate::browser::dom::on_click;
use crate::initial_state::document_title;
use crate::page_title;
use crate::reactive::{erase_type, text_signal};
use crate::room::closed::end_text;
use crate::time::clock::Clock;

/// The page: says why the room cannot be opened, and what the visitor can do. `retry` tries again.
#[component]
pub fn RoomUnavailable(
    failure: Failure,
    retry: impl Fn() + Copy + Send + 'static,
) -> impl IntoView {
    let clock = expect_context::<Clock>();
    let can_retry = !matches!(failure.status(), Some(404 | 410));
    let Explanation { heading, text } = Explanation::of(failure, clock);
    page_title::show_page(document_title(Some(heading)));
    erase_type(view! {
        <main class="page notice">
            <h1>{heading}</h1>
            <p>{text}</p>
            <p class="row">
                {can_retry.then(|| view! { <button type="button" class="script-only" on:click=on_click(retry)>{t::TRY_AGAIN.text()}</button> })}
                <a class="button" href="/">{t::GO_TO_ROOMS.text()}</a>
            </p>
        </main>
    })
}

/// What the page says.
struct Explanation {
    heading: &'static str,
    text: Signal<String>,
}

impl Explanation {
    fn of(failure: Failure, clock: Clock) -> Self {
        match failure.status() {
            Some(404) => Self {
                heading: t::NO_SUCH_ROOM.text(),
                text: text_signal(|| t::NO_SUCH_ROOM_HINT.text().to_owned()),
            },
            Some(410) => Self {
                heading: t::ROOM_HAS_CLOSED.text(),
                text: text_signal(move || {
                    format!("{} {}", failure.text(), t::OTHERS_CAN_SAVE.text())
                }),
            },
            _ => Self {
                heading: t::ROOM_CANNOT_OPEN.text(),
                text: text_signal(move || end_text(&failure, clock)),
            },
        }
    }
}
