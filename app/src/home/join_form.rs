//! Going to a room that one knows, by its ID or its link.
//!
//! Promises: what leads nowhere is said at the field, and stays there to be corrected.

use leptos::prelude::*;
use protocol::RoomId;
use web_sys::HtmlInputElement;

use crate::api;
use crate::browser::dom::{element_by_id, on_submit, spawn_task};
use crate::reactive::{ErrorText, erase_type, text_signal};
use crate::router::{Route, Router};

const UNREADABLE: &str =
    "That is neither a room's ID nor its link. An ID has 16 characters, each 0–9 or a–f.";
const UNKNOWN: &str = "There is no open room with that ID or link. Check it, or ask for it again.";
const CLOSED: &str = "That room has closed: nobody wrote there for a while.";

/// The field that takes an ID or a link; `sought` is what was tried before and led nowhere.
#[component]
pub fn JoinForm(sought: Option<String>) -> impl IntoView {
    let trouble = RwSignal::new(sought.as_deref().map(why));
    let way = expect_context::<Router>();
    let join = move || {
        let text = element_by_id::<HtmlInputElement>("join")
            .map(|field| field.value())
            .unwrap_or_default();
        trouble.set(None);
        let Some(id) = RoomId::find(&text) else {
            return trouble.set(Some(why(&text)));
        };
        let from = way.here();
        spawn_task(async move {
            let answer = api::fetch_room(id).await;
            match answer {
                Ok(_) => way.go_from(from, Route::Room(id)),
                Err(failure) => {
                    let words = match failure.status() {
                        Some(404) => UNKNOWN.to_owned(),
                        Some(410) => CLOSED.to_owned(),
                        _ => failure.words(),
                    };
                    trouble.try_set(Some(words));
                }
            }
        });
    };
    erase_type(view! {
        <form
            class="join-form"
            method="get"
            action="/"
            on:submit=on_submit(join)
        >
            <label for="join">"Join a room"</label>
            <div class="row">
                <input
                    id="join"
                    name="room"
                    value=sought.unwrap_or_default()
                    placeholder="ID or link"
                    autocomplete="off"
                    autocapitalize="none"
                    spellcheck="false"
                    aria-describedby="join-error"
                    aria-invalid=text_signal(move || trouble.with(Option::is_some).to_string())
                />
                <button>"Join"</button>
            </div>
            <ErrorText id="join-error" words=trouble/>
        </form>
    })
}

fn why(text: &str) -> String {
    let words = match RoomId::find(text) {
        _ if text.trim().is_empty() => "Paste the ID or the link of a room.",
        Some(_) => UNKNOWN,
        None => UNREADABLE,
    };
    words.to_owned()
}
