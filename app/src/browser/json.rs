//! Reading and writing JSON in the browser, with the browser's own parser.
//!
//! # Guarantees
//! - A value with a missing field or a wrong type is not read at all.
//! - Unknown fields are ignored.
//!
//! # Not here
//! Writing JSON on the server, which `serde` does.

use js_sys::{Array, Date, JSON, Reflect};
use protocol::{
    Account, Author, DirectChat, Message, MessageContent, NewMessage, Overview, Problem, Role,
    Room, RoomId, Time,
};
use wasm_bindgen::JsValue;

/// A type that can be read from JSON.
pub trait FromJson: Sized {
    /// Reads a value, if it has this type.
    fn read(value: &JsValue) -> Option<Self>;
}

/// Reads a JSON text.
pub fn parse<T: FromJson>(json: &str) -> Option<T> {
    T::read(&JSON::parse(json).ok()?)
}

/// Reads a field of an object.
pub fn field<T: FromJson>(object: &JsValue, name: &str) -> Option<T> {
    T::read(&Reflect::get(object, &name.into()).ok()?)
}

/// An object with these fields.
pub fn json_object(fields: &[(&str, JsValue)]) -> JsValue {
    let object = js_sys::Object::new();
    for (name, value) in fields {
        // Setting a field of a new object does not fail.
        let _ = Reflect::set(&object, &(*name).into(), value);
    }
    object.into()
}

/// Writes a value as JSON.
pub fn to_json(value: &JsValue) -> String {
    JSON::stringify(value).map(String::from).unwrap_or_default()
}

impl FromJson for JsValue {
    fn read(value: &JsValue) -> Option<Self> {
        Some(value.clone())
    }
}

impl FromJson for String {
    fn read(value: &JsValue) -> Option<Self> {
        value.as_string()
    }
}

impl FromJson for bool {
    fn read(value: &JsValue) -> Option<Self> {
        value.as_bool()
    }
}

impl FromJson for i64 {
    fn read(value: &JsValue) -> Option<Self> {
        // Integers up to 2^53 are exact, and no room has more messages.
        value.as_f64().map(|number| number as Self)
    }
}

impl FromJson for u64 {
    fn read(value: &JsValue) -> Option<Self> {
        i64::read(value)?.try_into().ok()
    }
}

impl FromJson for RoomId {
    fn read(value: &JsValue) -> Option<Self> {
        value.as_string()?.parse().ok()
    }
}

impl FromJson for Time {
    fn read(value: &JsValue) -> Option<Self> {
        let millis = Date::parse(&value.as_string()?);
        (!millis.is_nan()).then(|| Self::from_millis(millis as i64))
    }
}

impl<T: FromJson> FromJson for Option<T> {
    fn read(value: &JsValue) -> Option<Self> {
        if value.is_null() || value.is_undefined() {
            Some(None)
        } else {
            T::read(value).map(Some)
        }
    }
}

impl<T: FromJson> FromJson for Vec<T> {
    fn read(value: &JsValue) -> Option<Self> {
        let list: &Array = wasm_bindgen::JsCast::dyn_ref(value)?;
        list.iter().map(|item| T::read(&item)).collect()
    }
}

impl FromJson for Author {
    fn read(value: &JsValue) -> Option<Self> {
        match value.as_string()?.as_str() {
            "account" => Some(Self::Account),
            "guest" => Some(Self::Guest),
            _ => None,
        }
    }
}

impl FromJson for Message {
    fn read(value: &JsValue) -> Option<Self> {
        let deleted = field::<Option<bool>>(value, "deleted")?.unwrap_or_default();
        Some(Self {
            id: field(value, "id")?,
            room: field(value, "room")?,
            username: field(value, "username")?,
            name: field(value, "name")?,
            author: field(value, "author")?,
            client_id: field(value, "client_id")?,
            sent_at: field(value, "sent_at")?,
            edited_at: field(value, "edited_at")?,
            content: (!deleted).then_some(MessageContent {
                body: field(value, "body")?,
            }),
            own: field::<Option<bool>>(value, "own")?.unwrap_or_default(),
        })
    }
}

impl FromJson for NewMessage {
    fn read(value: &JsValue) -> Option<Self> {
        Some(Self {
            username: field(value, "username")?,
            body: field(value, "body")?,
        })
    }
}

impl FromJson for Room {
    fn read(value: &JsValue) -> Option<Self> {
        Some(Self {
            id: field(value, "id")?,
            name: field(value, "name")?,
            public: field(value, "public")?,
            created_at: field(value, "created_at")?,
            last_active_at: field(value, "last_active_at")?,
            expires_at: field(value, "expires_at")?,
            message_count: field(value, "message_count")?,
            description: field(value, "description")?,
            private: field::<Option<bool>>(value, "private")?.unwrap_or_default(),
            read_only: field::<Option<bool>>(value, "read_only")?.unwrap_or_default(),
            slow_mode: field::<Option<u64>>(value, "slow_mode")?.unwrap_or_default(),
            role: field::<Option<String>>(value, "role")?.and_then(|name| Role::from_name(&name)),
            unread: field::<Option<u64>>(value, "unread")?.unwrap_or_default(),
            with: field(value, "with")?,
        })
    }
}

impl FromJson for Account {
    fn read(value: &JsValue) -> Option<Self> {
        Some(Self {
            name: field(value, "name")?,
            username: field(value, "username")?,
        })
    }
}

impl FromJson for DirectChat {
    fn read(value: &JsValue) -> Option<Self> {
        Some(Self {
            username: field(value, "username")?,
            name: field(value, "name")?,
            room: field(value, "room")?,
            unread: field(value, "unread")?,
            last: field(value, "last")?,
        })
    }
}

impl FromJson for Overview {
    fn read(value: &JsValue) -> Option<Self> {
        Some(Self {
            rooms: field(value, "rooms")?,
            chats: field(value, "chats")?,
        })
    }
}

impl FromJson for Problem {
    fn read(value: &JsValue) -> Option<Self> {
        Some(Self {
            kind: field(value, "type")?,
            title: field(value, "title")?,
            status: field::<u64>(value, "status")?.try_into().ok()?,
            detail: field(value, "detail")?,
            field: field(value, "field")?,
            free: field(value, "free")?,
            // The header `Retry-After` has it.
            retry_after: None,
        })
    }
}
