//! A stream of events that heals itself.
//!
//! Promises: as long as its page part lives and the device is online, there is a connection or an attempt at one; a
//! lost one is opened anew from wherever the caller has got to, with growing, scattered pauses, and at once when the
//! device comes back online or the page into view. What it is doing is always visible in [`Stream::state`]. Closed
//! for good, and with it every timer and listener, when its page part goes. In the browser only.
//!
//! The browser's own reconnecting is not used: it gives up on any answer but 200 and tells nobody how long it waits.

use std::time::Duration;

use leptos::leptos_dom::helpers::TimeoutHandle;
use leptos::prelude::*;
use protocol::Time;
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::{EventSource, MessageEvent, PageTransitionEvent};

use crate::browser::{later, listen};
use crate::clock;

/// Named events that are listened for, besides the unnamed ones.
const NAMED: [&str; 3] = ["closing", "closed", "reset"];
/// The longest pause between two attempts, in milliseconds.
const LONGEST: f64 = 30_000.0;
/// Out of sight for longer than this, in milliseconds, a connection may be dead without anybody having been told.
const DOUBTFUL: i64 = 60_000;

/// What a stream is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Opening.
    Connecting,
    /// Open: whatever happens arrives.
    Live,
    /// Lost; the next attempt is at this time by this machine's clock.
    Waiting(Time),
    /// The device is offline.
    Offline,
    /// Over, because there is nothing more to come.
    Ended,
}

/// What came by the stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// An unnamed event, with its data and its `id`.
    Event(String, String),
    /// A named event, with its data.
    Named(String, String),
    /// The connection was lost or refused; why is not known here.
    Lost,
}

/// A stream that heals itself; not open until [`Stream::open`], which only a browser may call.
#[derive(Clone, Copy)]
pub struct Stream {
    state: RwSignal<State>,
    inner: StoredValue<Inner, LocalStorage>,
    purpose: StoredValue<Option<Purpose>, LocalStorage>,
}

/// What a stream is for: where it is, asked anew for each attempt, and who listens.
struct Purpose {
    address: Box<dyn Fn() -> String>,
    listener: Box<dyn Fn(Heard)>,
}

#[derive(Default)]
struct Inner {
    source: Option<Source>,
    retry: Option<TimeoutHandle>,
    attempts: u32,
    hidden_at: Option<Time>,
}

impl Default for Stream {
    fn default() -> Self {
        Self {
            state: RwSignal::new(State::Connecting),
            inner: StoredValue::new_local(Inner::default()),
            purpose: StoredValue::new_local(None),
        }
    }
}

impl Stream {
    /// What it is doing; follows it when tracked.
    pub fn state(self) -> State {
        self.state.get()
    }

    /// Opens it, and keeps it open from now on. `address` is asked anew for each attempt.
    pub fn open(self, address: impl Fn() -> String + 'static, listener: impl Fn(Heard) + 'static) {
        self.purpose.set_value(Some(Purpose { address: Box::new(address), listener: Box::new(listener) }));
        self.watch();
        self.connect();
    }

    /// Opens it anew at once, from wherever the caller is by now.
    pub fn again(self) {
        self.inner.update_value(|inner| inner.attempts = 0);
        self.connect();
    }

    /// Closes it for good.
    pub fn end(self) {
        self.drop_source();
        self.state.set(State::Ended);
    }

    /// Closes it until [`Stream::again`].
    pub fn pause(self) {
        self.drop_source();
    }

    fn connect(self) {
        if self.over() {
            return;
        }
        self.drop_source();
        if !window().navigator().on_line() {
            return self.state.set(State::Offline);
        }
        let address = self.purpose.with_value(|purpose| purpose.as_ref().map(|purpose| (purpose.address)()));
        let source = address.and_then(|address| Source::open(&address, self));
        self.state.set(State::Connecting);
        match source {
            Some(source) => self.inner.update_value(|inner| inner.source = Some(source)),
            None => self.lost(),
        }
    }

    /// Whether it was ended, or the page part it belonged to is gone.
    fn over(self) -> bool {
        self.state.try_get_untracked().is_none_or(|state| state == State::Ended)
    }

    fn opened(self) {
        self.inner.update_value(|inner| inner.attempts = 0);
        self.state.set(State::Live);
    }

    fn hear(self, heard: Heard) {
        self.purpose.with_value(|purpose| {
            if let Some(purpose) = purpose {
                (purpose.listener)(heard);
            }
        });
    }

    fn lost(self) {
        if self.over() {
            return;
        }
        self.drop_source();
        let pause = self.inner.try_update_value(|inner| {
            inner.attempts += 1;
            backoff(inner.attempts, js_sys::Math::random())
        });
        let pause = pause.unwrap_or_default();
        self.state.set(State::Waiting(clock::now().after(pause)));
        let retry = later(pause, move || self.connect());
        self.inner.update_value(|inner| inner.retry = retry);
        self.hear(Heard::Lost);
    }

    fn drop_source(self) {
        self.inner.try_update_value(|inner| {
            inner.source = None;
            if let Some(retry) = inner.retry.take() {
                retry.clear();
            }
        });
    }

    fn watch(self) {
        let wake = move || {
            if !matches!(self.state.get_untracked(), State::Live | State::Connecting) {
                self.again();
            }
        };
        listen("online", move |_| self.again());
        listen("offline", move |_| {
            if !self.over() {
                self.drop_source();
                self.state.set(State::Offline);
            }
        });
        // A page in the back/forward cache may not hold a connection.
        listen("pagehide", move |_| self.drop_source());
        listen("pageshow", move |event| {
            if event.dyn_ref::<PageTransitionEvent>().is_some_and(PageTransitionEvent::persisted) {
                self.again();
            }
        });
        listen("visibilitychange", move |_| if self.was_long_hidden() { self.again() } else { wake() });
        on_cleanup(move || self.drop_source());
    }

    fn was_long_hidden(self) -> bool {
        let now = clock::now();
        let hidden = document().hidden();
        self.inner
            .try_update_value(|inner| {
                let since = std::mem::replace(&mut inner.hidden_at, hidden.then_some(now));
                !hidden && since.is_some_and(|since| now.millis() - since.millis() > DOUBTFUL)
            })
            .unwrap_or(false)
    }
}

/// The pause before an attempt: about 1 s, 2 s, 4 s … to 30 s, scattered by a half each way, so that a restarted server
/// does not meet all its clients in one moment. `luck` is between 0 and 1.
fn backoff(attempt: u32, luck: f64) -> Duration {
    let middle = 1_000.0 * f64::from(1_u32 << attempt.clamp(1, 6).saturating_sub(1));
    Duration::from_millis((middle * (0.5 + luck)).min(LONGEST) as u64)
}

/// One connection; closed when dropped.
struct Source {
    source: EventSource,
    events: Closure<dyn FnMut(MessageEvent)>,
    _opened: Closure<dyn FnMut()>,
    _failed: Closure<dyn FnMut()>,
}

impl Source {
    fn open(address: &str, stream: Stream) -> Option<Self> {
        let source = EventSource::new(address).ok()?;
        let opened = Closure::<dyn FnMut()>::new(move || stream.opened());
        let failed = Closure::<dyn FnMut()>::new(move || stream.lost());
        let events = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
            let data = event.data().as_string().unwrap_or_default();
            stream.hear(match event.type_().as_str() {
                "message" => Heard::Event(data, event.last_event_id()),
                name => Heard::Named(name.to_owned(), data),
            });
        });
        source.set_onopen(Some(opened.as_ref().unchecked_ref()));
        source.set_onerror(Some(failed.as_ref().unchecked_ref()));
        source.set_onmessage(Some(events.as_ref().unchecked_ref()));
        for name in NAMED {
            source.add_event_listener_with_callback(name, events.as_ref().unchecked_ref()).ok()?;
        }
        Some(Self { source, events, _opened: opened, _failed: failed })
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        self.source.set_onopen(None);
        self.source.set_onerror(None);
        self.source.set_onmessage(None);
        for name in NAMED {
            // A listener that is not there needs no removing.
            let _ = self.source.remove_event_listener_with_callback(name, self.events.as_ref().unchecked_ref());
        }
        self.source.close();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_half_a_minute_and_are_scattered() {
        let millis = |attempt, luck| backoff(attempt, luck).as_millis();
        assert_eq!((millis(1, 0.0), millis(1, 1.0)), (500, 1_500));
        assert_eq!(millis(3, 0.5), 4_000);
        assert_eq!(millis(40, 1.0), 30_000);
        assert_eq!(millis(0, 0.5), 1_000);
    }
}
