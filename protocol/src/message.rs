//! Messages, and requests to send them.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

#[cfg(not(target_arch = "wasm32"))]
use crate::File;
use crate::{Author, Mark, MessageContent, RoomId, Time};

/// What stands between the text and the files in the browser. No text has it.
const FILES_FOLLOW: char = '\0';

/// A message, as clients see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The message's sequence in its room: 1, 2, 3 …, the same for every client.
    pub id: u64,
    /// The ID of the message's room.
    pub room: RoomId,
    /// The name under which the author wrote.
    pub username: String,
    /// The display name of the author's account; `None` if the author has no account.
    pub name: Option<String>,
    /// How the server identified the author; `None` if it did not.
    pub author: Option<Author>,
    /// By which the sender knows the message again ([`crate::client_id`]); `None` if it was sent
    /// without an `Idempotency-Key`.
    pub client_id: Option<String>,
    /// When the server accepted the message.
    pub sent_at: Time,
    /// When the message was last edited, or one of its files removed; `None` if never.
    pub edited_at: Option<Time>,
    /// What the message says; `None` if it was deleted.
    pub content: Option<MessageContent>,
    /// Whether the caller wrote the message, with the same account or guest's key, under whatever
    /// name. Only pages of history say it: a stream is the same for all readers, and the sender of
    /// a message knows its author.
    pub own: bool,
}

impl Message {
    /// Returns the text, which is empty if the message was deleted.
    pub fn body(&self) -> &str {
        let body = self.whole_body();
        body.split_once(FILES_FOLLOW).map_or(body, |(body, _)| body)
    }

    fn whole_body(&self) -> &str {
        self.content.as_ref().map_or("", |content| &content.body)
    }

    /// Returns what the markup in the text means.
    pub fn marks(&self) -> &[Mark] {
        self.content.as_ref().map_or(&[], |content| &content.marks)
    }

    /// Returns the files.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn files(&self) -> &[File] {
        self.content.as_ref().map_or(&[], |content| &content.files)
    }

    /// Returns the files as a JSON text, which is empty if there are none.
    #[cfg(target_arch = "wasm32")]
    pub fn files(&self) -> &str {
        let parts = self.whole_body().split_once(FILES_FOLLOW);
        parts.map_or("", |(_, files)| files)
    }

    /// Returns the name to show for the author: the display name of an account, or the name under
    /// which a person without an account wrote.
    pub fn shown_name(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.username)
    }

    /// Returns whether the message was deleted.
    pub fn is_deleted(&self) -> bool {
        self.content.is_none()
    }
}

/// A message on the wire, where its content stands beside the other fields.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "schema", schema(as = Message))]
struct WireMessage<'a> {
    /// The message's sequence in its room: 1, 2, 3 …, the same for every client. Edits and
    /// deletions use sequences of their own; apart from them there are no gaps.
    #[cfg_attr(feature = "schema", schema(minimum = 1))]
    id: u64,
    /// The ID of the message's room.
    #[cfg_attr(feature = "schema", schema(value_type = String, pattern = "^[0-9a-f]{16}$", example = "0123456789abcdef"))]
    room: RoomId,
    /// The name under which the author wrote; for an account it is the username.
    #[cfg_attr(feature = "schema", schema(value_type = String, min_length = 1, max_length = 32))]
    username: Cow<'a, str>,
    /// The display name of the author's account, as it is now; absent if the author has no account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(value_type = Option<String>, nullable = false))]
    name: Option<Cow<'a, str>>,
    /// How the server identified the author; absent if it did not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    author: Option<Author>,
    /// A digest of the `Idempotency-Key` under which the message was sent, by which its sender knows
    /// it again: the first 128 bits of the key's SHA-256 in hexadecimal. Absent without a key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(value_type = Option<String>, nullable = false, pattern = "^[0-9a-f]{32}$"))]
    client_id: Option<Cow<'a, str>>,
    /// The text.
    #[cfg_attr(feature = "schema", schema(value_type = String, max_length = 4000))]
    body: Cow<'a, str>,
    /// What the markup in the text means, in order; absent if the text has none. The text itself
    /// stays as the author wrote it.
    #[serde(default, skip_serializing_if = "<[Mark]>::is_empty")]
    #[cfg_attr(feature = "schema", schema(value_type = Option<Vec<Mark>>, nullable = false))]
    marks: Cow<'a, [Mark]>,
    /// The files, in the order in which the author gave them; absent if there are none. A message
    /// with files may have an empty text.
    #[serde(default, skip_serializing_if = "<[File]>::is_empty")]
    #[cfg(not(target_arch = "wasm32"))]
    #[cfg_attr(feature = "schema", schema(value_type = Option<Vec<File>>, nullable = false))]
    files: Cow<'a, [File]>,
    /// When the server accepted the message.
    #[cfg_attr(feature = "schema", schema(value_type = String, format = DateTime))]
    sent_at: Time,
    /// When the author last edited the message, or a file of it was removed; absent if never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(value_type = String, format = DateTime, nullable = false))]
    edited_at: Option<Time>,
    /// Whether the message was deleted, so that its text is empty; absent if it was not.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    deleted: bool,
    /// Whether the caller wrote the message, with the same account or guest's key, under whatever
    /// name; absent if not. Only pages of history say it: a stream is the same for all readers, and
    /// the sender of a message knows its author.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    own: bool,
}

impl Serialize for Message {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let message = WireMessage {
            id: self.id,
            room: self.room,
            username: Cow::Borrowed(&self.username),
            name: self.name.as_deref().map(Cow::Borrowed),
            author: self.author,
            client_id: self.client_id.as_deref().map(Cow::Borrowed),
            body: Cow::Borrowed(self.whole_body()),
            marks: Cow::Borrowed(self.marks()),
            #[cfg(not(target_arch = "wasm32"))]
            files: Cow::Borrowed(self.files()),
            sent_at: self.sent_at,
            edited_at: self.edited_at,
            deleted: self.is_deleted(),
            own: self.own,
        };
        message.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Message {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let message = WireMessage::deserialize(deserializer)?;
        let body = message.body.into_owned();
        let content = MessageContent {
            body,
            marks: message.marks.into_owned(),
            #[cfg(not(target_arch = "wasm32"))]
            files: message.files.into_owned(),
        };
        Ok(Self {
            id: message.id,
            room: message.room,
            username: message.username.into_owned(),
            name: message.name.map(Cow::into_owned),
            author: message.author,
            client_id: message.client_id.map(Cow::into_owned),
            sent_at: message.sent_at,
            edited_at: message.edited_at,
            content: (!message.deleted).then_some(content),
            own: message.own,
        })
    }
}

#[cfg(feature = "schema")]
impl utoipa::PartialSchema for Message {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        <WireMessage<'_> as utoipa::PartialSchema>::schema()
    }
}

#[cfg(feature = "schema")]
impl utoipa::ToSchema for Message {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("Message")
    }

    fn schemas(
        schemas: &mut Vec<(
            String,
            utoipa::openapi::RefOr<utoipa::openapi::schema::Schema>,
        )>,
    ) {
        <WireMessage<'_> as utoipa::ToSchema>::schemas(schemas);
    }
}

/// A request to send a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct NewMessage {
    /// The name under which the author writes: 1 to 32 characters on one line after trimming, of
    /// which at least one is visible. It has no control characters, no direction controls, no
    /// invisible characters that its script does not need, and no blanks other than spaces.
    #[cfg_attr(feature = "schema", schema(value_type = crate::schema::Username))]
    pub username: String,
    /// The text: 1 to 4,000 characters after trimming, of which at least one is visible; newline and
    /// tab are the only control characters allowed.
    #[cfg_attr(feature = "schema", schema(value_type = crate::schema::Body))]
    pub body: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message() -> Message {
        Message {
            id: 3,
            room: RoomId::from_bytes([1; 8]),
            username: "ada".to_owned(),
            name: Some("Ada".to_owned()),
            author: Some(Author::Account),
            client_id: Some("00ff".to_owned()),
            sent_at: Time::from_millis(0),
            edited_at: None,
            content: Some(MessageContent::text("hello")),
            own: false,
        }
    }

    #[test]
    fn content_stands_beside_the_other_fields_on_the_wire() {
        let json = serde_json::to_value(message()).unwrap();
        let expected = serde_json::json!({
            "id": 3,
            "room": "0101010101010101",
            "username": "ada",
            "name": "Ada",
            "author": "account",
            "client_id": "00ff",
            "body": "hello",
            "sent_at": "1970-01-01T00:00:00.000Z",
        });
        assert_eq!(json, expected);
        assert_eq!(serde_json::from_value::<Message>(json).unwrap(), message());
    }

    #[test]
    fn marks_stand_beside_the_text_if_there_are_any() {
        let mut marked = message();
        let content = marked.content.as_mut().unwrap();
        content.marks = vec![Mark::new(crate::MarkKind::Link, 1, 4)];
        let json = serde_json::to_value(&marked).unwrap();
        let expected = serde_json::json!([{"kind": "link", "from": 1, "to": 4}]);
        assert_eq!(
            (&json["body"], &json["marks"]),
            (&"hello".into(), &expected)
        );
        assert_eq!(serde_json::from_value::<Message>(json).unwrap(), marked);
    }

    #[test]
    fn files_stand_beside_the_text_if_there_are_any() {
        let mut sent = message();
        sent.content.as_mut().unwrap().files = vec![File {
            id: crate::FileId::from_bytes([2; 8]),
            name: "a.txt".to_owned(),
            kind: "text/plain".to_owned(),
            size: 3,
            sha256: "00".to_owned(),
            url: "/rooms/0101010101010101/files/0202020202020202/a.txt".to_owned(),
            preview: None,
            alt: None,
            width: None,
            height: None,
            metadata: false,
            scanning: false,
        }];
        let json = serde_json::to_value(&sent).unwrap();
        assert_eq!(json["files"][0]["type"], "text/plain");
        assert_eq!(json["files"][0]["preview"], serde_json::Value::Null);
        assert_eq!(serde_json::from_value::<Message>(json).unwrap(), sent);
    }

    #[test]
    fn deleted_message_has_an_empty_body_and_no_content() {
        let deleted = Message {
            name: None,
            author: None,
            client_id: None,
            content: None,
            ..message()
        };
        let json = serde_json::to_value(&deleted).unwrap();
        assert_eq!(json["body"], "");
        assert_eq!(json["deleted"], true);
        assert_eq!(json.as_object().unwrap().len(), 6);
        assert_eq!(serde_json::from_value::<Message>(json).unwrap(), deleted);
    }
}
