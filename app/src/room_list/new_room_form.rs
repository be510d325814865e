//! The form that creates a room.
//!
//! # Guarantees
//! One click creates a room; the options are folded away. An error is shown at its field, and the
//! form keeps what was entered. No room is created under a name of the visitor that is invalid.

use leptos::prelude::*;
use protocol::{NewRoom, text};
use texts::app as t;
use web_sys::{HtmlInputElement, HtmlSelectElement};

use crate::api::{self, Failure, capitalize};
use crate::browser::dom::{element_by_id, focus_field, on_change, on_submit, spawn_task};
use crate::reactive::{ErrorText, bool_signal, erase_type, text_signal};
use crate::router::{Route, Router};
use crate::session::display_name::DisplayName;
use crate::ui::lifetime_field::{LongestLifetime, new_room_options};
use crate::ui::visibility_field::VisibilityField;

/// The ID of the field for the visitor's name, which belongs to this form on the home page.
pub const OWN_NAME: &str = "username";
/// The ID of the field for the room's name.
pub const ROOM_NAME: &str = "room-name";

/// The form for a new room. In a panel (`is_panel`) its first field gets the focus.
#[component]
pub fn NewRoomForm(is_panel: bool) -> impl IntoView {
    let busy = RwSignal::new(false);
    let error = RwSignal::new(None::<Failure>);
    let name_error = RwSignal::new(None::<String>);
    let router = expect_context::<Router>();
    let own_name = expect_context::<DisplayName>();
    let submit = move || {
        if !own_name.take_from(OWN_NAME) {
            focus_field(OWN_NAME);
        } else if name_error.with_untracked(Option::is_some) {
            focus_field(ROOM_NAME);
        } else {
            create_and_open(read_form(), router, busy, error);
        }
    };
    let at = move |field: &'static str| {
        Signal::derive(move || error.with(|error| error_at(error.as_ref(), field)))
    };
    let name_refused = at("name");
    let name_text = Signal::derive(move || name_error.get().or_else(|| name_refused.get()));
    let lifetime = t::DELETED_AFTER.fill([&expect_context::<LongestLifetime>().words()]);
    erase_type(view! {
        <form
            class="new-room-form"
            id="new-room"
            method="post"
            action="/rooms/"
            on:submit=on_submit(submit)
        >
            <label class="field">
                <span>{name_label(is_panel)}</span>
                <input
                    id=ROOM_NAME
                    name="name"
                    autocomplete="off"
                    placeholder=t::OPTIONAL.text()
                    autofocus=is_panel
                    aria-describedby="name-error"
                    on:input=on_change(move || name_error.set(entered_name().and_then(|name| name_rule(&name))))
                />
            </label>
            <ErrorText id="name-error" text=name_text/>
            <div class="new-room-actions">
                <button class="primary" aria-busy=text_signal(move || busy.get().to_string())>{t::NEW_ROOM.text()}</button>
                <details open=bool_signal(move || at("timeout").with(Option::is_some))>
                    <summary>{t::OPTIONS.text()}</summary>
                    <label class="field">
                        <span>{t::DELETED_WHEN.text()}</span>
                        <select id="room-timeout" name="timeout" aria-describedby="timeout-error">
                            {new_room_options()}
                        </select>
                    </label>
                    <ErrorText id="timeout-error" text=at("timeout")/>
                    <VisibilityField chosen="link"/>
                </details>
            </div>
            <ErrorText text=at("")/>
            <p class="hint">{lifetime}</p>
        </form>
    })
}

/// A room's page has another field for the name of its own room.
fn name_label(is_panel: bool) -> &'static str {
    if is_panel {
        t::NAME_OF_NEW_ROOM.text()
    } else {
        t::NAME_OF_ROOM.text()
    }
}

/// The name that the visitor entered for the room, if there is one.
fn entered_name() -> Option<String> {
    let name = element_by_id::<HtmlInputElement>(ROOM_NAME).map(|field| field.value());
    name.filter(|name| !name.trim().is_empty())
}

/// The rule that a name breaks, as text for the visitor.
fn name_rule(name: &str) -> Option<String> {
    let refusal = text::parse_room_name(name).err()?;
    Some(capitalize(&refusal.broken_rule()?))
}

/// Reads the fields of the form.
fn read_form() -> NewRoom {
    let visibility = document()
        .query_selector("#new-room [name=access]:checked")
        .ok()
        .flatten()
        .and_then(|choice| choice.get_attribute("value"));
    let timeout = element_by_id::<HtmlSelectElement>("room-timeout").map(|field| field.value());
    NewRoom {
        name: entered_name(),
        public: Some(visibility.as_deref() == Some("public")),
        private: Some(visibility.as_deref() == Some("private")),
        timeout: timeout.filter(|timeout| !timeout.is_empty()),
    }
}

/// Creates a room and navigates there, or shows the error.
fn create_and_open(
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
            Ok(room) => {
                // The sidebar, which may hold the form, stays on the page.
                if let Some(field) = element_by_id::<HtmlInputElement>(ROOM_NAME) {
                    field.set_value("");
                }
                router.navigate_from(from, Route::Room(room.id));
            }
            Err(failure) => drop(error.try_set(Some(failure))),
        }
        busy.try_set(false);
    });
}

/// The error at a field; errors that belong to no field of the form are at `""`.
fn error_at(error: Option<&Failure>, field: &str) -> Option<String> {
    let failure = error?;
    let at = match failure {
        Failure::Refused(problem, _) => problem
            .field
            .as_deref()
            .filter(|field| matches!(*field, "name" | "timeout")),
        Failure::Foreign(..) | Failure::Unreachable => None,
    };
    (at.unwrap_or_default() == field).then(|| failure.text())
}
