//! The topics of the shared stream, and the cursors of the rooms in its event IDs.

use protocol::EventName;

/// The topic of the public rooms.
pub const ROOMS: &str = "rooms";
/// The topic of the visitor's own rooms and chats. Every other topic is the ID of a room.
pub const OVERVIEW: &str = "overview";
/// The topic of an event that is not about one room, if there is one.
pub fn topic_without_room(event: EventName) -> Option<&'static str> {
    match event {
        EventName::Rooms => Some(ROOMS),
        EventName::Overview => Some(OVERVIEW),
        _ => None,
    }
}

/// Whether a topic is a room.
pub fn is_room(topic: &str) -> bool {
    topic != ROOMS && topic != OVERVIEW
}

/// The sequence in a cursor; 0 if it has none.
pub fn sequence_of(cursor: &str) -> u64 {
    cursor
        .rsplit('.')
        .next()
        .and_then(|seq| seq.parse().ok())
        .unwrap_or(0)
}

/// The cursor of one room in the `id` of an event, which has the cursors of all rooms of its
/// stream.
pub fn cursor_of(id: &str, room: &str) -> String {
    let cursor = id
        .split('_')
        .find_map(|pair| pair.strip_prefix(room)?.strip_prefix('-'));
    cursor.unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursor_of_a_room_is_found_in_an_event_id() {
        let id = "0000000000000001-000000ab.5_0123456789abcdef-000000ab.17";
        assert_eq!(cursor_of(id, "0123456789abcdef"), "000000ab.17");
        assert_eq!(cursor_of(id, "0123456789abcdee"), "");
    }

    #[test]
    fn sequence_of_a_cursor_ignores_its_epoch() {
        assert_eq!(sequence_of("000000ab.17"), 17);
        assert_eq!(sequence_of("5"), 5);
        assert_eq!(sequence_of(""), 0);
    }
}
