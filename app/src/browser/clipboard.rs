//! Copying text to the clipboard.
//!
//! **Guarantees:** works without a secure connection too, by the older selection command. In the
//! browser only.

use leptos::prelude::{document, window};
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;

/// Copies a text, and says whether that went well; without a secure connection the browser's newer
/// way is missing, and the older one is tried.
pub async fn copy_text(text: &str) -> bool {
    let navigator = window().navigator();
    if has_navigator_feature("clipboard") {
        return JsFuture::from(navigator.clipboard().write_text(text))
            .await
            .is_ok();
    }
    copy_by_selection(text).unwrap_or(false)
}

/// Whether this browser can do that.
pub fn has_navigator_feature(name: &str) -> bool {
    js_sys::Reflect::has(&window().navigator(), &name.into()).unwrap_or(false)
}

fn copy_by_selection(text: &str) -> Option<bool> {
    let document = document();
    // Outside an open dialog nothing can be selected.
    let place = document
        .query_selector("dialog[open]")
        .ok()?
        .or_else(|| document.body().map(Into::into))?;
    let field: web_sys::HtmlTextAreaElement =
        document.create_element("textarea").ok()?.unchecked_into();
    field.set_class_name("visually-hidden");
    field.set_value(text);
    place.append_child(&field).ok()?;
    field.select();
    let done = document
        .unchecked_ref::<web_sys::HtmlDocument>()
        .exec_command("copy")
        .ok();
    field.remove();
    done
}
