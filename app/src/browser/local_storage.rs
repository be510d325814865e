//! The browser's synchronous storage: `localStorage` for drafts, `sessionStorage` for marks of one
//! tab.
//!
//! # Guarantees
//! No function fails: where storage is full or forbidden, nothing is stored. In the browser only.
//!
//! # Not here
//! What must survive a crash (`indexed_db`).

use leptos::prelude::window;
use web_sys::Storage;

/// The value of a key.
pub fn get(key: &str) -> Option<String> {
    local_storage()?.get_item(key).ok()?
}

/// Stores a value; an empty one removes the key.
pub fn set(key: &str, value: &str) {
    let Some(storage) = local_storage() else {
        return;
    };
    // Storage may be full or forbidden.
    let _ = match value {
        "" => storage.remove_item(key),
        _ => storage.set_item(key, value),
    };
}

/// Whether this tab has a mark.
pub fn has_tab_mark(mark: &str) -> bool {
    session_storage().is_some_and(|storage| storage.get_item(mark).is_ok_and(|mark| mark.is_some()))
}

/// Sets or removes a mark, which lasts as long as the tab.
pub fn set_tab_mark(mark: &str, is_set: bool) {
    let Some(storage) = session_storage() else {
        return;
    };
    let _ = if is_set {
        storage.set_item(mark, mark)
    } else {
        storage.remove_item(mark)
    };
}

fn session_storage() -> Option<Storage> {
    window().session_storage().ok()?
}

fn local_storage() -> Option<Storage> {
    window().local_storage().ok()?
}
