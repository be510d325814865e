//! What the browser keeps for itself at once: drafts, and what a tab has found out. What must outlive a crash is in `database`.
//!
//! Promises: works or does nothing; a browser that keeps nothing only forgets sooner. In the browser only.

use leptos::prelude::window;
use web_sys::Storage;

/// What was kept under this key.
pub fn get(key: &str) -> Option<String> {
    storage()?.get_item(key).ok()?
}

/// Keeps a value; an empty one is forgotten.
pub fn set(key: &str, value: &str) {
    let Some(storage) = storage() else { return };
    // A full or forbidden storage is no reason to stop.
    let _ = match value {
        "" => storage.remove_item(key),
        _ => storage.set_item(key, value),
    };
}

/// Whether this tab keeps a mark of this name.
pub fn has_tab_mark(mark: &str) -> bool {
    of_tab().is_some_and(|storage| storage.get_item(mark).is_ok_and(|mark| mark.is_some()))
}

/// Lets this tab keep a mark as long as it lives, or no longer.
pub fn set_tab_mark(mark: &str, keep: bool) {
    let Some(storage) = of_tab() else { return };
    let _ = if keep {
        storage.set_item(mark, mark)
    } else {
        storage.remove_item(mark)
    };
}

fn of_tab() -> Option<Storage> {
    window().session_storage().ok()?
}

fn storage() -> Option<Storage> {
    window().local_storage().ok()?
}
