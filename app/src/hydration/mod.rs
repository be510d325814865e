//! Taking over the page that the server rendered.
//!
//! Browsers, extensions, proxies and translators change pages before the app starts. Hydration
//! would attach the app to the wrong elements then, or panic.
//!
//! # Guarantees
//! - The app hydrates a page only if it has the elements that the server sent. Otherwise it draws
//!   the page again from the page's data, and what the visitor entered stays.
//! - A text that a translator has replaced on the page still follows its changes.
//!
//! # Not here
//! What the page shows if the app fails: `shell`.

#[cfg(feature = "ssr")]
pub mod structure;

/// The ID of the element that contains the app.
pub const ROOT: &str = "app";

#[cfg(feature = "hydrate")]
pub use browser::{redraw, start};

#[cfg(feature = "hydrate")]
mod browser {
    use js_sys::Function;
    use leptos::mount::{hydrate_from, mount_to};
    use wasm_bindgen::JsValue;
    use wasm_bindgen::prelude::wasm_bindgen;
    use web_sys::HtmlElement;

    use super::ROOT;
    use crate::App;
    use crate::browser::dom::element_by_id;
    use crate::browser::startup;

    #[wasm_bindgen(module = "/src/hydration/page.js")]
    extern "C" {
        fn digest(root: &HtmlElement) -> u32;
        fn clear(root: &HtmlElement) -> Function;
        #[wasm_bindgen(js_name = followTranslations)]
        fn follow_translations(root: &HtmlElement);
    }

    /// The attribute of the root with the digest of the HTML in it.
    const STRUCTURE: &str = "data-structure";

    /// Takes over the page. `restart` is called if a part of it that waits cannot be taken over.
    pub fn start(restart: &JsValue) {
        let Some(root) = element_by_id::<HtmlElement>(ROOT) else {
            return;
        };
        let sent = root.get_attribute(STRUCTURE);
        if sent.is_some_and(|sent| sent == digest(&root).to_string()) {
            follow_translations(&root);
            startup::begin();
            hydrate_from(root.clone(), App).forget();
            startup::take_steps(&root, restart);
        } else {
            redraw();
        }
    }

    /// Draws the page again from its data.
    pub fn redraw() {
        let Some(root) = element_by_id::<HtmlElement>(ROOT) else {
            return;
        };
        let restore = clear(&root);
        follow_translations(&root);
        mount_to(root, App).forget();
        // Restoring calls event handlers of the app, and no function that can fail.
        let _ = restore.call0(&JsValue::NULL);
    }
}
