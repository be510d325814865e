//! The form that creates a room.
//!
//! # Guarantees
//! One click creates a room; the options are folded away. An error is shown at its field.

use leptos::prelude::*;
use protocol::NewRoom;
use web_sys::{HtmlInputElement, HtmlSelectElement};

use crate::api::{self, Failure};
use crate::browser::dom::{element_by_id, on_submit, spawn_task};
use crate::reactive::{ErrorText, bool_signal, erase_type, text_signal};
use crate::router::{Route, Router};
use crate::ui::visibility_field::VisibilityField;

/// The lifetimes that can be chosen: value and label.
const LIFETIMES: [(&str, &str); 4] = [
    ("", "As long as this server allows"),
    ("30m", "30 minutes"),
    ("1h", "1 hour"),
    ("6h", "6 hours"),
];

/// The form for a new room.
#[component]
pub fn NewRoomForm() -> impl IntoView {
    let busy = RwSignal::new(false);
    let error = RwSignal::new(None::<Failure>);
    let router = expect_context::<Router>();
    let submit = move || create_and_open(read_form(), router, busy, error);
    let at = move |field: &'static str| {
        Signal::derive(move || error.with(|error| error_at(error.as_ref(), field)))
    };
    erase_type(view! {
        <form
            class="new-room-form"
            id="new-room"
            method="post"
            action="/rooms/"
            on:submit=on_submit(submit)
        >
            <button class="primary" aria-busy=text_signal(move || busy.get().to_string())>"New room"</button>
            <details open=bool_signal(move || error.with(|error| has_field_error(error.as_ref())))>
                <summary>"Options"</summary>
                <label class="field">
                    <span>"Name of the room"</span>
                    <input id="room-name" name="name" maxlength="160" autocomplete="off" placeholder="Optional" aria-describedby="name-error"/>
                </label>
                <ErrorText id="name-error" text=at("name")/>
                <label class="field">
                    <span>"Deleted when no one writes for"</span>
                    <select id="room-timeout" name="timeout" aria-describedby="timeout-error">
                        {LIFETIMES.map(|(value, label)| view! { <option value=value>{label}</option> }).into_iter().collect_view()}
                    </select>
                </label>
                <ErrorText id="timeout-error" text=at("timeout")/>
                <VisibilityField chosen="link"/>
            </details>
            <ErrorText text=at("")/>
        </form>
    })
}

/// Reads the fields of the form.
fn read_form() -> NewRoom {
    let visibility = document()
        .query_selector("#new-room [name=access]:checked")
        .ok()
        .flatten()
        .and_then(|choice| choice.get_attribute("value"));
    let name = element_by_id::<HtmlInputElement>("room-name").map(|field| field.value());
    let timeout = element_by_id::<HtmlSelectElement>("room-timeout").map(|field| field.value());
    NewRoom {
        name: name.filter(|name| !name.trim().is_empty()),
        public: Some(visibility.as_deref() == Some("public")),
        private: Some(visibility.as_deref() == Some("private")),
        timeout: timeout.filter(|timeout| !timeout.is_empty()),
    }
}

/// Creates a room and navigates there, or shows the error.
pub fn create_and_open(
    room: NewRoom,
    router: Router,
    busy: RwSignal<bool>,
    error: RwSignal<Option<Failure>>,
) {
    error.set(None);
    if busy.get_untracked() {
        return;
    }
    busy.set(true);
    let from = router.route_untracked();
    spawn_task(async move {
        match api::create_room(&room).await {
            Ok(room) => router.navigate_from(from, Route::Room(room.id)),
            Err(failure) => drop(error.try_set(Some(failure))),
        }
        busy.try_set(false);
    });
}

fn has_field_error(error: Option<&Failure>) -> bool {
    ["name", "timeout"]
        .iter()
        .any(|field| error_at(error, field).is_some())
}

/// The error at a field; errors that belong to no field of the form are at `""`.
fn error_at(error: Option<&Failure>, field: &str) -> Option<String> {
    let failure = error?;
    let at = match failure {
        Failure::Refused(problem, _) => problem
            .field
            .as_deref()
            .filter(|field| matches!(*field, "name" | "timeout")),
        Failure::Unreachable => None,
    };
    (at.unwrap_or_default() == field).then(|| failure.text())
}
