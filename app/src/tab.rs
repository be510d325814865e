//! The browser's tab: its title and its icon.
//!
//! Promises: while the page is out of sight the title counts what was missed; coming back starts anew.

use leptos::prelude::*;

use crate::browser::{focus_heading, listen, live};
use crate::opening::Stage;

/// Keeps the title up to date, with how many messages were missed.
pub fn follow(unread: RwSignal<usize>, title: impl Fn() -> String + 'static) {
    live(move || {
        document().set_title(&match unread.get() {
            0 => title(),
            count => format!("({count}) {}", title()),
        });
    });
    live(move || {
        listen("visibilitychange", move |_| {
            if !document().hidden() {
                unread.set(0);
            }
        });
        listen("focus", move |_| unread.set(0));
    });
}

/// Sets the title of a page where nothing can be missed, and lets whoever came there on this page begin at its heading.
pub fn name(title: String) {
    let asked_for = expect_context::<Stage>().is_over();
    live(move || {
        document().set_title(&title);
        if asked_for {
            focus_heading("h1");
        }
    });
}

/// Sets the icon.
pub fn face(icon: String) {
    live(move || {
        if let Ok(Some(link)) = document().query_selector("link[rel=icon]") {
            // Setting an attribute of one's own page cannot fail.
            let _ = link.set_attribute("href", &icon);
        }
    });
}
