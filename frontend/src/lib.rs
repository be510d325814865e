//! Where the browser enters: the app takes over the page that the server rendered.
//!
//! # Guarantees
//! A panic is in the console, and marks the page as failed.
//!
//! # Not here
//! Everything else (`app`). The crate is empty on any target but the browser.

#![cfg(target_arch = "wasm32")]
// The type of a page is as deep as the page; laying out its future in a release build goes further
// than the default.
#![recursion_limit = "256"]

use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

/// Takes over the page, whose texts are in this catalogue. `restart` is called if that fails later.
#[wasm_bindgen]
pub fn start(catalogue: &JsValue, restart: &JsValue) {
    std::panic::set_hook(Box::new(|panic| {
        web_sys::console::error_1(&panic.to_string().into());
    }));
    app::install(catalogue);
    app::start(restart);
}

/// Draws the page again from its data, after [`start`] has failed, or in another language than the
/// server's.
#[wasm_bindgen]
pub fn redraw(catalogue: &JsValue) {
    app::install(catalogue);
    app::redraw();
}
