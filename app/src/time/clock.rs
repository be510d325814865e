//! The page's clock, which every component that shows a time follows.
//!
//! # Guarantees
//! - The first rendering uses the server's time and UTC, on the server and in the browser.
//! - After hydration the clock uses the visitor's time zone, and ticks once a second while the page
//!   is visible.

use std::time::Duration;

use leptos::prelude::*;
use protocol::Time;

use crate::browser::dom::browser_effect;
use crate::time::local_time::LocalTime;

/// A difference between the two clocks up to this many milliseconds is taken for the time that the
/// page took to arrive.
const TRANSFER_TIME: i64 = 5_000;

/// The page's clock.
#[derive(Clone, Copy)]
pub struct Clock {
    now: RwSignal<Time>,
    /// Whether the visitor's time zone is known.
    is_local: RwSignal<bool>,
}

impl Clock {
    /// Starts a clock that shows the server's time, and runs after hydration.
    pub fn start(server_time: Time) -> Self {
        let clock = Self {
            now: RwSignal::new(server_time),
            is_local: RwSignal::new(false),
        };
        browser_effect(move || clock.run(server_time));
        clock
    }

    /// The time by the server's clock, to within a few seconds; tracks the clock.
    pub fn now(self) -> Time {
        self.now.get()
    }

    /// A time in the visitor's time zone; UTC in the first rendering.
    pub fn local_time(self, time: Time) -> LocalTime {
        let offset = if self.is_local.get() {
            utc_offset(time)
        } else {
            0
        };
        LocalTime::new(time, offset)
    }

    /// The same as text with date and seconds, for tooltips.
    pub fn full_text(self, time: Time) -> String {
        let zone = if self.is_local.get() { "" } else { " UTC" };
        format!("{}{zone}", self.local_time(time).full())
    }

    /// The number of the current day in the visitor's time zone; tracks the clock.
    pub fn today(self) -> i64 {
        self.local_time(self.now.get()).day()
    }

    fn run(self, server_time: Time) {
        let ahead = now().millis() - server_time.millis();
        let ahead = if ahead.abs() < TRANSFER_TIME {
            0
        } else {
            ahead
        };
        let tick = move || {
            if !document().hidden() {
                self.now.set(Time::from_millis(now().millis() - ahead));
            }
        };
        self.is_local.set(true);
        tick();
        let ticking = set_interval_with_handle(tick, Duration::from_secs(1));
        on_cleanup(move || drop(ticking.map(|ticking| ticking.clear())));
    }
}

/// The time by this machine's clock.
pub fn now() -> Time {
    Time::from_millis(millis())
}

#[cfg(target_arch = "wasm32")]
fn millis() -> i64 {
    js_sys::Date::now() as i64
}

#[cfg(not(target_arch = "wasm32"))]
fn millis() -> i64 {
    std::time::UNIX_EPOCH
        .elapsed()
        .ok()
        .and_then(|since| i64::try_from(since.as_millis()).ok())
        .unwrap_or(0)
}

/// A time in RFC 3339; the browser's own formatter saves loading another.
pub fn rfc3339(time: Time) -> String {
    #[cfg(target_arch = "wasm32")]
    return js_sys::Date::new(&(time.millis() as f64).into())
        .to_iso_string()
        .into();
    #[cfg(not(target_arch = "wasm32"))]
    return time.to_string();
}

/// The offset of the browser's time zone from UTC at that time, in minutes; positive in the east.
fn utc_offset(time: Time) -> i32 {
    let date = js_sys::Date::new(&(time.millis() as f64).into());
    -(date.get_timezone_offset() as i32)
}
