//! How long a room has left: a line that shortens, and words.
//!
//! Promises: follows every message; the last tenth is marked in colour and said in words, and announced once.

use std::time::Duration;

use leptos::prelude::*;
use protocol::Room;

use crate::part::{flag, part, text};
use crate::span;
use crate::visit::Visit;

/// How much of a room's time is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Left {
    /// Until it is deleted.
    pub time: Duration,
    /// The same in thousandths of its whole time.
    pub share: u16,
}

impl Left {
    /// What is left of a room's time now.
    pub fn of(room: &Room, now: protocol::Time) -> Self {
        let millis = |from: protocol::Time| (room.expires_at.millis() - from.millis()).max(0);
        let share = (millis(now) * 1000 / millis(room.last_active_at).max(1)).min(1000);
        Self {
            time: room.expires_at.since(now),
            share: u16::try_from(share).unwrap_or(1000),
        }
    }

    /// Whether it is the last tenth.
    pub fn is_short(self) -> bool {
        self.share < 100
    }

    /// In words.
    pub fn words(self) -> String {
        self.say(span::words)
    }

    /// In fewer words.
    pub fn brief(self) -> String {
        self.say(span::brief)
    }

    fn say(self, words: fn(Duration) -> String) -> String {
        match self.time.as_secs() {
            0 => "closing".to_owned(),
            _ => format!("{} left", words(self.time)),
        }
    }
}

/// The thin line under something that ends.
#[component]
pub fn Line(left: Signal<Left>) -> impl IntoView {
    view! {
        <svg class="life" class:short=flag(move || left.get().is_short()) viewBox="0 0 1000 1" preserveAspectRatio="none" aria-hidden="true">
            <rect width=text(move || left.get().share.to_string()) height="1"></rect>
        </svg>
    }
}

/// What is left of the visited room's time, in words.
#[component]
pub fn TimeLeft(left: Signal<Left>, closed: Signal<bool>) -> impl IntoView {
    view! {
        <span
            hidden=closed
            class="left"
            class:short=flag(move || left.get().is_short())
            title="A room is deleted when nobody writes for a while. Every message starts the time anew."
        >
            {text(move || left.get().words())}
        </span>
    }
}

/// The warning near the end.
#[component]
pub fn Warning(visit: Visit, left: Signal<Left>) -> impl IntoView {
    let is_short = move || left.get().is_short() && !visit.closed.get();
    part(view! {
        <div class="warning" role="status">
            <p hidden=flag(move || !is_short())>
                    "This room is deleted soon, unless somebody writes"
                    <span aria-hidden="true">{text(move || format!(" · {}", left.get().words()))}</span>
            </p>
        </div>
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;
    use protocol::Time;

    fn left(last: i64, expires: i64, now: i64) -> Left {
        let room = Room {
            last_active_at: Time::from_millis(last),
            expires_at: Time::from_millis(expires),
            ..sample::room()
        };
        Left::of(&room, Time::from_millis(now))
    }

    #[test]
    fn the_last_tenth_is_short() {
        assert_eq!(left(0, 100_000, 0).share, 1000);
        assert!(!left(0, 100_000, 90_000).is_short());
        assert!(left(0, 100_000, 90_001).is_short());
        assert_eq!(left(0, 100_000, 95_000).words(), "5 s left");
    }

    #[test]
    fn what_is_over_has_nothing_left() {
        assert_eq!(
            left(0, 10, 20),
            Left {
                time: Duration::ZERO,
                share: 0
            }
        );
        assert_eq!(left(5, 5, 0).share, 1000, "clocks may differ");
        assert_eq!(left(0, 0, 0).words(), "closing");
    }
}
