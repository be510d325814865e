//! Copying text to the clipboard.
//!
//! # Guarantees
//! - It also works without a secure connection.
//! - For two seconds the button says whether the text was copied. In the browser only.

use std::time::Duration;

use leptos::prelude::{document, window};
use texts::app as t;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;

use crate::browser::dom::{run_after, spawn_task};

/// How long a button says whether the text was copied.
const REPORT_TIME: Duration = Duration::from_secs(2);

/// Copies a text. `label` changes the label of the button: it is called with what happened, and
/// later with `None`.
pub fn copy_and_report(text: String, label: impl Fn(Option<&'static str>) + 'static) {
    spawn_task(async move {
        let is_copied = copy_text(&text).await;
        label(Some(if is_copied {
            t::COPIED.text()
        } else {
            t::COPY_BY_HAND.text()
        }));
        run_after(REPORT_TIME, move || label(None));
    });
}

/// Copies a text; returns whether it was copied. Without a secure connection the Clipboard API is
/// missing, and the older `copy` command is used.
async fn copy_text(text: &str) -> bool {
    let navigator = window().navigator();
    if has_navigator_feature("clipboard") {
        return JsFuture::from(navigator.clipboard().write_text(text))
            .await
            .is_ok();
    }
    copy_by_selection(text).unwrap_or(false)
}

/// Whether `navigator` has this property.
pub fn has_navigator_feature(name: &str) -> bool {
    js_sys::Reflect::has(&window().navigator(), &name.into()).unwrap_or(false)
}

fn copy_by_selection(text: &str) -> Option<bool> {
    let document = document();
    // While a dialog is open, nothing outside of it can be selected.
    let parent = document
        .query_selector("dialog[open]")
        .ok()?
        .or_else(|| document.body().map(Into::into))?;
    let field: web_sys::HtmlTextAreaElement =
        document.create_element("textarea").ok()?.unchecked_into();
    field.set_class_name("visually-hidden");
    field.set_value(text);
    parent.append_child(&field).ok()?;
    field.select();
    let is_copied = document
        .unchecked_ref::<web_sys::HtmlDocument>()
        .exec_command("copy")
        .ok();
    field.remove();
    is_copied
}
