//! Opening a room.
//!
//! Promises: one press makes a room; what else can be said about it is folded away; a "no" is said at its field.

use leptos::prelude::*;
use protocol::NewRoom;
use web_sys::{HtmlInputElement, HtmlSelectElement};

use crate::api::{self, Failure};
use crate::browser::dom::{element_by_id, on_submit, spawn_task};
use crate::reactive::{ErrorText, bool_signal, erase_type, text_signal};
use crate::router::{Route, Router};
use crate::ui::visibility_field::VisibilityField;

/// Lifetimes on offer, as the server reads them and as people do.
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
    let trouble = RwSignal::new(None::<Failure>);
    let way = expect_context::<Router>();
    let submitted = move || {
        let access = document()
            .query_selector("#new-room [name=access]:checked")
            .ok()
            .flatten();
        let access = access.and_then(|access| access.get_attribute("value"));
        let wish = NewRoom {
            name: field("room-name")
                .map(|field| field.value())
                .filter(|name| !name.trim().is_empty()),
            public: Some(access.as_deref() == Some("public")),
            private: Some(access.as_deref() == Some("private")),
            timeout: element_by_id::<HtmlSelectElement>("room-timeout")
                .map(|field| field.value())
                .filter(|timeout| !timeout.is_empty()),
        };
        create_and_open(wish, way, busy, trouble);
    };
    let at = move |field: &'static str| {
        Signal::derive(move || trouble.with(|trouble| trouble_at(trouble.as_ref(), field)))
    };
    erase_type(view! {
        <form
            class="new-room-form"
            id="new-room"
            method="post"
            action="/rooms/"
            on:submit=on_submit(submitted)
        >
            <button class="primary" aria-busy=text_signal(move || busy.get().to_string())>"New room"</button>
            <details open=bool_signal(move || trouble.with(|trouble| at_some_field(trouble.as_ref())))>
                <summary>"Options"</summary>
                <label class="field">
                    <span>"Name of the room"</span>
                    <input id="room-name" name="name" maxlength="160" autocomplete="off" placeholder="None: it goes by its ID" aria-describedby="name-error"/>
                </label>
                <ErrorText id="name-error" words=at("name")/>
                <label class="field">
                    <span>"Deleted when nobody writes for"</span>
                    <select id="room-timeout" name="timeout" aria-describedby="timeout-error">
                        {LIFETIMES.map(|(value, words)| view! { <option value=value>{words}</option> }).into_iter().collect_view()}
                    </select>
                </label>
                <ErrorText id="timeout-error" words=at("timeout")/>
                <VisibilityField chosen="link"/>
            </details>
            <ErrorText words=at("")/>
        </form>
    })
}

/// Creates a room and goes there, or says why not.
pub fn create_and_open(
    wish: NewRoom,
    way: Router,
    busy: RwSignal<bool>,
    trouble: RwSignal<Option<Failure>>,
) {
    trouble.set(None);
    if busy.get_untracked() {
        return;
    }
    busy.set(true);
    let from = way.here();
    spawn_task(async move {
        match api::create_room(&wish).await {
            Ok(room) => way.go_from(from, Route::Room(room.id)),
            Err(failure) => drop(trouble.try_set(Some(failure))),
        }
        busy.try_set(false);
    });
}

fn field(id: &str) -> Option<HtmlInputElement> {
    element_by_id(id)
}

fn at_some_field(trouble: Option<&Failure>) -> bool {
    ["name", "timeout"]
        .iter()
        .any(|field| trouble_at(trouble, field).is_some())
}

/// What is wrong with this field; what belongs to no field shown here is wrong with `""`.
fn trouble_at(trouble: Option<&Failure>, field: &str) -> Option<String> {
    let failure = trouble?;
    let at = match failure {
        Failure::Refused(problem, _) => problem
            .field
            .as_deref()
            .filter(|field| matches!(*field, "name" | "timeout")),
        Failure::Unreachable => None,
    };
    (at.unwrap_or_default() == field).then(|| failure.words())
}
