//! The browser's synchronous storage: `localStorage` for all tabs, `sessionStorage` for one.
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

/// Stores a value; an empty one removes the key. Returns whether that was possible.
pub fn set(key: &str, value: &str) -> bool {
    let Some(storage) = local_storage() else {
        return false;
    };
    // Storage may be full or forbidden.
    let done = match value {
        "" => storage.remove_item(key),
        _ => storage.set_item(key, value),
    };
    done.is_ok()
}

/// The values of all keys with a prefix, each with the rest of its key.
pub fn get_all(prefix: &str) -> Vec<(String, String)> {
    let Some(storage) = local_storage() else {
        return Vec::new();
    };
    let count = storage.length().unwrap_or_default();
    let keys = (0..count).filter_map(|at| storage.key(at).ok().flatten());
    let found = keys.filter_map(|key| {
        let rest = key.strip_prefix(prefix)?.to_owned();
        Some((rest, storage.get_item(&key).ok()??))
    });
    found.collect()
}

/// The value of a key in this tab; it lasts as long as the tab, and survives reloads.
pub fn get_in_tab(key: &str) -> Option<String> {
    session_storage()?.get_item(key).ok()?
}

/// Stores a value in this tab, also an empty one.
pub fn set_in_tab(key: &str, value: &str) {
    if let Some(storage) = session_storage() {
        // Storage may be full or forbidden.
        let _ = storage.set_item(key, value);
    }
}

fn session_storage() -> Option<Storage> {
    window().session_storage().ok()?
}

fn local_storage() -> Option<Storage> {
    window().local_storage().ok()?
}
