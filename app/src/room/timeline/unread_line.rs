//! The line above the first message that the visitor has not read, and the button that leads to it.
//!
//! # Guarantees
//! - The line stays where it is until the visitor leaves the room or the page. What arrives while
//!   they are away, after they had seen everything, is below it when they come back.
//! - No line is drawn where the first unread message is not known, because messages before it are not
//!   on the page.
//!
//! # Not here
//! Storing what is read (`room/read_marker`).

use std::time::Duration;

use leptos::prelude::*;
use protocol::Message;
use texts::app as t;

use crate::browser::dom::{browser_effect, on_click, on_window_event, run_after};
use crate::reactive::{bool_signal, erase_type, text_signal};
use crate::room::history::{History, scroller};
use crate::room::ids::UNREAD_LINE;
use crate::room::log::message_log::MessageLog;
use crate::room::permissions::is_mine;
use crate::room::state::RoomState;
use crate::room::viewport::place::Place;
use crate::room_list::store::stored_read_seq;
use crate::session::display_name::DisplayName;
use crate::ui::icon::Icon;

/// Where the first unread message is shown when the button leads to it: so far below the top of the
/// window, in pixels.
const TOP: i32 = 160;

/// Finds out what is unread, and follows what is read later.
pub fn start(state: RoomState) {
    let History {
        read_until,
        log,
        window,
        drawn_from,
        ..
    } = state.history;
    browser_effect(move || {
        if read_until.get_untracked().is_none() {
            read_until.set(stored_read_seq(state.id));
        }
        on_window_event("visibilitychange", move |_| {
            if document().hidden() && state.history.at_end.get_untracked() {
                read_until.set(Some(log.with_untracked(MessageLog::newest)));
            }
        });
    });
    browser_effect(move || {
        read_until.track();
        log.track();
        window.track();
        drawn_from.track();
        run_after(Duration::ZERO, move || look(state.history));
    });
}

/// Reads from the page whether the first unread message is above the view.
pub fn look(history: History) {
    let Some(scroller) = scroller().filter(|_| !history.log.is_disposed()) else {
        return;
    };
    let line = document().query_selector(UNREAD_LINE).ok().flatten();
    let is_above = match line {
        Some(line) => {
            line.get_bounding_client_rect().bottom() < scroller.get_bounding_client_rect().top()
        }
        None => is_before_window(history),
    };
    if history.unread_above.get_untracked() != is_above {
        history.unread_above.set(is_above);
    }
}

/// Whether the first unread message is before the shown ones.
fn is_before_window(history: History) -> bool {
    let window = history.window.get_untracked();
    let first = history.log.with_untracked(|log| {
        let start = window.range(log).start;
        let first = log.messages().get(start)?;
        (start > 0 || log.has_older()).then_some(first.id)
    });
    match (history.read_until.get_untracked(), first) {
        (Some(until), Some(first)) => until + 1 < first,
        _ => false,
    }
}

/// The sequence of the first message after `read_until` that another person wrote, if the page
/// holds all messages in between.
pub fn first_unread(
    log: &MessageLog,
    read_until: u64,
    is_own: impl Fn(&Message) -> bool,
) -> Option<u64> {
    let start = log.index(read_until + 1);
    let is_complete = if start == 0 {
        !log.has_older()
    } else {
        start != log.part_end() || log.earlier_until().is_none()
    };
    let unread = log.messages().get(start..).filter(|_| is_complete)?;
    unread
        .iter()
        .find(|message| !is_own(message))
        .map(|message| message.id)
}

/// The line.
#[component]
pub fn UnreadLine() -> impl IntoView {
    view! { <p class="unread-line" aria-live="off"><span>{t::NEW_MARK.text()}</span></p> }
}

/// The button that leads to the line, shown while that is above the view.
#[component]
pub fn JumpToUnread(state: RoomState) -> impl IntoView {
    let name = expect_context::<DisplayName>();
    let History {
        read_until, log, ..
    } = state.history;
    let text = text_signal(move || {
        // The log is counted only while the button is shown.
        let shown = read_until
            .get()
            .filter(|_| state.history.unread_above.get());
        let Some(until) = shown else {
            return String::new();
        };
        log.with(|log| {
            let after = log.messages().iter().filter(|message| message.id > until);
            let count = after.filter(|message| !is_mine(message, name)).count();
            let more = if log.oldest() > until + 1 { "+" } else { "" };
            t::N_NEW.fill([&format!("{count}{more}")])
        })
    });
    let go = on_click(move || {
        if let Some(until) = read_until.get_untracked() {
            let top = Some(TOP);
            state.history.go_to(Place {
                seq: until + 1,
                top,
            });
        }
    });
    erase_type(view! {
        <button hidden=bool_signal(move || !state.history.unread_above.get()) type="button" class="jump-to-unread" on:click=go>
            {Icon::Up.view()}
            {text}
        </button>
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::message;

    fn log(ids: impl IntoIterator<Item = u64>) -> MessageLog {
        MessageLog::new(ids.into_iter().map(message).collect())
    }

    #[test]
    fn first_unread_message_is_the_next_one_of_another_person() {
        let own = |message: &Message| message.id == 5;
        let found = |until| first_unread(&log(1..=8), until, own);
        assert_eq!(found(0), Some(1));
        assert_eq!(found(3), Some(4));
        assert_eq!(found(4), Some(6));
        assert_eq!(found(8), None);
        assert_eq!(first_unread(&MessageLog::default(), 0, own), None);
    }

    #[test]
    fn nothing_is_said_about_messages_that_are_not_on_the_page() {
        let is_own = |_: &Message| false;
        let later = log(51..=60);
        assert_eq!(first_unread(&later, 20, is_own), None);
        assert_eq!(first_unread(&later, 55, is_own), Some(56));
        let mut with_gap = log(51..=60);
        with_gap.go_to((20..=29).map(message).collect());
        assert_eq!(first_unread(&with_gap, 29, is_own), None);
        assert_eq!(first_unread(&with_gap, 22, is_own), Some(23));
        assert_eq!(first_unread(&with_gap, 53, is_own), Some(54));
    }
}
