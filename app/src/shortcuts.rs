//! Keyboard shortcuts, and the dialog that lists them.
//!
//! # Guarantees
//! No shortcut applies in a text field or in an open dialog.

use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement, KeyboardEvent};

use crate::browser::dom::{browser_effect, close_on_backdrop_click, on_window_event, open_dialog};
use crate::reactive::erase_type;
use crate::ui::icon::Icon;

/// Where keys have another meaning.
const EXCLUDED: &str = "input:not([type=radio]), textarea, select, dialog";
const KEYS: [(&str, &str); 9] = [
    ("/", "To the filter, or to the message field"),
    ("Enter", "Send; on a touch screen a new line"),
    ("Ctrl Enter", "Send"),
    ("Shift Enter", "New line"),
    ("↑", "In an empty field: edit your last message"),
    ("↑ ↓", "In the log: from message to message"),
    ("Tab", "From one control to the next"),
    ("Esc", "Close"),
    ("?", "This list"),
];

/// The ID of the dialog.
const DIALOG: &str = "keys";

/// Opens the dialog.
pub fn open_shortcuts() {
    open_dialog(DIALOG);
}

/// The dialog with all shortcuts; handles those that every page has.
#[component]
pub fn ShortcutsDialog() -> impl IntoView {
    browser_effect(|| {
        on_window_event("keydown", |event| {
            event.dyn_ref().into_iter().for_each(on_key)
        })
    });
    let rows = KEYS.map(|(key, does)| {
        view! {
            <dt>{key.split(' ').map(|key| view! { <kbd>{key}</kbd> }).collect_view()}</dt>
            <dd>{does}</dd>
        }
    });
    erase_type(view! {
        <dialog id=DIALOG class="dialog" aria-labelledby="keys-title" on:click=close_on_backdrop_click()>
            <form method="dialog" class="dialog-header">
                <h2 id="keys-title">"Keyboard shortcuts"</h2>
                <button class="icon-button" aria-label="Close" title="Close">{Icon::Cross.view()}</button>
            </form>
            <dl class="shortcuts">{rows.into_iter().collect_view()}</dl>
        </dialog>
    })
}

fn on_key(event: &KeyboardEvent) {
    if shortcut_target(event).is_none() {
        return;
    }
    match event.key().as_str() {
        "?" => open_shortcuts(),
        "/" => {
            event.prevent_default();
            focus_field();
        }
        _ => {}
    }
}

/// The element where a key was pressed, if shortcuts apply there.
pub fn shortcut_target(event: &KeyboardEvent) -> Option<Element> {
    if event.ctrl_key() || event.meta_key() || event.alt_key() {
        return None;
    }
    let target: Element = event.target()?.dyn_into().ok()?;
    let is_excluded = target.closest(EXCLUDED).ok().flatten().is_some();
    (!is_excluded).then_some(target)
}

fn focus_field() {
    let field = document().query_selector("[data-find]").ok().flatten();
    if let Some(field) = field.and_then(|field| field.dyn_into::<HtmlElement>().ok()) {
        // A field that cannot take the focus leaves it where it is.
        let _ = field.focus();
    }
}
