//! Who is typing in a room: shows the others, and reports the visitor.
//!
//! # Guarantees
//! - Screen readers do not announce who is typing.
//! - While the visitor types, a report is sent every three seconds.

use leptos::prelude::*;
use protocol::characters::isolate_name;
use texts::Template;
use texts::app as t;

use crate::api;
use crate::browser::dom::spawn_task;
use crate::connection::sharing::stream_event::ConnectionState;
use crate::reactive::{BrowserCell, text_signal};
use crate::room::state::RoomState;
use crate::session::display_name::DisplayName;
use crate::time::clock;

/// The time between two reports, in milliseconds. The server keeps a report for twice as long.
const REPORT_INTERVAL: i64 = 3_000;

/// Reports that the visitor types.
#[derive(Clone, Copy)]
pub struct TypingReporter {
    state: RoomState,
    /// The time of the last report, in milliseconds; 0 after a message was sent.
    reported_at: BrowserCell<i64>,
}

impl TypingReporter {
    /// A reporter for a room.
    pub fn new(state: RoomState) -> Self {
        Self {
            state,
            reported_at: BrowserCell::new(0),
        }
    }

    /// Sends a report, unless the last one is too recent or the connection is lost.
    pub fn report(self, name: String) {
        let now = clock::now().millis();
        let reported_at = self.reported_at.with(|at| *at).unwrap_or_default();
        if now - reported_at >= REPORT_INTERVAL
            && self.state.feed.state_now() == ConnectionState::Live
        {
            self.reported_at.with(|at| *at = now);
            spawn_task(async move { api::report_typing(self.state.id, &name).await });
        }
    }

    /// The message was sent: the next input is reported at once.
    pub fn reset(self) {
        self.reported_at.with(|at| *at = 0);
    }
}

/// The line that says who else is typing.
#[component]
pub fn TypingIndicator(state: RoomState) -> impl IntoView {
    let own = expect_context::<DisplayName>();
    let text = move || {
        let own = own.get();
        let known = state.names.get();
        state.typing.with(|names| {
            let others = names.iter().filter(|name| **name != own);
            TypingText::of(&others.map(|name| known.shown(name)).collect::<Vec<_>>())
        })
    };
    view! { <p class="typing">{text_signal(move || text().before.to_owned())}<span>{text_signal(move || text().names)}</span>{text_signal(move || text().after.to_owned())}</p> }
}

/// The parts of the line.
struct TypingText {
    before: &'static str,
    /// The names or their number. Each name is isolated: its direction does not affect the text around
    /// it.
    names: String,
    after: &'static str,
}

impl TypingText {
    fn of(names: &[&str]) -> Self {
        let (names, text) = match names {
            [] => (String::new(), None),
            [name] => (isolate_name(name), Some(t::IS_TYPING)),
            [one, two] => {
                let names = [&*isolate_name(one), &*isolate_name(two)];
                (t::TWO_NAMES.fill(names), Some(t::ARE_TYPING))
            }
            more => (more.len().to_string(), Some(t::PEOPLE_TYPING)),
        };
        let [before, after] = text.map_or(["", ""], Template::around);
        Self {
            before,
            names,
            after,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_or_two_people_typing_are_named_and_more_are_counted() {
        let names = ["ada", "grace", "linus"];
        let line = |count: usize| {
            let text = TypingText::of(&names[..count]);
            format!("{}{}{}", text.before, text.names, text.after)
        };
        assert_eq!(line(0), "");
        assert_eq!(line(1), "ada is typing…");
        assert_eq!(line(2), "ada and grace are typing…");
        assert_eq!(line(3), "3 people are typing…");
        let right_to_left = "נורה".to_owned();
        assert_eq!(
            TypingText::of(&[&right_to_left]).names,
            "\u{2068}נורה\u{2069}"
        );
    }
}
