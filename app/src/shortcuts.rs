//! Keyboard shortcuts, and the dialog that lists them.
//!
//! # Guarantees
//! No shortcut applies in a text field or in an open dialog. The server draws the dialog beside the
//! app, so that a first visit loads no code for it.

use leptos::prelude::*;
#[cfg(feature = "ssr")]
use texts::{Text, app as t, page as p};
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement, KeyboardEvent};

use crate::browser::dom::{on_window_event, open_dialog};
#[cfg(feature = "ssr")]
use crate::ui::icon::Icon;

/// Where keys have another meaning.
const EXCLUDED: &str = "input:not([type=radio]), textarea, select, dialog";

/// The keys, as keyboards of the language name them, and what they do.
#[cfg(feature = "ssr")]
fn shortcuts() -> [(&'static str, Text); 9] {
    [
        ("/", p::KEY_SEARCH),
        ("Enter", p::KEY_ENTER),
        (p::KEYS_SEND.text(), t::SEND),
        (p::KEYS_NEW_LINE.text(), p::KEY_NEW_LINE),
        ("↑", p::KEY_EDIT),
        ("↑ ↓", p::KEY_WALK),
        ("Tab", p::KEY_TAB),
        ("Esc", t::CLOSE),
        ("?", p::KEY_LIST),
    ]
}

/// The ID of the dialog.
const DIALOG: &str = "keys";

/// Opens the dialog.
pub fn open_shortcuts() {
    open_dialog(DIALOG);
}

/// Handles the shortcuts that every page has. In the browser only.
pub fn follow_keys() {
    on_window_event("keydown", |event| {
        event.dyn_ref().into_iter().for_each(on_key)
    });
}

/// The dialog with all shortcuts.
#[cfg(feature = "ssr")]
pub fn shortcuts_dialog() -> impl IntoView {
    let rows = shortcuts().map(|(key, does)| {
        view! {
            <dt>{key.split(' ').map(|key| view! { <kbd>{key}</kbd> }).collect_view()}</dt>
            <dd>{does.text()}</dd>
        }
    });
    view! {
        <dialog id=DIALOG class="dialog" aria-labelledby="keys-title" closedby="any">
            <form method="dialog" class="dialog-header">
                <h2 id="keys-title">{t::KEYBOARD_SHORTCUTS.text()}</h2>
                <button class="icon-button" aria-label=t::CLOSE.text() title=t::CLOSE.text()>{Icon::Cross.view()}</button>
            </form>
            <dl class="shortcuts">{rows.into_iter().collect_view()}</dl>
        </dialog>
    }
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
