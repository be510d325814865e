//! The page's clock, which every component that shows a time follows.
//!
//! # Guarantees
//! - The first rendering uses the server's time and UTC, on the server and in the browser.
//! - After hydration the clock uses the visitor's time zone, and ticks once a second while the page
//!   is visible.
//! - It stays at the server's time when the device's clock is set to another time.
//!
//! # Not here
//! What the device's clocks say about the server's (`server_clock`).

use std::cell::Cell;
use std::pin::Pin;
use std::time::Duration;

use leptos::prelude::*;
use protocol::Time;
use texts::app as t;

use crate::browser::dom::{browser_effect, run_after, spawn_task};
use crate::browser::startup;
use crate::reactive::BrowserCell;
use crate::time::local_time::{LocalTime, is_same_year};
use crate::time::server_clock::ServerClock;

/// How often the server is asked for its time while it does not answer.
const ASK_INTERVAL: Duration = Duration::from_secs(15);

/// Asks the server for its time.
pub type AskTime = fn() -> Pin<Box<dyn Future<Output = Option<Time>>>>;

/// The page's clock.
#[derive(Clone, Copy)]
pub struct Clock {
    now: RwSignal<Time>,
    /// Whether the visitor's time zone is known.
    is_local: RwSignal<bool>,
    /// Whether the server is being asked for its time.
    is_asking: BrowserCell<bool>,
}

impl Clock {
    /// Starts a clock that shows the server's time, and runs after hydration. `ask` is called when
    /// the device's clock is in doubt.
    pub fn start(server_time: Time, ask: AskTime) -> Self {
        let clock = Self {
            now: RwSignal::new(server_time),
            is_local: RwSignal::new(false),
            is_asking: BrowserCell::new(false),
        };
        Effect::new(move |_| clock.run(server_time, ask));
        browser_effect(move || {
            clock.is_local.set(true);
            clock.show();
            clock.tick(ask);
        });
        clock
    }

    /// The time by the server's clock, to within a few seconds; tracks the clock.
    pub fn now(self) -> Time {
        self.now.get()
    }

    /// The same, untracked; in the first rendering the time at which the page was drawn.
    pub fn now_untracked(self) -> Time {
        self.now.get_untracked()
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

    /// The hours and minutes of a time.
    pub fn hours(self, time: Time) -> String {
        self.write(|| self.local_time(time).hours())
    }

    /// The day of a time, with its year.
    pub fn date(self, time: Time) -> String {
        self.write(|| self.local_time(time).date())
    }

    /// A time with date and seconds, for tooltips.
    pub fn full_text(self, time: Time) -> String {
        let zone = if self.is_local.get() { "" } else { " UTC" };
        self.write(|| format!("{}{zone}", self.local_time(time).full()))
    }

    /// A day: `Today`, `Yesterday`, `Friday 20 November`, or with its year if that is not the
    /// current one.
    pub fn day_name(self, day: i64) -> String {
        let today = self.today();
        self.write(|| match today - day {
            0 => t::TODAY.text().to_owned(),
            1 => t::YESTERDAY.text().to_owned(),
            _ if is_same_year(day, today) => LocalTime::of_day(day).day_text(),
            _ => LocalTime::of_day(day).date(),
        })
    }

    /// What the server has written stays on the page until the visitor's time zone is known: the
    /// browser may write it in another form.
    fn write(self, text: impl FnOnce() -> String) -> String {
        if cfg!(target_arch = "wasm32") && !self.is_local.get() {
            return String::new();
        }
        text()
    }

    /// The number of the current day in the visitor's time zone; tracks the clock.
    pub fn today(self) -> i64 {
        self.local_time(self.now.get()).day()
    }

    /// Ticks from now on. The parts of the page that are not taken over yet show the server's time.
    fn run(self, server_time: Time, ask: AskTime) {
        with_server_clock(|clock| clock.compare(server_time));
        let tick = move || {
            if !startup::is_pending() {
                self.tick(ask);
            }
        };
        let ticking = set_interval_with_handle(tick, Duration::from_secs(1));
        on_cleanup(move || drop(ticking.map(|ticking| ticking.clear())));
    }

    fn tick(self, ask: AskTime) {
        let is_doubtful = with_server_clock(|clock| clock.is_doubtful());
        let asking = |is_asking: &mut bool| std::mem::replace(is_asking, true);
        if is_doubtful && self.is_asking.with(asking) == Some(false) {
            return spawn_task(self.resolve_doubt(ask));
        }
        self.show();
    }

    fn show(self) {
        if !document().hidden() {
            self.now.try_set(now());
        }
    }

    async fn resolve_doubt(self, ask: AskTime) {
        let answer = ask().await;
        with_server_clock(|clock| clock.resolve(answer));
        self.show();
        let pause = answer.map_or(ASK_INTERVAL, |_| Duration::ZERO);
        run_after(pause, move || {
            self.is_asking.with(|is_asking| *is_asking = false);
        });
    }
}

/// The time: in the browser by the server's clock, to within a few seconds.
pub fn now() -> Time {
    #[cfg(target_arch = "wasm32")]
    return with_server_clock(|clock| clock.now());
    #[cfg(not(target_arch = "wasm32"))]
    return Time::from_millis(millis());
}

/// Reads the device's clocks, and then the server's by them.
fn with_server_clock<T>(action: impl FnOnce(&mut ServerClock) -> T) -> T {
    thread_local! {
        static CLOCK: Cell<Option<ServerClock>> = const { Cell::new(None) };
    }
    let [wall, steady] = [millis(), steady_millis()];
    let mut clock = CLOCK
        .get()
        .unwrap_or_else(|| ServerClock::new(wall, steady));
    clock.read(wall, steady);
    let result = action(&mut clock);
    CLOCK.set(Some(clock));
    result
}

/// The device's clock that no one can set; it may stop while the device sleeps.
fn steady_millis() -> i64 {
    window().performance().map_or(0, |clock| clock.now() as i64)
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

/// The time of an HTTP date; none outside of the browser, whose parser reads it.
pub fn parse_date(_date: &str) -> Option<Time> {
    #[cfg(target_arch = "wasm32")]
    return Some(js_sys::Date::parse(_date))
        .filter(|millis| millis.is_finite())
        .map(|millis| Time::from_millis(millis as i64));
    #[cfg(not(target_arch = "wasm32"))]
    return None;
}

/// The offset of the browser's time zone from UTC at that time, in minutes; positive in the east.
fn utc_offset(time: Time) -> i32 {
    let date = js_sys::Date::new(&(time.millis() as f64).into());
    -(date.get_timezone_offset() as i32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recent_days_have_names() {
        let name = |day: &str| {
            let now: Time = "2026-11-20T06:41:05.123Z".parse().unwrap();
            Owner::new().with(|| {
                let clock = Clock {
                    now: RwSignal::new(now),
                    is_local: RwSignal::new(false),
                    is_asking: BrowserCell::new(false),
                };
                let day: Time = format!("{day}T00:00:00.000Z").parse().unwrap();
                clock.day_name(LocalTime::new(day, 0).day())
            })
        };
        assert_eq!(name("2026-11-20"), "Today");
        assert_eq!(name("2026-11-19"), "Yesterday");
        assert_eq!(name("2026-11-18"), "Wednesday 18 November");
        assert_eq!(name("2025-11-20"), "Thursday, 20 November 2025");
        assert_eq!(name("2026-11-21"), "Saturday 21 November");
    }
}
