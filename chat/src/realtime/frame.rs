//! Messages and events as the bytes that every follower is sent, encoded once and shared.

use bytes::Bytes;
use protocol::{ChangeKind, Cursor, Epoch, Message};
use serde::Serialize;

use crate::log::entry::Entry;

/// What stands before the JSON of a frame.
const DATA: &[u8] = b"\ndata: ";

/// A run of consecutive messages, as Server-Sent Events
/// ([HTML, section 9.2](https://html.spec.whatwg.org/multipage/server-sent-events.html)). Cheap to clone.
#[derive(Clone, Debug)]
pub struct Frames {
    epoch: Epoch,
    first: u64,
    bytes: Bytes,
    /// Where each frame ends, in `bytes`.
    ends: std::sync::Arc<[usize]>,
}

impl Frames {
    /// Encodes entries with consecutive sequences; none if there are none.
    pub(crate) fn encode<'a>(
        epoch: Epoch,
        entries: impl IntoIterator<Item = &'a Entry>,
    ) -> Option<Self> {
        let (mut first, mut bytes, mut ends) = (None, Vec::new(), Vec::new());
        for entry in entries {
            first.get_or_insert(entry.seq());
            let cursor = Cursor {
                epoch,
                seq: entry.seq(),
            };
            bytes.extend_from_slice(format!("id: {cursor}").as_bytes());
            // An entry holds nothing that JSON cannot say, and a vector takes every byte.
            match entry {
                Entry::Message(message) => {
                    bytes.extend_from_slice(DATA);
                    serde_json::to_writer(&mut bytes, message).ok()?;
                }
                Entry::Change(change) => {
                    bytes.extend_from_slice(format!("\nevent: {}", change.event.name()).as_bytes());
                    bytes.extend_from_slice(DATA);
                    serde_json::to_writer(&mut bytes, change).ok()?;
                }
            }
            bytes.extend_from_slice(b"\n\n");
            ends.push(bytes.len());
        }
        first.map(|first| Self {
            epoch,
            first,
            bytes: bytes.into(),
            ends: ends.into(),
        })
    }

    /// The sequence of the first message.
    pub fn first(&self) -> u64 {
        self.first
    }

    /// The sequence of the last message.
    pub fn last(&self) -> u64 {
        self.first + (self.ends.len() as u64) - 1
    }

    /// How many messages.
    #[expect(clippy::len_without_is_empty, reason = "there is always one")]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// All of it, ready for an event stream.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// Each frame, cut from the same bytes.
    pub fn frames(&self) -> impl Iterator<Item = Frame> + '_ {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        let places = starts.zip(self.ends.iter()).zip(self.first..);
        places.filter_map(|((start, end), seq)| {
            let frame = &self.bytes[start..*end];
            let data = frame.windows(DATA.len()).position(|part| part == DATA)?;
            let (cursor, json) = (
                Cursor {
                    epoch: self.epoch,
                    seq,
                },
                self.bytes.slice(start + data + DATA.len()..end - 2),
            );
            let head = &frame[..data];
            let change = ChangeKind::ALL
                .into_iter()
                .find(|change| head.ends_with(change.name().as_bytes()));
            Some(Frame {
                cursor,
                change,
                json,
            })
        })
    }

    /// Each message, read back; changes of messages are left out.
    pub fn messages(&self) -> impl Iterator<Item = Message> + '_ {
        self.frames().filter_map(|frame| frame.message())
    }

    /// These and those that follow them, in one piece.
    #[must_use]
    pub(crate) fn join(&self, next: &Self) -> Self {
        let ends = self
            .ends
            .iter()
            .copied()
            .chain(next.ends.iter().map(|end| self.bytes.len() + end))
            .collect();
        Self {
            epoch: self.epoch,
            first: self.first,
            bytes: [&self.bytes[..], &next.bytes].concat().into(),
            ends,
        }
    }

    /// What follows the message `seen`; `None` if nothing does. Shares the bytes.
    #[must_use]
    pub fn after(&self, seen: u64) -> Option<Self> {
        if seen < self.first {
            return Some(self.clone());
        }
        let skip = usize::try_from(seen - self.first + 1)
            .ok()
            .filter(|skip| *skip < self.ends.len())?;
        let start = self.ends[skip - 1];
        let ends = self.ends[skip..].iter().map(|end| end - start).collect();
        Some(Self {
            epoch: self.epoch,
            first: seen + 1,
            bytes: self.bytes.slice(start..),
            ends,
        })
    }
}

/// A message, or the change of one, as it is sent.
#[derive(Clone, Debug)]
pub struct Frame {
    /// The place after it.
    pub cursor: Cursor,
    /// What has happened to a message; `None` if it is a new one.
    pub change: Option<ChangeKind>,
    /// The message or the change, as JSON.
    pub json: Bytes,
}

impl Frame {
    /// The message, if it is a new one, read back.
    pub fn message(&self) -> Option<Message> {
        if self.change.is_some() {
            None
        } else {
            serde_json::from_slice(&self.json).ok()
        }
    }
}

/// What is told to whoever listens now and is not kept: it carries no `id:`, so it never moves a cursor. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ephemeral {
    name: &'static str,
    bytes: Bytes,
}

impl Ephemeral {
    pub(crate) fn encode(name: &'static str, data: &impl Serialize) -> Self {
        // Texts and numbers always serialise.
        let json = serde_json::to_string(data).unwrap_or_default();
        Self {
            name,
            bytes: format!("event: {name}\ndata: {json}\n\n").into(),
        }
    }

    /// What kind of event it is.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// All of it, ready for an event stream.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// Its data as JSON, cut from the same bytes.
    pub fn json(&self) -> Bytes {
        let start = "event: ".len() + self.name.len() + DATA.len();
        self.bytes.slice(start..self.bytes.len() - 2)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use protocol::{Change, RoomId, Time};

    use super::*;

    pub(crate) fn message(id: u64) -> Entry {
        let (room, sent_at) = (RoomId::from_bytes([1; 8]), Time::from_millis(0));
        let (username, body) = ("ada".to_owned(), format!("line\n{id}"));
        Message {
            id,
            room,
            username,
            author: None,
            body,
            sent_at,
            edited_at: None,
            deleted: false,
        }
        .into()
    }

    #[test]
    fn a_frame_is_an_event_with_its_cursor() {
        let frames = Frames::encode(Epoch::new(0xab), &[message(7)]).unwrap();
        assert_eq!(
            frames.bytes(),
            "id: 000000ab.7\ndata: {\"id\":7,\"room\":\"0101010101010101\",\"username\":\"ada\",\
             \"body\":\"line\\n7\",\"sent_at\":\"1970-01-01T00:00:00.000Z\"}\n\n"
        );
        assert!(Frames::encode(Epoch::new(0), &[]).is_none());
    }

    #[test]
    fn the_json_is_a_part_of_the_frame() {
        let all: Vec<Entry> = (5..=8).map(message).collect();
        let frames = Frames::encode(Epoch::new(0), &all)
            .unwrap()
            .after(5)
            .unwrap();
        let read: Vec<Entry> = frames.messages().map(Entry::from).collect();
        assert_eq!(read, all[1..]);
        assert!(frames.frames().map(|frame| frame.cursor.seq).eq(6..=8));
    }

    #[test]
    fn a_change_is_an_event_of_its_own_name_with_a_cursor() {
        let Entry::Message(message) = message(3) else {
            panic!("no message")
        };
        let message = Message {
            body: String::new(),
            deleted: true,
            ..message
        };
        let change = Change {
            event: ChangeKind::Deletion,
            id: 7,
            room: message.room,
            message,
        };
        let frames = Frames::encode(Epoch::new(0xab), &[Entry::Change(change.clone())]).unwrap();
        let text = String::from_utf8(frames.bytes().to_vec()).unwrap();
        assert!(
            text.starts_with("id: 000000ab.7\nevent: deletion\ndata: {\"event\":\"deletion\",\"id\":7,\"room\":\"0101010101010101\",\"message\":{")
        );
        assert!(text.ends_with("\"deleted\":true}}\n\n"));
        let frame = frames.frames().next().unwrap();
        assert_eq!(
            (frame.change, frame.message()),
            (Some(ChangeKind::Deletion), None)
        );
        assert_eq!(
            serde_json::from_slice::<Change>(&frame.json).unwrap(),
            change
        );
    }

    #[test]
    fn an_event_that_is_not_kept_has_no_cursor() {
        let event = Ephemeral::encode("typing", &["ada"]);
        assert_eq!(event.bytes(), "event: typing\ndata: [\"ada\"]\n\n");
        assert_eq!(
            (event.name(), event.json()),
            ("typing", Bytes::from("[\"ada\"]"))
        );
    }

    #[test]
    fn what_is_joined_is_as_if_encoded_at_once() {
        let all: Vec<Entry> = (5..=8).map(message).collect();
        let encode = |messages| Frames::encode(Epoch::new(0), messages).unwrap();
        let (joined, expected) = (encode(&all[..1]).join(&encode(&all[1..])), encode(&all));
        assert_eq!(
            (joined.first(), joined.last(), joined.bytes()),
            (5, 8, expected.bytes())
        );
        assert!(joined.messages().map(Entry::from).eq(all));
    }

    #[test]
    fn what_was_seen_is_left_out() {
        let all: Vec<Entry> = (5..=8).map(message).collect();
        let frames = Frames::encode(Epoch::new(0), &all).unwrap();
        for seen in 0..=9 {
            let rest: Vec<&Entry> = all.iter().filter(|entry| entry.seq() > seen).collect();
            let expected = Frames::encode(Epoch::new(0), rest);
            let after = frames.after(seen);
            assert_eq!(
                after.as_ref().map(|f| (f.first(), f.last())),
                expected.as_ref().map(|f| (f.first(), f.last()))
            );
            assert_eq!(after.map(|f| f.bytes), expected.map(|f| f.bytes));
        }
    }
}
