//! What the browser keeps for itself: drafts, and messages that wait to be sent.
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

/// All keys that begin so, in no order.
pub fn keys(prefix: &str) -> Vec<String> {
    let Some(storage) = storage() else { return Vec::new() };
    let count = storage.length().unwrap_or(0);
    (0..count).filter_map(|i| storage.key(i).ok()?).filter(|key| key.starts_with(prefix)).collect()
}

fn storage() -> Option<Storage> {
    window().local_storage().ok()?
}
