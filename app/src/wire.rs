//! Reads in the browser what the server wrote, and what it keeps itself: JSON, by the browser's own parser.
//!
//! Promises: what lacks a field or has the wrong type is nothing, never half of something; fields that are not known
//! yet are passed over. By hand, because a general reader would be a tenth of what a first visit loads. Leaves to
//! others: what the server writes, which is `serde`'s.

use js_sys::{Array, Date, JSON, Reflect};
use protocol::{
    Account, Author, Conversation, Message, NewMessage, Overview, Problem, Role, Room, RoomId, Time,
};
use wasm_bindgen::JsValue;

/// What can be read.
pub trait Wire: Sized {
    /// Reads one value, if it is of that type.
    fn read(value: &JsValue) -> Option<Self>;
}

/// Reads a JSON text.
pub fn parse<T: Wire>(json: &str) -> Option<T> {
    T::read(&JSON::parse(json).ok()?)
}

/// Reads a field of an object.
pub fn field<T: Wire>(object: &JsValue, name: &str) -> Option<T> {
    T::read(&Reflect::get(object, &name.into()).ok()?)
}

/// An object of these fields.
pub fn object(fields: &[(&str, JsValue)]) -> JsValue {
    let object = js_sys::Object::new();
    for (name, value) in fields {
        // A new object takes any field.
        let _ = Reflect::set(&object, &(*name).into(), value);
    }
    object.into()
}

/// Writes a value as JSON.
pub fn write(value: &JsValue) -> String {
    JSON::stringify(value).map(String::from).unwrap_or_default()
}

impl Wire for JsValue {
    fn read(value: &JsValue) -> Option<Self> {
        Some(value.clone())
    }
}

impl Wire for String {
    fn read(value: &JsValue) -> Option<Self> {
        value.as_string()
    }
}

impl Wire for bool {
    fn read(value: &JsValue) -> Option<Self> {
        value.as_bool()
    }
}

impl Wire for i64 {
    fn read(value: &JsValue) -> Option<Self> {
        // Whole numbers up to 2^53 are exact, and nobody sends more messages than that.
        value.as_f64().map(|number| number as Self)
    }
}

impl Wire for u64 {
    fn read(value: &JsValue) -> Option<Self> {
        i64::read(value)?.try_into().ok()
    }
}

impl Wire for RoomId {
    fn read(value: &JsValue) -> Option<Self> {
        value.as_string()?.parse().ok()
    }
}

impl Wire for Time {
    fn read(value: &JsValue) -> Option<Self> {
        let millis = Date::parse(&value.as_string()?);
        (!millis.is_nan()).then(|| Self::from_millis(millis as i64))
    }
}

impl<T: Wire> Wire for Option<T> {
    fn read(value: &JsValue) -> Option<Self> {
        if value.is_null() || value.is_undefined() {
            Some(None)
        } else {
            T::read(value).map(Some)
        }
    }
}

impl<T: Wire> Wire for Vec<T> {
    fn read(value: &JsValue) -> Option<Self> {
        let list: &Array = wasm_bindgen::JsCast::dyn_ref(value)?;
        list.iter().map(|item| T::read(&item)).collect()
    }
}

impl Wire for Author {
    fn read(value: &JsValue) -> Option<Self> {
        match value.as_string()?.as_str() {
            "account" => Some(Self::Account),
            "guest" => Some(Self::Guest),
            _ => None,
        }
    }
}

impl Wire for Message {
    fn read(value: &JsValue) -> Option<Self> {
        Some(Self {
            id: field(value, "id")?,
            room: field(value, "room")?,
            username: field(value, "username")?,
            author: field(value, "author")?,
            body: field(value, "body")?,
            sent_at: field(value, "sent_at")?,
            edited_at: field(value, "edited_at")?,
            deleted: field::<Option<bool>>(value, "deleted")?.unwrap_or_default(),
        })
    }
}

impl Wire for NewMessage {
    fn read(value: &JsValue) -> Option<Self> {
        Some(Self {
            username: field(value, "username")?,
            body: field(value, "body")?,
        })
    }
}

impl Wire for Room {
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
            role: field::<Option<String>>(value, "role")?.and_then(|name| Role::named(&name)),
            unread: field::<Option<u64>>(value, "unread")?.unwrap_or_default(),
            with: field(value, "with")?,
        })
    }
}

impl Wire for Account {
    fn read(value: &JsValue) -> Option<Self> {
        Some(Self {
            name: field(value, "name")?,
            username: field(value, "username")?,
        })
    }
}

impl Wire for Conversation {
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

impl Wire for Overview {
    fn read(value: &JsValue) -> Option<Self> {
        Some(Self {
            rooms: field(value, "rooms")?,
            chats: field(value, "chats")?,
        })
    }
}

impl Wire for Problem {
    fn read(value: &JsValue) -> Option<Self> {
        Some(Self {
            kind: field(value, "type")?,
            title: field(value, "title")?,
            status: field::<u64>(value, "status")?.try_into().ok()?,
            detail: field(value, "detail")?,
            field: field(value, "field")?,
            free: field(value, "free")?,
            // The header says it, too.
            retry_after: None,
        })
    }
}
