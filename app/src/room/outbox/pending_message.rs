//! A message that the server has not answered for yet, and its record in the browser's database.

use protocol::{Author, Message, MessageContent, NewMessage, RoomId, Time, client_id};
use serde::{Deserialize, Serialize};

use crate::browser::json;

/// A message in the outbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingMessage {
    /// Its idempotency key.
    pub key: String,
    /// The ID by which it is known in the log.
    pub client_id: String,
    /// What is sent.
    pub message: NewMessage,
    /// Its place in the queue: when it was written, in milliseconds.
    pub written: i64,
    /// Why the server refused it, if it did.
    pub refused: Option<String>,
    /// A free name like the author's, if the name is the reason.
    pub free: Option<String>,
    /// The sequence under which it arrived by the stream, before the answer.
    pub seen: Option<u64>,
    /// Whether it was stored, or could not be. Only then it may be sent.
    pub kept: bool,
    /// Whether it could not be stored, so that only this tab has it.
    pub is_only_here: bool,
    /// Whether it is stored outside of the database.
    pub is_local: bool,
}

/// What the database holds of a message.
#[derive(Serialize, Deserialize)]
struct Record {
    key: String,
    message: NewMessage,
    written: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    refused: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    free: Option<String>,
}

impl PendingMessage {
    /// A message that was just written, at this time in milliseconds.
    pub fn new(key: String, message: NewMessage, written: i64) -> Self {
        Self {
            client_id: client_id(&key),
            key,
            message,
            written,
            refused: None,
            free: None,
            seen: None,
            kept: false,
            is_only_here: false,
            is_local: false,
        }
    }

    /// The message that it will be, as far as that is known; `name` is the display name of the
    /// author's account.
    pub fn message(&self, room: RoomId, author: Option<Author>, name: Option<String>) -> Message {
        Message {
            id: 0,
            room,
            username: self.message.username.clone(),
            name,
            author,
            client_id: Some(self.client_id.clone()),
            edited_at: None,
            content: Some(MessageContent::text(self.message.body.clone())),
            own: true,
            sent_at: Time::from_millis(self.written),
        }
    }

    /// Its record in the database; [`PendingMessage::from_record`] reads it.
    pub fn record(&self) -> String {
        let record = Record {
            key: self.key.clone(),
            message: self.message.clone(),
            written: self.written,
            refused: self.refused.clone(),
            free: self.free.clone(),
        };
        // Serialising fails only for maps whose keys are no strings; there are none.
        serde_json::to_string(&record).unwrap_or_default()
    }

    /// The message of a record in the database.
    pub fn from_record(record: &str) -> Option<Self> {
        let record: Record = json::parse(record)?;
        Some(Self {
            refused: record.refused,
            free: record.free,
            kept: true,
            ..Self::new(record.key, record.message, record.written)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pending() -> PendingMessage {
        let message = NewMessage {
            username: "ada".into(),
            body: "\"hello\"\n".into(),
        };
        PendingMessage::new("key".into(), message, 1_795_157_260_123)
    }

    #[test]
    fn message_is_read_from_its_record_as_kept() {
        let refused = PendingMessage {
            refused: Some("The name ada is taken.".into()),
            free: Some("ada2".into()),
            ..pending()
        };
        for pending in [pending(), refused] {
            let record = pending.record();
            let kept = PendingMessage {
                kept: true,
                ..pending
            };
            assert_eq!(PendingMessage::from_record(&record), Some(kept));
        }
    }

    #[test]
    fn record_without_a_field_or_with_a_wrong_type_is_not_read() {
        let record = pending().record();
        for wrong in [
            record.replace("\"key\"", "\"other\""),
            record.replace("\"body\"", "\"other\""),
            record.replace("1795157260123", "\"1795157260123\""),
            String::new(),
        ] {
            assert_eq!(PendingMessage::from_record(&wrong), None, "{wrong}");
        }
    }
}
