//! Reading JSON: the browser's own parser, then `serde`.
//!
//! # Guarantees
//! - A value with a missing field or a wrong type is not read at all.
//! - Unknown fields are ignored.
//!
//! # Not here
//! Writing JSON, which `serde_json` does.

use serde::de::DeserializeOwned;

/// Reads a JSON text.
#[cfg(target_arch = "wasm32")]
pub fn parse<T: DeserializeOwned>(json: &str) -> Option<T> {
    let value = js_sys::JSON::parse(json).ok()?;
    serde_wasm_bindgen::from_value(value).ok()
}

/// Reads a JSON text, in native tests.
#[cfg(not(target_arch = "wasm32"))]
pub fn parse<T: DeserializeOwned>(json: &str) -> Option<T> {
    serde_json::from_str(json).ok()
}
