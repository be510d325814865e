//! A stream of events that heals itself.
//!
//! Promises: from [`EventStream::again`] to [`EventStream::pause`], while the device is online, there is a connection or an attempt
//! at one; a lost one is opened anew from wherever the caller has got to, with growing, scattered pauses, and at once
//! when the device comes back online; an attempt by which nothing is heard is given up, and so is a connection that has
//! fallen silent. Where event streams do not come through it goes over to a WebSocket, and back where those do not: when
//! nothing was heard, or what was heard ended soon, though the server answers other requests. What it is doing is always
//! visible in [`EventStream::state`]. Leaves to others: what may have happened while nobody could notice (`feed`). In the
//! browser only.
//!
//! The browser's own reconnecting is not used: it gives up on any answer but 200 and tells nobody how long it waits. Nor
//! is its word that a stream is open: a proxy may say so and keep all of it back.

use std::rc::Rc;
use std::time::Duration;

use leptos::leptos_dom::helpers::TimeoutHandle;
use leptos::prelude::*;
use protocol::Time;
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::{EventSource, MessageEvent, WebSocket};

use crate::api;
use crate::browser::dom::{on_unmount, on_window_event, run_after, spawn_task};
use crate::browser::local_storage;
use crate::reactive::BrowserCell;
use crate::time::clock;

/// The name of an event without one.
const UNNAMED: &str = "message";
/// The event that only shows that something comes.
const BEAT: &str = "beat";
/// What is listened for; the first two end a connection.
const NAMED: [&str; 15] = [
    "error",
    "close",
    UNNAMED,
    BEAT,
    "closing",
    "closed",
    "removed",
    "signed-out",
    "reset",
    "rooms",
    "overview",
    "presence",
    "typing",
    "edit",
    "deletion",
];
/// How often a beat comes at least.
const BEATS: Duration = Duration::from_secs(15);
/// So many times without one are silence.
const SILENT: u32 = 3;
/// So many connections in a row that end within a beat are no good.
const SHORT: u32 = 2;
/// Under which name the tab remembers that it needs a socket.
const SOCKET: &str = "socket";
/// The longest pause between two attempts, in milliseconds.
const LONGEST: f64 = 30_000.0;
/// How long a connection that is opened anew on purpose still counts as the old one.
const GRACE: Duration = Duration::from_secs(2);
/// How long an attempt waits for an answer, after that.
const PATIENCE: Duration = Duration::from_secs(8);

/// What a stream is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectionState {
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
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StreamEvent {
    /// The name of the event; `message` if it has none.
    pub name: String,
    /// Its data.
    pub data: String,
    /// Its `id`.
    pub id: String,
}

/// A stream that heals itself; it belongs to the part of the page that made it.
#[derive(Clone, Copy)]
pub struct EventStream {
    state: RwSignal<ConnectionState>,
    inner: BrowserCell<Inner>,
}

/// Where a stream is and who listens.
type Purpose = (Rc<dyn Fn() -> String>, Rc<dyn Fn(StreamEvent)>);

struct Inner {
    /// Where it is, asked anew for each attempt.
    address: Rc<dyn Fn() -> String>,
    listener: Rc<dyn Fn(StreamEvent)>,
    wanted: bool,
    source: Option<Source>,
    timer: Option<TimeoutHandle>,
    /// How many in a row failed or ended soon.
    attempts: u32,
    /// Whether the next one is to be a socket.
    socket: bool,
    /// Whether anything was heard by the connection.
    open: bool,
    /// How many beats are missing.
    missing: u32,
}

impl Inner {
    /// Whether the connection, or the attempt at one, is a socket.
    fn by_socket(&self) -> bool {
        self.source
            .as_ref()
            .map_or(self.socket, |source| source.socket)
    }
}

impl EventStream {
    /// A stream that is not open yet. `address` is asked anew for each attempt.
    pub fn new(
        address: impl Fn() -> String + 'static,
        listener: impl Fn(StreamEvent) + 'static,
    ) -> Self {
        let (address, listener) = (Rc::new(address), Rc::new(listener));
        let inner = Inner {
            address,
            listener,
            wanted: false,
            source: None,
            timer: None,
            attempts: 0,
            socket: local_storage::has_tab_mark(SOCKET),
            open: false,
            missing: 0,
        };
        let stream = Self {
            state: RwSignal::new(ConnectionState::Connecting),
            inner: BrowserCell::new(inner),
        };
        on_window_event("online", move |_| {
            if stream.inner.with(|inner| inner.wanted) == Some(true) {
                stream.again();
            }
        });
        on_window_event("offline", move |_| {
            stream.drop_source();
            stream.state.set(ConnectionState::Offline);
        });
        on_unmount(move || stream.pause());
        stream
    }

    /// What it is doing; follows it when tracked.
    pub fn state(self) -> ConnectionState {
        self.state.get()
    }

    /// What it is doing at this moment; while it is opened anew on purpose, that.
    pub fn now(self) -> ConnectionState {
        let open = self.inner.with(|inner| inner.open);
        match self.state.get_untracked() {
            ConnectionState::Live if open != Some(true) => ConnectionState::Connecting,
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

    /// Closes it until [`EventStream::again`].
    pub fn pause(self) {
        self.inner.with(|inner| inner.wanted = false);
        self.drop_source();
    }

    fn connect(self) {
        self.drop_source();
        if !window().navigator().on_line() {
            return self.state.set(ConnectionState::Offline);
        }
        let how = self.inner.with(|inner| {
            (
                (inner.address.clone(), inner.listener.clone()),
                inner.socket,
            )
        });
        let Some((purpose, socket)) = how else { return };
        match Source::open(self, purpose, socket) {
            Some(source) => self.inner.with(|inner| inner.source = Some(source)),
            None => return self.lost(),
        };
        if self.state.get_untracked() != ConnectionState::Live {
            self.state.set(ConnectionState::Connecting);
        }
        self.wait(GRACE, move || {
            self.state.set(ConnectionState::Connecting);
            self.wait(PATIENCE, move || self.lost());
        });
    }

    fn wait(self, pause: Duration, then: impl FnOnce() + 'static) {
        let timer = run_after(pause, then);
        self.inner.with(|inner| inner.timer = timer);
    }

    /// Something came: the connection is alive.
    fn heard(self) {
        let first = self.inner.with(|inner| {
            inner.missing = 0;
            let first = !std::mem::replace(&mut inner.open, true);
            if first {
                inner.timer.take().iter().for_each(TimeoutHandle::clear);
                inner.socket = inner.by_socket();
                local_storage::set_tab_mark(SOCKET, inner.socket);
            }
            first
        });
        if first == Some(true) {
            self.state.set(ConnectionState::Live);
            self.watch();
        }
    }

    /// Looks after each beat whether it came.
    fn watch(self) {
        self.wait(BEATS, move || {
            let silent = self.inner.with(|inner| {
                inner.attempts = 0;
                inner.missing += 1;
                inner.missing >= SILENT
            });
            if silent == Some(true) {
                self.connect()
            } else {
                self.watch()
            }
        });
    }

    fn lost(self) {
        let failed = self.inner.with(|inner| {
            inner.attempts += 1;
            let good = inner.open && inner.attempts <= SHORT;
            (
                backoff(inner.attempts, js_sys::Math::random()),
                inner.by_socket(),
                good,
            )
        });
        self.drop_source();
        let Some((pause, socket, good)) = failed else {
            return;
        };
        if !good {
            spawn_task(async move {
                // If it is not the server that is to blame, it is the way. By now another attempt may be under way.
                if api::is_server_ready().await {
                    self.inner.with(|inner| {
                        inner.socket = if inner.open { inner.socket } else { !socket }
                    });
                }
            });
        }
        self.state
            .set(ConnectionState::Waiting(clock::now().after(pause)));
        self.wait(pause, move || self.connect());
    }

    fn drop_source(self) {
        self.inner.with(|inner| {
            (inner.source, inner.open, inner.missing) = (None, false, 0);
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
    /// An event stream or a socket: both are listened to and closed in the same way.
    source: EventSource,
    socket: bool,
    events: Closure<dyn FnMut(MessageEvent)>,
}

impl Source {
    fn open(stream: EventStream, (address, listener): Purpose, socket: bool) -> Option<Self> {
        let address = address();
        let source = if socket {
            // Not every browser completes the address of a socket.
            let origin = window().location().origin().ok()?;
            WebSocket::new(&(origin.replacen("http", "ws", 1) + &address))
                .ok()?
                .unchecked_into()
        } else {
            EventSource::new(&address).ok()?
        };
        let events = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
            let name = event.type_();
            if NAMED[..2].contains(&name.as_str()) {
                return stream.lost();
            }
            stream.heard();
            let data = event.data().as_string().unwrap_or_default();
            if socket {
                read(&data, &*listener);
            } else {
                hear(
                    StreamEvent {
                        name,
                        data,
                        id: event.last_event_id(),
                    },
                    &*listener,
                );
            }
        });
        let source = Self {
            source,
            socket,
            events,
        };
        for name in NAMED {
            source
                .source
                .add_event_listener_with_callback(name, source.events.as_ref().unchecked_ref())
                .ok()?;
        }
        Some(source)
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        for name in NAMED {
            // A listener that is not there needs no removing.
            let _ = self
                .source
                .remove_event_listener_with_callback(name, self.events.as_ref().unchecked_ref());
        }
        self.source.close();
    }
}

fn hear(heard: StreamEvent, listener: &dyn Fn(StreamEvent)) {
    if heard.name != BEAT {
        listener(heard);
    }
}

/// Takes what came in a frame for the events of a stream that it is.
fn read(text: &str, listener: &dyn Fn(StreamEvent)) {
    let mut heard = StreamEvent::default();
    for line in text.split('\n') {
        match line.split_once(' ') {
            Some(("id:", id)) => id.clone_into(&mut heard.id),
            Some(("event:", name)) => name.clone_into(&mut heard.name),
            Some(("data:", data)) => data.clone_into(&mut heard.data),
            None if line.is_empty() && !heard.data.is_empty() => {
                if heard.name.is_empty() {
                    UNNAMED.clone_into(&mut heard.name);
                }
                hear(std::mem::take(&mut heard), listener);
            }
            _ => {}
        }
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
    #[test]
    fn a_frame_is_read_as_the_stream_that_it_is() {
        let frame = "retry: 2000\n\n: heartbeat\nevent: beat\ndata: {}\n\nid: a-1.2\ndata: {\"body\":\"id: x\"}\n\n\
                     event: edit\nid: a-1.3\ndata: {}\n\n";
        let all = std::cell::RefCell::new(Vec::new());
        read(frame, &|heard| {
            all.borrow_mut().push((heard.name, heard.id, heard.data))
        });
        let expected = [
            ("message", "a-1.2", "{\"body\":\"id: x\"}"),
            ("edit", "a-1.3", "{}"),
        ]
        .map(|(name, id, data)| {
            (name.to_owned(), id.to_owned(), data.to_owned()) //
        });
        assert_eq!(*all.borrow(), expected);
    }
}
