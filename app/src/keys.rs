//! The keyboard: which keys do what, and the page that says so.
//!
//! Promises: no key is taken while somebody types or while a dialog is open.

use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement, KeyboardEvent};

use crate::browser::{close_beside, listen, live, open_dialog};
use crate::icon::Icon;
use crate::part::part;
use crate::walk::walk;

/// Where keys mean what they write, or belong to a dialog.
const TAKEN: &str = "input:not([type=radio]), textarea, select, dialog";
const KEYS: [(&str, &str); 9] = [
    ("/", "To the filter, or to the message field"),
    ("Enter", "Send; on a touch screen a new line"),
    ("Ctrl Enter", "Send"),
    ("Shift Enter", "New line"),
    ("↑", "In an empty field: edit your last message"),
    ("↑ ↓", "In the log: from message to message"),
    ("Tab", "From one thing to the next"),
    ("Esc", "Close"),
    ("?", "These keys"),
];

/// The ID of the page of keys.
const PAGE: &str = "keys";

/// Shows which keys do what.
pub fn show_keys() {
    open_dialog(PAGE);
}

/// The page of keys; listens to the keyboard as long as it is there.
#[component]
pub fn KeysDialog() -> impl IntoView {
    live(|| {
        listen("keydown", |event| {
            event.dyn_ref().into_iter().for_each(pressed)
        })
    });
    let rows = KEYS.map(|(key, does)| {
        view! {
            <dt>{key.split(' ').map(|key| view! { <kbd>{key}</kbd> }).collect_view()}</dt>
            <dd>{does}</dd>
        }
    });
    part(view! {
        <dialog id=PAGE class="sheet" aria-labelledby="keys-title" on:click=close_beside()>
            <form method="dialog" class="sheet-head">
                <h2 id="keys-title">"Keys"</h2>
                <button class="icon-button" aria-label="Close">{Icon::Cross.view()}</button>
            </form>
            <dl class="keys">{rows.into_iter().collect_view()}</dl>
        </dialog>
    })
}

fn pressed(event: &KeyboardEvent) {
    let target = event
        .target()
        .and_then(|target| target.dyn_into::<Element>().ok());
    let busy = |element: &Element| element.closest(TAKEN).ok().flatten().is_some();
    let Some(target) = target.filter(|target| !busy(target)) else {
        return;
    };
    if event.ctrl_key() || event.meta_key() || event.alt_key() {
        return;
    }
    match event.key().as_str() {
        "ArrowUp" if walk(&target, true) => event.prevent_default(),
        "ArrowDown" if walk(&target, false) => event.prevent_default(),
        "?" => show_keys(),
        "/" => {
            event.prevent_default();
            to_field();
        }
        _ => {}
    }
}

fn to_field() {
    let field = document().query_selector("[data-find]").ok().flatten();
    if let Some(field) = field.and_then(|field| field.dyn_into::<HtmlElement>().ok()) {
        // A field that cannot take the focus leaves it where it is.
        let _ = field.focus();
    }
}
