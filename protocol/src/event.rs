//! The names of the events of a stream, and the kinds of change to a message.
//!
//! # Guarantees
//! No other file writes the name of an event or of a kind.

use serde::{Deserialize, Serialize};

use crate::{Message, RoomId};

/// The events of the streams, by the name in their `event:` line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventName {
    /// A new message. Its block has no `event:` line, so that a client without listeners for named
    /// events receives it.
    Message,
    /// An earlier message was changed.
    Change,
    /// The server cannot honour the client's cursor: every message follows.
    Reset,
    /// The room ends soon.
    Closing,
    /// The room has been deleted.
    Closed,
    /// The reader may not follow the room (any longer).
    Removed,
    /// The reader's session has ended.
    SignedOut,
    /// Who is in the room.
    Presence,
    /// Who is typing.
    Typing,
    /// An account has another display name.
    Name,
    /// The roles that everyone in the room sees have changed.
    Roles,
    /// The public rooms.
    Rooms,
    /// The reader's rooms and direct messages.
    Overview,
    /// The connection works.
    Beat,
}

impl EventName {
    /// All events.
    pub const ALL: [Self; 14] = [
        Self::Message,
        Self::Change,
        Self::Reset,
        Self::Closing,
        Self::Closed,
        Self::Removed,
        Self::SignedOut,
        Self::Presence,
        Self::Typing,
        Self::Name,
        Self::Roles,
        Self::Rooms,
        Self::Overview,
        Self::Beat,
    ];

    /// Returns the name on the wire. For a message it is the name that browsers give to an event
    /// without a name.
    pub fn text(self) -> &'static str {
        match self {
            Self::Message => "message",
            Self::Change => "change",
            Self::Reset => "reset",
            Self::Closing => "closing",
            Self::Closed => "closed",
            Self::Removed => "removed",
            Self::SignedOut => "signed-out",
            Self::Presence => "presence",
            Self::Typing => "typing",
            Self::Name => "name",
            Self::Roles => "roles",
            Self::Rooms => "rooms",
            Self::Overview => "overview",
            Self::Beat => "beat",
        }
    }

    /// Returns whether the last event of this name says all that the earlier ones said.
    pub fn is_state(self) -> bool {
        use EventName::{Overview, Presence, Roles, Rooms, Typing};
        matches!(self, Presence | Typing | Roles | Rooms | Overview)
    }

    /// Finds the event with this name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|event| event.text() == text)
    }

    /// The line of an event stream that names the event.
    pub fn line(self) -> String {
        format!("event: {}\n", self.text())
    }

    /// Encodes the event with this data, one line of JSON, as a block of an event stream.
    pub fn encode(self, data: &str) -> String {
        format!("{}data: {data}\n\n", self.line())
    }
}

/// The kinds of change to a message. The numbers are those of the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum ChangeKind {
    /// The author replaced the text.
    Edit = 1,
    /// The author or a moderator deleted the message.
    Deletion = 2,
}

impl ChangeKind {
    /// All kinds.
    pub const ALL: [Self; 2] = [Self::Edit, Self::Deletion];

    /// Returns the kind's name on the wire.
    pub fn text(self) -> &'static str {
        match self {
            Self::Edit => "edit",
            Self::Deletion => "deletion",
        }
    }

    /// Finds the kind with this name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.text() == text)
    }
}

/// A change of an earlier message. It has a sequence of its own in the room's log.
///
/// Later versions of the server may send other kinds. A client that does not know a kind moves its
/// cursor past the change and shows nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Change {
    /// The kind of change.
    pub kind: ChangeKind,
    /// The change's sequence in the room.
    #[cfg_attr(feature = "schema", schema(minimum = 1))]
    pub id: u64,
    /// The ID of the room.
    #[cfg_attr(feature = "schema", schema(value_type = String, pattern = "^[0-9a-f]{16}$", example = "0123456789abcdef"))]
    pub room: RoomId,
    /// The sequence of the message.
    #[cfg_attr(feature = "schema", schema(minimum = 1))]
    pub target: u64,
    /// The message after the change.
    pub message: Message,
}

impl Change {
    /// The change with this sequence, which led to this message.
    pub fn new(kind: ChangeKind, id: u64, message: Message) -> Self {
        Self {
            kind,
            id,
            room: message.room,
            target: message.id,
            message,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_and_kind_is_found_by_its_own_name_alone() {
        for event in EventName::ALL {
            assert_eq!(EventName::parse(event.text()), Some(event));
        }
        for kind in ChangeKind::ALL {
            assert_eq!(ChangeKind::parse(kind.text()), Some(kind));
            let json = serde_json::to_string(&kind).unwrap();
            assert_eq!(json, format!("\"{}\"", kind.text()));
        }
        assert_eq!(EventName::parse("reaction2040"), None);
        assert_eq!(ChangeKind::parse("reaction2040"), None);
    }

    #[test]
    fn event_is_encoded_as_one_block() {
        let block = EventName::SignedOut.encode("{}");
        assert_eq!(block, "event: signed-out\ndata: {}\n\n");
    }
}
