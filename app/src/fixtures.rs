//! A room and a message for tests. Each test sets the fields that it checks.

use protocol::{Message, MessageContent, NotificationLevel, Room, RoomId, Time};

/// A room without a name and without messages.
pub fn room() -> Room {
    Room {
        id: RoomId::from_bytes([0; 8]),
        name: None,
        public: false,
        created_at: Time::from_millis(0),
        last_active_at: Time::from_millis(0),
        expires_at: Time::from_millis(0),
        message_count: 0,
        description: None,
        private: false,
        read_only: false,
        slow_mode: 0,
        role: None,
        muted: false,
        muted_until: None,
        unread: 0,
        mentions: 0,
        level: NotificationLevel::default(),
        read_seq: None,
        roles: Vec::new(),
        with: None,
    }
}

/// A message of that room by an unverified author; its text is its sequence.
pub fn message(id: u64) -> Message {
    Message {
        id,
        room: room().id,
        username: "ada".into(),
        name: None,
        author: None,
        client_id: None,
        edited_at: None,
        content: Some(MessageContent::text(id.to_string())),
        own: false,
        sent_at: Time::from_millis(0),
    }
}
