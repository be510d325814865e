//! A message that the server has not answered for yet, and its record in the browser's database.

use protocol::{Author, Message, MessageContent, NewMessage, RoomId, Time, client_id};
use wasm_bindgen::JsValue;

use crate::browser::json::{FromJson, field, json_object};

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
    /// Whether it is in the database, where every tab finds it. Only then it may be sent.
    pub kept: bool,
}

impl FromJson for PendingMessage {
    fn read(value: &JsValue) -> Option<Self> {
        let key = field(value, "key")?;
        let written = field(value, "written")?;
        Some(Self {
            refused: field(value, "refused")?,
            free: field(value, "free")?,
            kept: true,
            ..Self::new(key, field(value, "message")?, written)
        })
    }
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

    /// Its record in the database; [`FromJson::read`] reads it.
    pub fn record(&self) -> JsValue {
        let message = json_object(&[
            ("username", self.message.username.as_str().into()),
            ("body", self.message.body.as_str().into()),
        ]);
        json_object(&[
            ("key", self.key.as_str().into()),
            ("message", message),
            ("written", (self.written as f64).into()),
            ("refused", self.refused.as_deref().into()),
            ("free", self.free.as_deref().into()),
        ])
    }
}
