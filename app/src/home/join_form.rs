//! The form that joins a room by its link, an invitation or its ID.
//!
//! # Guarantees
//! An input that leads to no room stays in the field, with an error message.

use leptos::prelude::*;
use protocol::LinkTarget;
use texts::app as t;
use web_sys::HtmlInputElement;

use crate::api::{self, Failure};
use crate::browser::dom::{element_by_id, load_page, on_submit, spawn_task};
use crate::reactive::{ErrorText, erase_type, text_signal};
use crate::router::{Route, Router};

/// The form; `rejected_link` is an earlier input that leads to no room.
#[component]
pub fn JoinForm(rejected_link: Option<String>) -> impl IntoView {
    let error = RwSignal::new(rejected_link.as_deref().map(input_error));
    let router = expect_context::<Router>();
    let submit = move || join_room(router, error);
    erase_type(view! {
        <form
            class="join-form"
            method="get"
            action="/"
            on:submit=on_submit(submit)
        >
            <label for="join">{t::JOIN_ROOM.text()}</label>
            <div class="row">
                <input
                    id="join"
                    name="room"
                    value=rejected_link.unwrap_or_default()
                    placeholder=t::LINK_INVITATION_ID.text()
                    autocomplete="off"
                    autocapitalize="none"
                    spellcheck="false"
                    aria-describedby="join-error"
                    aria-invalid=text_signal(move || error.with(Option::is_some).to_string())
                />
                <button>{t::JOIN.text()}</button>
            </div>
            <ErrorText id="join-error" text=error/>
        </form>
    })
}

/// Navigates to the room that was entered, or shows why there is none.
fn join_room(router: Router, error: RwSignal<Option<String>>) {
    let input = element_by_id::<HtmlInputElement>("join")
        .map(|field| field.value())
        .unwrap_or_default();
    error.set(None);
    let id = match LinkTarget::find_in(&input) {
        Some(LinkTarget::Room(id)) => id,
        Some(LinkTarget::Page(path)) => return load_page(&path),
        None => return error.set(Some(input_error(&input))),
    };
    let from = router.route_untracked();
    spawn_task(async move {
        match api::fetch_room(id).await {
            Ok(_) => router.navigate_from(from, Route::Room(id)),
            Err(failure) => drop(error.try_set(Some(room_error(&failure)))),
        }
    });
}

fn room_error(failure: &Failure) -> String {
    match failure.status() {
        Some(404) => t::UNKNOWN_LINK.text().to_owned(),
        // The server says why a room has closed.
        _ => failure.text(),
    }
}

fn input_error(text: &str) -> String {
    let error = match LinkTarget::find_in(text) {
        _ if text.trim().is_empty() => t::PASTE_LINK,
        Some(_) => t::UNKNOWN_LINK,
        None => t::UNREADABLE_LINK,
    };
    error.text().to_owned()
}
