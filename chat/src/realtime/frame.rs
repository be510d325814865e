//! Frames: messages and events as the bytes of an event stream, encoded once for all followers.
//!
//! # Guarantees
//! - Clones and parts of frames share their bytes.

use std::sync::Arc;

use bytes::Bytes;
use protocol::{ChangeKind, Cursor, Epoch, EventName, Message};
use serde::Serialize;

use crate::log::entry::Entry;

/// The bytes after the JSON of a frame.
const FRAME_END: &[u8] = b"\n\n";

/// A run of consecutive messages, as Server-Sent Events
/// ([HTML, section 9.2](https://html.spec.whatwg.org/multipage/server-sent-events.html)). It is
/// cheap to clone.
#[derive(Clone, Debug)]
pub struct Frames {
    epoch: Epoch,
    first: u64,
    bytes: Bytes,
    parts: Arc<[FramePart]>,
}

/// What a frame is, and where it is in the bytes of its run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct FramePart {
    is_message: bool,
    /// The kind of change; `None` if it is a new message or of a kind that this version does not
    /// know.
    change: Option<ChangeKind>,
    /// Where its JSON begins.
    json: usize,
    /// Where it ends, with its empty line.
    end: usize,
}

impl FramePart {
    /// The same frame in a run whose bytes begin this much earlier.
    fn moved_back(self, bytes: usize) -> Self {
        Self {
            json: self.json + bytes,
            end: self.end + bytes,
            ..self
        }
    }

    /// The same frame in a run whose bytes begin this much later.
    fn moved_forward(self, bytes: usize) -> Self {
        Self {
            json: self.json - bytes,
            end: self.end - bytes,
            ..self
        }
    }
}

impl Frames {
    /// Encodes entries with consecutive sequence numbers; `None` if there are no entries.
    pub(crate) fn encode<'a>(
        epoch: Epoch,
        entries: impl IntoIterator<Item = &'a Entry>,
    ) -> Option<Self> {
        let mut first = None;
        let mut bytes = Vec::new();
        let mut parts = Vec::new();
        for entry in entries {
            first.get_or_insert(entry.seq());
            parts.push(encode_entry(epoch, entry, &mut bytes)?);
        }
        first.map(|first| Self {
            epoch,
            first,
            bytes: bytes.into(),
            parts: parts.into(),
        })
    }

    /// The sequence number of the first message.
    pub fn first(&self) -> u64 {
        self.first
    }

    /// The sequence number of the last message.
    pub fn last(&self) -> u64 {
        self.first + (self.parts.len() as u64) - 1
    }

    /// The number of messages.
    #[expect(clippy::len_without_is_empty, reason = "there is always one")]
    pub fn len(&self) -> usize {
        self.parts.len()
    }

    /// Whether the run has a new message, and not only changes.
    pub fn has_messages(&self) -> bool {
        self.parts.iter().any(|part| part.is_message)
    }

    /// The whole run, ready for an event stream.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// The single frames, which share the bytes.
    pub fn frames(&self) -> impl Iterator<Item = Frame> + '_ {
        self.parts
            .iter()
            .zip(self.first..)
            .map(|(part, seq)| Frame {
                cursor: Cursor {
                    epoch: self.epoch,
                    seq,
                },
                is_message: part.is_message,
                change: part.change,
                json: self.bytes.slice(part.json..part.end - FRAME_END.len()),
            })
    }

    /// The messages, decoded, without the changes.
    pub fn messages(&self) -> impl Iterator<Item = Message> + '_ {
        self.frames().filter_map(|frame| frame.message())
    }

    /// This run and the one that follows it, as one run.
    #[must_use]
    pub(crate) fn join(&self, next: &Self) -> Self {
        let moved = next
            .parts
            .iter()
            .map(|part| part.moved_back(self.bytes.len()));
        let parts = self.parts.iter().copied().chain(moved).collect();
        Self {
            epoch: self.epoch,
            first: self.first,
            bytes: [&self.bytes[..], &next.bytes].concat().into(),
            parts,
        }
    }

    /// The part of the run after the sequence number `seen`, which shares the bytes; `None` if it
    /// is empty.
    #[must_use]
    pub fn after(&self, seen: u64) -> Option<Self> {
        if seen < self.first {
            return Some(self.clone());
        }
        let skip = usize::try_from(seen - self.first + 1)
            .ok()
            .filter(|skip| *skip < self.parts.len())?;
        let start = self.parts[skip - 1].end;
        let parts = self.parts[skip..]
            .iter()
            .map(|part| part.moved_forward(start))
            .collect();
        Some(Self {
            epoch: self.epoch,
            first: seen + 1,
            bytes: self.bytes.slice(start..),
            parts,
        })
    }
}

/// Appends the frame of an entry.
fn encode_entry(epoch: Epoch, entry: &Entry, bytes: &mut Vec<u8>) -> Option<FramePart> {
    let cursor = Cursor {
        epoch,
        seq: entry.seq(),
    };
    let head = match entry {
        Entry::Message(_) => format!("id: {cursor}\ndata: "),
        Entry::Change(_) | Entry::Unknown { .. } => {
            format!("id: {cursor}\n{}data: ", EventName::Change.line())
        }
    };
    bytes.extend_from_slice(head.as_bytes());
    let json = bytes.len();
    // Encoding cannot fail: JSON can express every entry, and a vector takes every byte.
    match entry {
        Entry::Message(message) => serde_json::to_writer(&mut *bytes, message).ok()?,
        Entry::Change(change) => serde_json::to_writer(&mut *bytes, change).ok()?,
        Entry::Unknown { room, seq } => {
            let change = format!(r#"{{"kind":"unknown","id":{seq},"room":"{room}"}}"#);
            bytes.extend_from_slice(change.as_bytes());
        }
    }
    bytes.extend_from_slice(FRAME_END);
    Some(FramePart {
        is_message: entry.message().is_some(),
        change: entry.change(),
        json,
        end: bytes.len(),
    })
}

/// A message, or a change of one, as it is sent.
#[derive(Clone, Debug)]
pub struct Frame {
    /// The cursor after it.
    pub cursor: Cursor,
    /// Whether it is a new message, and not a change of one.
    pub is_message: bool,
    /// The kind of change; `None` if it is a new message or of a kind that this version does not
    /// know.
    pub change: Option<ChangeKind>,
    /// The message or the change, as JSON.
    pub json: Bytes,
}

impl Frame {
    /// The message, decoded, unless the frame is a change.
    pub fn message(&self) -> Option<Message> {
        if self.is_message {
            serde_json::from_slice(&self.json).ok()
        } else {
            None
        }
    }
}

/// An event that is not stored: it has no `id:`, so it never moves a cursor. It is cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ephemeral {
    name: EventName,
    bytes: Bytes,
    /// Where its JSON begins.
    json: usize,
}

impl Ephemeral {
    pub(crate) fn encode(name: EventName, data: &impl Serialize) -> Self {
        // JSON can express all names and numbers.
        let json = serde_json::to_string(data).unwrap_or_default();
        let block = name.encode(&json);
        Self {
            name,
            json: block.len() - FRAME_END.len() - json.len(),
            bytes: block.into(),
        }
    }

    /// The name of the event.
    pub fn name(&self) -> EventName {
        self.name
    }

    /// The whole event, ready for an event stream.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// The data of the event as JSON, which shares the bytes.
    pub fn json(&self) -> Bytes {
        self.bytes
            .slice(self.json..self.bytes.len() - FRAME_END.len())
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use protocol::{Change, MessageContent, RoomId, Time};

    use super::*;

    pub(crate) fn message(id: u64) -> Entry {
        Message {
            id,
            room: RoomId::from_bytes([1; 8]),
            username: "ada".to_owned(),
            name: None,
            author: None,
            client_id: None,
            sent_at: Time::from_millis(0),
            edited_at: None,
            content: Some(MessageContent::text(format!("line\n{id}"))),
            own: false,
        }
        .into()
    }

    #[test]
    fn frame_is_an_event_with_its_cursor() {
        let frames = Frames::encode(Epoch::new(0xab), &[message(7)]).unwrap();
        assert_eq!(
            frames.bytes(),
            "id: 000000ab.7\ndata: {\"id\":7,\"room\":\"0101010101010101\",\"username\":\"ada\",\
             \"body\":\"line\\n7\",\"sent_at\":\"1970-01-01T00:00:00.000Z\"}\n\n"
        );
        assert!(Frames::encode(Epoch::new(0), &[]).is_none());
    }

    #[test]
    fn frames_decode_to_the_encoded_messages() {
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
    fn change_is_a_named_event_with_its_cursor() {
        let Entry::Message(message) = message(3) else {
            panic!("no message")
        };
        let message = Message {
            content: None,
            ..message
        };
        let change = Change::new(ChangeKind::Deletion, 7, message);
        let frames = Frames::encode(Epoch::new(0xab), &[Entry::Change(change.clone())]).unwrap();
        let text = String::from_utf8(frames.bytes().to_vec()).unwrap();
        assert!(
            text.starts_with("id: 000000ab.7\nevent: change\ndata: {\"kind\":\"deletion\",\"id\":7,\"room\":\"0101010101010101\",\"target\":3,\"message\":{")
        );
        assert!(!frames.has_messages());
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
    fn ephemeral_event_has_no_cursor() {
        let event = Ephemeral::encode(EventName::Typing, &["ada"]);
        assert_eq!(event.bytes(), "event: typing\ndata: [\"ada\"]\n\n");
        assert_eq!(
            (event.name(), event.json()),
            (EventName::Typing, Bytes::from("[\"ada\"]"))
        );
    }

    #[test]
    fn joined_runs_equal_one_encoding_of_all_entries() {
        let all: Vec<Entry> = (5..=8).map(message).collect();
        let encode = |messages| Frames::encode(Epoch::new(0), messages).unwrap();
        let joined = encode(&all[..1]).join(&encode(&all[1..]));
        let expected = encode(&all);
        assert_eq!(
            (joined.first(), joined.last(), joined.bytes()),
            (5, 8, expected.bytes())
        );
        assert_eq!(joined.parts, expected.parts);
        assert!(joined.messages().map(Entry::from).eq(all));
    }

    #[test]
    fn run_after_a_sequence_number_has_only_later_messages() {
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
            let parts = |frames: Option<Frames>| frames.map(|f| (f.bytes, f.parts));
            assert_eq!(parts(after), parts(expected));
        }
    }
}
