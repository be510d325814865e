//! What the browser keeps for itself at once: drafts. What must outlive a crash is in `database`.
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

fn storage() -> Option<Storage> {
    window().local_storage().ok()?
}
