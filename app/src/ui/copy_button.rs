//! A button that copies a text.

use leptos::prelude::*;

use crate::browser::clipboard::copy_and_report;
use crate::browser::dom::on_click;
use crate::reactive::{erase_type, text_signal};

/// The button. Screen readers announce whether the text was copied.
#[component]
pub fn CopyButton(
    text: Box<dyn Fn() -> String>,
    label: &'static str,
    #[prop(optional)] class: &'static str,
    #[prop(optional)] hidden: Signal<bool>,
) -> impl IntoView {
    let shown = RwSignal::new(label);
    let copy = move || {
        copy_and_report(text(), move |report| {
            shown.try_set(report.unwrap_or(label));
        });
    };
    erase_type(
        view! { <button hidden=hidden type="button" class=format!("copy script-only {class}") aria-live="polite" on:click=on_click(copy)>{text_signal(move || shown.get().to_owned())}</button> },
    )
}
