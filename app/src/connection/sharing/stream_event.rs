//! The events and states of an event stream.

use protocol::{EventName, Time};

/// What a stream is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ConnectionState {
    /// Opening.
    #[default]
    Connecting,
    /// Open: events arrive as they happen.
    Live,
    /// Lost; the next attempt is at this time by `clock::now`.
    Waiting(Time),
    /// Not open, and the browser says that the device is offline.
    Offline,
    /// Ended: nothing more will come.
    Ended,
}

/// An event of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamEvent {
    /// Which event.
    pub name: EventName,
    /// Its data.
    pub data: String,
    /// Its `id`.
    pub id: String,
}

/// The lines of a block that are read so far.
#[derive(Default)]
struct Block<'a> {
    name: &'a str,
    data: &'a str,
    id: &'a str,
}

/// Passes on each event in a WebSocket frame, whose text is a piece of an event stream. Events of
/// unknown names are left out, as an `EventSource` leaves them out.
pub fn read_frame(text: &str, on_event: &dyn Fn(StreamEvent)) {
    let mut block = Block::default();
    for line in text.split('\n') {
        match line.split_once(' ') {
            Some(("id:", id)) => block.id = id,
            Some(("event:", name)) => block.name = name,
            Some(("data:", data)) => block.data = data,
            None if line.is_empty() => finish_block(std::mem::take(&mut block), on_event),
            _ => {}
        }
    }
}

/// Passes on the event of a block, if it is one: a block without data is none.
fn finish_block(block: Block<'_>, on_event: &dyn Fn(StreamEvent)) {
    let name = match block.name {
        "" => Some(EventName::Message),
        name => EventName::parse(name),
    };
    if let Some(name) = name.filter(|_| !block.data.is_empty()) {
        on_event(StreamEvent {
            name,
            data: block.data.to_owned(),
            id: block.id.to_owned(),
        });
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
                     event: change\nid: a-1.3\ndata: {}\n\n\
                     event: of-tomorrow\ndata: {}\n\n";
        let events = RefCell::new(Vec::new());
        read_frame(frame, &|event| events.borrow_mut().push(event));
        let event = |name, id: &str, data: &str| StreamEvent {
            name,
            id: id.to_owned(),
            data: data.to_owned(),
        };
        let expected = [
            event(EventName::Beat, "", "{}"),
            event(EventName::Message, "a-1.2", "{\"body\":\"id: x\"}"),
            event(EventName::Change, "a-1.3", "{}"),
        ];
        assert_eq!(*events.borrow(), expected);
    }
}
