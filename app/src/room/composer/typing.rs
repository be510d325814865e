//! Who else is typing, and reporting that the visitor types.
//!
//! **Guarantees:** the line is not read aloud; while the visitor types, a report goes out every few seconds.

use leptos::prelude::*;

use crate::api;
use crate::browser::dom::spawn_task;
use crate::connection::sharing::stream_event::ConnectionState;
use crate::reactive::{BrowserCell, text_signal};
use crate::room::state::RoomState;
use crate::session::display_name::DisplayName;
use crate::time::clock;

/// How often it is reported that the visitor types, in milliseconds; a report holds for twice as long.
const REPORT_INTERVAL: i64 = 3_000;

/// Reports that the visitor types.
#[derive(Clone, Copy)]
pub struct TypingReporter {
    state: RoomState,
    /// When it was reported last, in milliseconds; 0 after a message was sent.
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

    /// Reports it, unless that was done a moment ago or the connection is lost.
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

    /// The message was sent: the next key is reported at once.
    pub fn reset(self) {
        self.reported_at.with(|at| *at = 0);
    }
}

/// Who else is typing.
#[component]
pub fn TypingIndicator(state: RoomState) -> impl IntoView {
    let own = expect_context::<DisplayName>();
    let words = move || {
        let own = own.get();
        state.typing.with(|names| {
            words(
                &names
                    .iter()
                    .filter(|name| **name != own)
                    .collect::<Vec<_>>(),
            )
        })
    };
    view! { <p class="typing"><span>{text_signal(move || words().0)}</span>{text_signal(move || words().1.to_owned())}</p> }
}

/// In words: who, each name set apart whatever marks of direction it has, and what they do.
fn words(names: &[&String]) -> (String, &'static str) {
    match names {
        [] => (String::new(), ""),
        [name] => (format!("\u{2068}{name}\u{2069}"), " is typing…"),
        [one, two] => (
            format!("\u{2068}{one}\u{2069} and \u{2068}{two}\u{2069}"),
            " are typing…",
        ),
        more => (more.len().to_string(), " people are typing…"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typing_is_said_in_few_words() {
        let names = ["ada", "grace", "linus"].map(str::to_owned);
        let words = |count: usize| {
            let (who, what) = words(&names.iter().take(count).collect::<Vec<_>>());
            who.replace(['\u{2068}', '\u{2069}'], "") + what
        };
        assert_eq!(words(0), "");
        assert_eq!(words(1), "ada is typing…");
        assert_eq!(words(2), "ada and grace are typing…");
        assert_eq!(words(3), "3 people are typing…");
    }
}
