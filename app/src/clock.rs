//! What time it is, for every part of the page that shows one.
//!
//! Promises: the first drawing uses the server's moment and UTC, on the server and in the browser alike; right after
//! it the page goes over to the visitor's own clock face, and ticks once a second while it can be seen.

use std::time::Duration;

use leptos::prelude::*;
use protocol::Time;

use crate::browser::live;
use crate::calendar::Wall;

/// A difference between two clocks that is no more than the time the page took to arrive, in milliseconds.
const SLACK: i64 = 5_000;

/// The page's clock.
#[derive(Clone, Copy)]
pub struct Clock {
    now: RwSignal<Time>,
    local: RwSignal<bool>,
}

impl Clock {
    /// A clock that shows the server's moment until the browser has taken over.
    pub fn start(opened: Time) -> Self {
        let clock = Self {
            now: RwSignal::new(opened),
            local: RwSignal::new(false),
        };
        live(move || clock.run(opened));
        clock
    }

    /// The moment by the server's clock, to within a few seconds; follows it when tracked.
    pub fn now(self) -> Time {
        self.now.get()
    }

    /// Minutes and hours where the visitor is; UTC in the first drawing.
    pub fn wall(self, time: Time) -> Wall {
        let shift = if self.local.get() { shift(time) } else { 0 };
        Wall::at(time, shift)
    }

    /// The same with its zone in words, for tooltips.
    pub fn full(self, time: Time) -> String {
        let zone = if self.local.get() { "" } else { " UTC" };
        format!("{}{zone}", self.wall(time).full())
    }

    /// Today, by the visitor's calendar; follows it when tracked.
    pub fn today(self) -> i64 {
        self.wall(self.now.get()).day()
    }

    fn run(self, opened: Time) {
        let ahead = now().millis() - opened.millis();
        let ahead = if ahead.abs() < SLACK { 0 } else { ahead };
        let tick = move || {
            if !document().hidden() {
                self.now.set(Time::from_millis(now().millis() - ahead));
            }
        };
        self.local.set(true);
        tick();
        let ticking = set_interval_with_handle(tick, Duration::from_secs(1));
        on_cleanup(move || drop(ticking.map(|ticking| ticking.clear())));
    }
}

/// This machine's clock.
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

/// A moment as the wire writes it; in the browser by its own means, which are there already.
pub fn written(time: Time) -> String {
    #[cfg(target_arch = "wasm32")]
    return js_sys::Date::new(&(time.millis() as f64).into())
        .to_iso_string()
        .into();
    #[cfg(not(target_arch = "wasm32"))]
    return time.to_string();
}

/// Minutes east of UTC at that moment, where the browser is.
fn shift(time: Time) -> i32 {
    let date = js_sys::Date::new(&(time.millis() as f64).into());
    -(date.get_timezone_offset() as i32)
}
