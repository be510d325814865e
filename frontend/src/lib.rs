//! Where the browser enters: the app takes over the page that the server rendered.
//!
//! Promises: a panic is shown to the visitor and to the console. Leaves to others: everything else
//! (`app`). Empty on any target but the browser.

#![cfg(target_arch = "wasm32")]
// The type of a page is as deep as the page; laying out its future in a release build goes further
// than the default.
#![recursion_limit = "256"]

use wasm_bindgen::prelude::wasm_bindgen;

/// Takes over the page.
#[wasm_bindgen]
pub fn hydrate() {
    std::panic::set_hook(Box::new(|panic| {
        web_sys::console::error_1(&panic.to_string().into());
        if let Some(root) =
            web_sys::window().and_then(|window| window.document()?.document_element())
        {
            // There is nobody left to tell if this fails, too.
            let _ = root.set_attribute("data-failed", "");
        }
    }));
    leptos::mount::hydrate_body(app::App);
}
