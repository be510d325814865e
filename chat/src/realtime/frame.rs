//! Frames: messages and events as the bytes of an event stream, encoded once for all followers.
//!
//! # Guarantees
//! - Clones and parts of frames share their bytes.
//! - A frame is encoded once for all followers.
//! - The text of a message cannot look like a line of a stream, also for clients that split lines at
//!   more characters than the standard says.

#[cfg(test)]
pub(crate) mod tests;

use std::sync::Arc;

use bytes::Bytes;
use protocol::{ChangeKind, Cursor, Epoch, EventName, Message};
use serde::Serialize;

use crate::json_line;
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
    /// The epoch of the cursors.
    pub(crate) fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// Encodes entries with consecutive sequence numbers; `None` if there are no entries.
    pub(crate) fn encode<'a>(
        epoch: Epoch,
        entries: impl IntoIterator<Item = &'a Entry>,
    ) -> Option<Self> {
        let mut entries = entries.into_iter().peekable();
        let mut encoder = FrameEncoder::new(epoch, entries.peek()?.seq());
        for entry in entries {
            encoder.push(entry)?;
        }
        encoder.finish()
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

/// Encodes entries with consecutive sequence numbers one by one.
pub(crate) struct FrameEncoder {
    epoch: Epoch,
    first: u64,
    bytes: Vec<u8>,
    parts: Vec<FramePart>,
}

impl FrameEncoder {
    /// Encodes entries from this sequence number on.
    pub fn new(epoch: Epoch, first: u64) -> Self {
        Self {
            epoch,
            first,
            bytes: Vec::new(),
            parts: Vec::new(),
        }
    }

    /// The sequence number of the next entry.
    pub fn next_seq(&self) -> u64 {
        self.first + self.parts.len() as u64
    }

    /// The length of all frames, in bytes.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Adds the next entry; `None` if it cannot be encoded.
    pub fn push(&mut self, entry: &Entry) -> Option<()> {
        let part = encode_entry(self.epoch, entry, &mut self.bytes)?;
        self.parts.push(part);
        Some(())
    }

    /// The frames; `None` if there are no entries.
    pub fn finish(self) -> Option<Frames> {
        (!self.parts.is_empty()).then(|| Frames {
            epoch: self.epoch,
            first: self.first,
            bytes: self.bytes.into(),
            parts: self.parts.into(),
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
        Entry::Message(message) => json_line::write(bytes, message).ok()?,
        Entry::Change(change) => json_line::write(bytes, change).ok()?,
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
