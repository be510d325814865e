//! How much of its lifetime a room has left, as a bar and as text.
//!
//! # Guarantees
//! Every message resets both; the last tenth of the lifetime has a colour of its own.

use std::time::Duration;

use leptos::prelude::*;
use protocol::Room;
use texts::app as t;

use crate::reactive::{bool_signal, text_signal};
use crate::time::duration_text;

/// How much of a room's lifetime is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeLeft {
    /// The time until the room is deleted.
    pub time: Duration,
    /// The same in thousandths of the lifetime.
    pub permille: u16,
}

impl TimeLeft {
    /// The time that a room has left now.
    pub fn of(room: &Room, now: protocol::Time) -> Self {
        let millis = |from: protocol::Time| (room.expires_at.millis() - from.millis()).max(0);
        let permille = (millis(now) * 1000 / millis(room.last_active_at).max(1)).min(1000);
        Self {
            time: room.expires_at.since(now),
            permille: u16::try_from(permille).unwrap_or(1000),
        }
    }

    /// Whether less than a tenth is left.
    pub fn is_short(self) -> bool {
        self.permille < 100
    }

    /// As text, the same wherever it is shown.
    pub fn text(self) -> String {
        match self.time.as_secs() {
            0 => t::CLOSING.text().to_owned(),
            _ => t::TIME_LEFT.fill([&duration_text::format_long(self.time)]),
        }
    }
}

/// A thin bar that shortens.
#[component]
pub fn TimeLeftBar(left: Signal<TimeLeft>) -> impl IntoView {
    view! {
        <svg class="time-bar" class:ending=bool_signal(move || left.get().is_short()) viewBox="0 0 1000 1" preserveAspectRatio="none" aria-hidden="true">
            <rect width=text_signal(move || left.get().permille.to_string()) height="1"></rect>
        </svg>
    }
}

/// The time that a room has left, as text.
#[component]
pub fn TimeLeftText(left: Signal<TimeLeft>, closed: Signal<bool>) -> impl IntoView {
    view! {
        <span
            hidden=closed
            class="time-left"
            class:ending=bool_signal(move || left.get().is_short())
            title=t::TIME_LEFT_HINT.text()
        >
            {text_signal(move || left.get().text())}
        </span>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures;
    use protocol::Time;

    fn left(last: i64, expires: i64, now: i64) -> TimeLeft {
        let room = Room {
            last_active_at: Time::from_millis(last),
            expires_at: Time::from_millis(expires),
            ..fixtures::room()
        };
        TimeLeft::of(&room, Time::from_millis(now))
    }

    #[test]
    fn last_tenth_of_the_lifetime_is_short() {
        assert_eq!(left(0, 100_000, 0).permille, 1000);
        assert!(!left(0, 100_000, 90_000).is_short());
        assert!(left(0, 100_000, 90_001).is_short());
        assert_eq!(left(0, 100_000, 95_000).text(), "5 s left");
    }

    #[test]
    fn expired_room_has_nothing_left() {
        assert_eq!(
            left(0, 10, 20),
            TimeLeft {
                time: Duration::ZERO,
                permille: 0
            }
        );
        assert_eq!(left(5, 5, 0).permille, 1000, "clocks may differ");
        assert_eq!(left(0, 0, 0).text(), "closing");
    }
}
