//! The title and the icon of the browser's tab.
//!
//! # Guarantees
//! While the page is hidden, the title counts the messages that arrive; the count restarts when the
//! page is shown.

use leptos::prelude::*;

use crate::browser::dom::{browser_effect, focus_heading, on_window_event};
use crate::initial_state::FirstContent;

/// Shows a title that may change, with the number of unread messages and of those among them that
/// mention the visitor.
pub fn show_title_with_unread(
    unread: RwSignal<usize>,
    mentions: RwSignal<usize>,
    title: impl Fn() -> String + 'static,
) {
    browser_effect(move || {
        document().set_title(&match (unread.get(), mentions.get()) {
            (0, _) => title(),
            (count, 0) => format!("({count}) {}", title()),
            (count, mentions) => format!("({count}, @{mentions}) {}", title()),
        });
    });
    let reset = move || {
        unread.set(0);
        mentions.set(0);
    };
    browser_effect(move || {
        on_window_event("visibilitychange", move |_| {
            if !document().hidden() {
                reset();
            }
        });
        on_window_event("focus", move |_| reset());
    });
}

/// Shows a title without a count. After navigation within the app, the heading gets the focus.
pub fn show_title(title: String) {
    let navigated = expect_context::<FirstContent>().is_over();
    browser_effect(move || {
        document().set_title(&title);
        if navigated {
            focus_heading("h1");
        }
    });
}

/// Shows an icon.
pub fn show_icon(icon: String) {
    browser_effect(move || {
        if let Ok(Some(link)) = document().query_selector("link[rel=icon]") {
            // Setting an attribute does not fail.
            let _ = link.set_attribute("href", &icon);
        }
    });
}
