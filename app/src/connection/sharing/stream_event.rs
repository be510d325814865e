//! The events and states of an event stream.

use protocol::Time;

/// The name of an event without one.
pub const UNNAMED: &str = "message";

/// What a stream is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ConnectionState {
    /// Opening.
    #[default]
    Connecting,
    /// Open: events arrive as they happen.
    Live,
    /// Lost; the next attempt is at this time by this machine's clock.
    Waiting(Time),
    /// The device is offline.
    Offline,
    /// Ended: nothing more will come.
    Ended,
}

/// An event of a stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StreamEvent {
    /// The name of the event; `message` if it has none.
    pub name: String,
    /// Its data.
    pub data: String,
    /// Its `id`.
    pub id: String,
}

/// Passes on each event in a WebSocket frame, whose text is a piece of an event stream.
pub fn read_frame(text: &str, on_event: &dyn Fn(StreamEvent)) {
    let mut event = StreamEvent::default();
    for line in text.split('\n') {
        match line.split_once(' ') {
            Some(("id:", id)) => id.clone_into(&mut event.id),
            Some(("event:", name)) => name.clone_into(&mut event.name),
            Some(("data:", data)) => data.clone_into(&mut event.data),
            None if line.is_empty() && !event.data.is_empty() => {
                if event.name.is_empty() {
                    UNNAMED.clone_into(&mut event.name);
                }
                on_event(std::mem::take(&mut event));
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    #[test]
    fn frame_is_read_as_the_event_stream_that_it_contains() {
        let frame = "retry: 2000\n: heartbeat\nevent: beat\ndata: {}\n\n\
                     id: a-1.2\ndata: {\"body\":\"id: x\"}\n\n\
                     event: edit\nid: a-1.3\ndata: {}\n\n";
        let events = RefCell::new(Vec::new());
        read_frame(frame, &|event| events.borrow_mut().push(event));
        let event = |name: &str, id: &str, data: &str| StreamEvent {
            name: name.to_owned(),
            id: id.to_owned(),
            data: data.to_owned(),
        };
        let expected = [
            event("beat", "", "{}"),
            event("message", "a-1.2", "{\"body\":\"id: x\"}"),
            event("edit", "a-1.3", "{}"),
        ];
        assert_eq!(*events.borrow(), expected);
    }
}
