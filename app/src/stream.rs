//! A stream of events that heals itself.
//!
//! Promises: from [`Stream::again`] to [`Stream::pause`], while the device is online, there is a connection or an attempt
//! at one; a lost one is opened anew from wherever the caller has got to, with growing, scattered pauses, and at once
//! when the device comes back online; an attempt that gets no answer is given up. What it is doing is always visible in
//! [`Stream::state`]. Leaves to others: what may have happened while nobody could notice (`feed`). In the browser only.
//!
//! The browser's own reconnecting is not used: it gives up on any answer but 200 and tells nobody how long it waits.

use std::rc::Rc;
use std::time::Duration;

use leptos::leptos_dom::helpers::TimeoutHandle;
use leptos::prelude::*;
use protocol::Time;
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::{EventSource, MessageEvent};

use crate::browser::{finally, later, listen};
use crate::clock;
use crate::part::Own;

/// Named events that are listened for, besides the unnamed ones.
const NAMED: [&str; 10] =
    ["closing", "closed", "removed", "reset", "rooms", "overview", "presence", "typing", "edit", "deletion"];
/// The longest pause between two attempts, in milliseconds.
const LONGEST: f64 = 30_000.0;
/// How long a connection that is opened anew on purpose still counts as the old one.
const GRACE: Duration = Duration::from_secs(2);
/// How long an attempt waits for an answer, after that.
const PATIENCE: Duration = Duration::from_secs(18);

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
pub struct Heard {
    /// The name of the event; `message` if it has none.
    pub name: String,
    /// Its data.
    pub data: String,
    /// Its `id`.
    pub id: String,
}

/// A stream that heals itself; it belongs to the part of the page that made it.
#[derive(Clone, Copy)]
pub struct Stream {
    state: RwSignal<State>,
    inner: Own<Inner>,
}

/// Where a stream is and who listens.
type Purpose = (Rc<dyn Fn() -> String>, Rc<dyn Fn(Heard)>);

struct Inner {
    /// Where it is, asked anew for each attempt.
    address: Rc<dyn Fn() -> String>,
    listener: Rc<dyn Fn(Heard)>,
    wanted: bool,
    source: Option<Source>,
    timer: Option<TimeoutHandle>,
    attempts: u32,
}

impl Stream {
    /// A stream that is not open yet. `address` is asked anew for each attempt.
    pub fn new(address: impl Fn() -> String + 'static, listener: impl Fn(Heard) + 'static) -> Self {
        let (address, listener) = (Rc::new(address), Rc::new(listener));
        let inner = Inner { address, listener, wanted: false, source: None, timer: None, attempts: 0 };
        let stream = Self { state: RwSignal::new(State::Connecting), inner: Own::new(inner) };
        listen("online", move |_| {
            if stream.inner.with(|inner| inner.wanted) == Some(true) {
                stream.again();
            }
        });
        listen("offline", move |_| {
            stream.drop_source();
            stream.state.set(State::Offline);
        });
        finally(move || stream.pause());
        stream
    }

    /// What it is doing; follows it when tracked.
    pub fn state(self) -> State {
        self.state.get()
    }

    /// What it is doing at this moment; while it is opened anew on purpose, that.
    pub fn now(self) -> State {
        let open = self.inner.with(|inner| inner.source.as_ref().is_some_and(Source::is_open));
        match self.state.get_untracked() {
            State::Live if open != Some(true) => State::Connecting,
            state => state,
        }
    }

    /// Opens it anew at once, from wherever the caller is by now, and keeps it open.
    pub fn again(self) {
        self.inner.with(|inner| {
            inner.wanted = true;
            inner.attempts = 0;
        });
        self.connect();
    }

    /// Closes it until [`Stream::again`].
    pub fn pause(self) {
        self.inner.with(|inner| inner.wanted = false);
        self.drop_source();
    }

    fn connect(self) {
        self.drop_source();
        if !window().navigator().on_line() {
            return self.state.set(State::Offline);
        }
        let Some(purpose) = self.inner.with(|inner| (inner.address.clone(), inner.listener.clone())) else { return };
        match Source::open(self, purpose) {
            Some(source) => self.inner.with(|inner| inner.source = Some(source)),
            None => return self.lost(),
        };
        if self.state.get_untracked() != State::Live {
            self.state.set(State::Connecting);
        }
        self.wait(GRACE, move || {
            self.state.set(State::Connecting);
            self.wait(PATIENCE, move || self.lost());
        });
    }

    fn wait(self, pause: Duration, then: impl FnOnce() + 'static) {
        let timer = later(pause, then);
        self.inner.with(|inner| inner.timer = timer);
    }

    fn opened(self) {
        self.inner.with(|inner| {
            inner.attempts = 0;
            inner.timer.take().iter().for_each(TimeoutHandle::clear);
        });
        self.state.set(State::Live);
    }

    fn lost(self) {
        self.drop_source();
        let pause = self.inner.with(|inner| {
            inner.attempts += 1;
            backoff(inner.attempts, js_sys::Math::random())
        });
        let pause = pause.unwrap_or_default();
        self.state.set(State::Waiting(clock::now().after(pause)));
        self.wait(pause, move || self.connect());
    }

    fn drop_source(self) {
        self.inner.with(|inner| {
            inner.source = None;
            inner.timer.take().iter().for_each(TimeoutHandle::clear);
        });
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
    fn open(stream: Stream, (address, listener): Purpose) -> Option<Self> {
        let source = EventSource::new(&address()).ok()?;
        let opened = Closure::<dyn FnMut()>::new(move || stream.opened());
        let failed = Closure::<dyn FnMut()>::new(move || stream.lost());
        let events = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
            let data = event.data().as_string().unwrap_or_default();
            let heard = Heard { name: event.type_(), data, id: event.last_event_id() };
            listener(heard);
        });
        source.set_onopen(Some(opened.as_ref().unchecked_ref()));
        source.set_onerror(Some(failed.as_ref().unchecked_ref()));
        source.set_onmessage(Some(events.as_ref().unchecked_ref()));
        for name in NAMED {
            source.add_event_listener_with_callback(name, events.as_ref().unchecked_ref()).ok()?;
        }
        Some(Self { source, events, _opened: opened, _failed: failed })
    }

    fn is_open(&self) -> bool {
        self.source.ready_state() == EventSource::OPEN
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
