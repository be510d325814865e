//! An event stream that reconnects. In the browser only.
//!
//! # Guarantees
//! - From [`EventStream::reopen`] to [`EventStream::close`] there is a connection, an attempt at one
//!   or a pause before one, also while the browser says that the device is offline: it may be wrong.
//! - A lost connection is opened again from the caller's current cursors: after growing, scattered
//!   pauses, or at once when the device is back online.
//! - An attempt without any event is given up, and so is a connection that has fallen silent.
//! - Where event streams do not come through, the stream uses a WebSocket, and the other way round:
//!   when nothing came, or a connection ended soon, although the server answers other requests.
//! - [`EventStream::state`] always says what it is doing.
//!
//! # Not here
//! What may have been missed while the page could notice nothing (`sharing/subscriber`).
//!
//! The reconnecting of `EventSource` itself is not used: it gives up on any answer but 200 and does
//! not say how long it waits. Nor does its `open` event count: a proxy may answer 200 and buffer
//! the whole stream.

use std::rc::Rc;
use std::time::Duration;

use leptos::leptos_dom::helpers::TimeoutHandle;
use leptos::prelude::*;
use protocol::EventName;
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::{EventSource, MessageEvent, WebSocket};

use crate::api;
use crate::browser::dom::{on_unmount, on_window_event, run_after, spawn_task};
use crate::browser::local_storage;
use crate::connection::sharing::stream_event::{ConnectionState, StreamEvent, read_frame};
use crate::reactive::BrowserCell;
use crate::time::clock;

/// The events of the browser that end a connection.
const LOSSES: [&str; 2] = ["error", "close"];
/// A beat comes at least this often.
const BEAT_INTERVAL: Duration = Duration::from_secs(15);
/// A connection without this many beats in a row is silent.
const SILENT_BEATS: u32 = 3;
/// After this many connections in a row that end within a beat, the other transport is tried.
const SHORT_CONNECTIONS: u32 = 2;
/// The mark by which the tab remembers that it needs a WebSocket.
const SOCKET_MARK: &str = "socket";
/// The longest pause between two attempts, in milliseconds.
const LONGEST_PAUSE: f64 = 30_000.0;
/// How long a connection that is reopened on purpose still counts as open.
const GRACE: Duration = Duration::from_secs(2);
/// How long an attempt waits for an event, after that.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(8);

/// An event stream that reconnects; it belongs to the part of the page that made it.
#[derive(Clone, Copy)]
pub struct EventStream {
    state: RwSignal<ConnectionState>,
    inner: BrowserCell<Inner>,
}

/// What a connection needs: its address, and who listens.
#[derive(Clone)]
struct Target {
    /// Called for each attempt.
    address: Rc<dyn Fn() -> String>,
    listener: Rc<dyn Fn(StreamEvent)>,
}

struct Inner {
    target: Target,
    is_wanted: bool,
    source: Option<Source>,
    timer: Option<TimeoutHandle>,
    /// How many attempts in a row failed or ended soon.
    attempts: u32,
    /// Whether the next attempt uses a WebSocket.
    use_socket: bool,
    /// Whether an event came by the connection.
    is_open: bool,
    /// How many beats are missing.
    missing_beats: u32,
}

/// What follows from a lost connection.
struct Loss {
    pause: Duration,
    was_socket: bool,
    /// Whether the transport may be the reason.
    is_suspect: bool,
}

impl Inner {
    /// Whether the connection, or the attempt at one, is a WebSocket.
    fn is_socket(&self) -> bool {
        self.source
            .as_ref()
            .map_or(self.use_socket, |source| source.is_socket)
    }

    fn clear_timer(&mut self) {
        if let Some(timer) = self.timer.take() {
            timer.clear();
        }
    }

    /// Records an event; returns whether it is the first of its connection.
    fn record_event(&mut self) -> bool {
        self.missing_beats = 0;
        let is_first = !std::mem::replace(&mut self.is_open, true);
        if is_first {
            self.clear_timer();
            self.use_socket = self.is_socket();
            let mark = if self.use_socket { SOCKET_MARK } else { "" };
            local_storage::set_in_tab(SOCKET_MARK, mark);
        }
        is_first
    }

    /// Records that a beat is due; returns whether the connection is silent.
    fn record_beat_time(&mut self) -> bool {
        self.attempts = 0;
        self.missing_beats += 1;
        self.missing_beats >= SILENT_BEATS
    }

    fn record_loss(&mut self) -> Loss {
        self.attempts += 1;
        Loss {
            pause: backoff(self.attempts, js_sys::Math::random()),
            was_socket: self.is_socket(),
            is_suspect: !self.is_open || self.attempts > SHORT_CONNECTIONS,
        }
    }
}

impl EventStream {
    /// A stream that is not open yet. `address` is called for each attempt.
    pub fn new(
        address: impl Fn() -> String + 'static,
        listener: impl Fn(StreamEvent) + 'static,
    ) -> Self {
        let inner = Inner {
            target: Target {
                address: Rc::new(address),
                listener: Rc::new(listener),
            },
            is_wanted: false,
            source: None,
            timer: None,
            attempts: 0,
            use_socket: local_storage::get_in_tab(SOCKET_MARK).is_some_and(|mark| !mark.is_empty()),
            is_open: false,
            missing_beats: 0,
        };
        let stream = Self {
            state: RwSignal::new(ConnectionState::Connecting),
            inner: BrowserCell::new(inner),
        };
        let reopen_if_wanted = move || {
            if stream.inner.with(|inner| inner.is_wanted) == Some(true) {
                stream.reopen();
            }
        };
        on_window_event("online", move |_| reopen_if_wanted());
        on_window_event("offline", move |_| {
            stream.drop_source();
            stream.state.set(ConnectionState::Offline);
            reopen_if_wanted();
        });
        on_unmount(move || stream.close());
        stream
    }

    /// What the stream is doing; follows it when tracked.
    pub fn state(self) -> ConnectionState {
        self.state.get()
    }

    /// What the stream is doing at this moment. While it is reopened on purpose, that is
    /// `Connecting`.
    pub fn state_now(self) -> ConnectionState {
        let is_open = self.inner.with(|inner| inner.is_open);
        match self.state.get_untracked() {
            ConnectionState::Live if is_open != Some(true) => ConnectionState::Connecting,
            state => state,
        }
    }

    /// Opens the stream again at once, at its current address, and keeps it open.
    pub fn reopen(self) {
        self.inner.with(|inner| {
            inner.is_wanted = true;
            inner.attempts = 0;
        });
        self.connect();
    }

    /// Closes the stream until [`EventStream::reopen`].
    pub fn close(self) {
        self.inner.with(|inner| inner.is_wanted = false);
        self.drop_source();
    }

    fn connect(self) {
        self.drop_source();
        let Some(target) = self.inner.with(|inner| inner.target.clone()) else {
            return;
        };
        let use_socket = self.inner.with(|inner| inner.use_socket) == Some(true);
        match Source::open(self, target, use_socket) {
            Some(source) => self.inner.with(|inner| inner.source = Some(source)),
            None => return self.on_loss(),
        };
        if self.state.get_untracked() != ConnectionState::Live {
            self.show_lack(ConnectionState::Connecting);
        }
        self.wait(GRACE, move || {
            self.show_lack(ConnectionState::Connecting);
            self.wait(ATTEMPT_TIMEOUT, move || self.on_loss());
        });
    }

    /// Says why there is no connection.
    fn show_lack(self, state: ConnectionState) {
        let is_online = window().navigator().on_line();
        let state = if is_online {
            state
        } else {
            ConnectionState::Offline
        };
        if self.state.get_untracked() != state {
            self.state.set(state);
        }
    }

    fn wait(self, pause: Duration, then: impl FnOnce() + 'static) {
        let timer = run_after(pause, then);
        self.inner.with(|inner| inner.timer = timer);
    }

    /// An event came: the connection works.
    fn on_event(self) {
        if self.inner.with(Inner::record_event) == Some(true) {
            self.state.set(ConnectionState::Live);
            self.watch_beats();
        }
    }

    /// Checks after each beat interval whether a beat came.
    fn watch_beats(self) {
        self.wait(BEAT_INTERVAL, move || {
            if self.inner.with(Inner::record_beat_time) == Some(true) {
                self.connect();
            } else {
                self.watch_beats();
            }
        });
    }

    fn on_loss(self) {
        let loss = self.inner.with(Inner::record_loss);
        self.drop_source();
        let Some(loss) = loss else { return };
        if loss.is_suspect {
            self.suspect_transport(loss.was_socket);
        }
        self.show_lack(ConnectionState::Waiting(clock::now().after(loss.pause)));
        self.wait(loss.pause, move || self.connect());
    }

    /// Changes the transport if the server answers other requests.
    fn suspect_transport(self, was_socket: bool) {
        spawn_task(async move {
            if api::is_server_ready().await {
                self.inner.with(|inner| {
                    // By now another attempt may have succeeded.
                    if !inner.is_open {
                        inner.use_socket = !was_socket;
                    }
                });
            }
        });
    }

    fn drop_source(self) {
        self.inner.with(|inner| {
            inner.source = None;
            inner.is_open = false;
            inner.missing_beats = 0;
            inner.clear_timer();
        });
    }
}

/// The pause before an attempt: about 1 s, 2 s, 4 s … to 30 s, scattered by a half each way, so
/// that the clients of a restarted server do not come back at the same moment. `random` is between
/// 0 and 1.
fn backoff(attempt: u32, random: f64) -> Duration {
    let middle = 1_000.0 * f64::from(1_u32 << attempt.clamp(1, 6).saturating_sub(1));
    Duration::from_millis((middle * (0.5 + random)).min(LONGEST_PAUSE) as u64)
}

/// One connection; closed when dropped.
struct Source {
    /// An `EventSource` or a `WebSocket`: both have the same methods for listening and closing.
    source: EventSource,
    is_socket: bool,
    on_event: Closure<dyn FnMut(MessageEvent)>,
}

impl Source {
    fn open(stream: EventStream, target: Target, is_socket: bool) -> Option<Self> {
        let address = (target.address)();
        let source = if is_socket {
            // Not every browser completes the address of a WebSocket.
            let origin = window().location().origin().ok()?;
            WebSocket::new(&(origin.replacen("http", "ws", 1) + &address))
                .ok()?
                .unchecked_into()
        } else {
            EventSource::new(&address).ok()?
        };
        let listener = target.listener;
        let on_event = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
            handle_event(stream, &event, is_socket, &*listener);
        });
        let source = Self {
            source,
            is_socket,
            on_event,
        };
        for name in listened_events() {
            source
                .source
                .add_event_listener_with_callback(name, source.on_event.as_ref().unchecked_ref())
                .ok()?;
        }
        Some(source)
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        for name in listened_events() {
            // Removing a listener that is not there does nothing.
            let _ = self
                .source
                .remove_event_listener_with_callback(name, self.on_event.as_ref().unchecked_ref());
        }
        self.source.close();
    }
}

/// The events to listen for.
fn listened_events() -> impl Iterator<Item = &'static str> {
    let sent = EventName::ALL.into_iter().map(EventName::text);
    LOSSES.into_iter().chain(sent)
}

fn handle_event(
    stream: EventStream,
    event: &MessageEvent,
    is_socket: bool,
    listener: &dyn Fn(StreamEvent),
) {
    let name = event.type_();
    if LOSSES.contains(&name.as_str()) {
        return stream.on_loss();
    }
    stream.on_event();
    let data = event.data().as_string().unwrap_or_default();
    let pass_on = |event: StreamEvent| {
        if event.name != EventName::Beat {
            listener(event);
        }
    };
    if is_socket {
        read_frame(&data, &pass_on);
    } else if let Some(name) = EventName::parse(&name) {
        let id = event.last_event_id();
        pass_on(StreamEvent { name, data, id });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_half_a_minute_and_are_scattered() {
        let millis = |attempt, random| backoff(attempt, random).as_millis();
        assert_eq!(millis(1, 0.0), 500);
        assert_eq!(millis(1, 1.0), 1_500);
        assert_eq!(millis(3, 0.5), 4_000);
        assert_eq!(millis(40, 1.0), 30_000);
        assert_eq!(millis(0, 0.5), 1_000);
    }
}
