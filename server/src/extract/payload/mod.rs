//! The body of a request as a type, from JSON or from a form.
//!
//! # Guarantees
//! A body that is not UTF-8 is refused, not repaired; a body that is too large or too slow is given
//! up. The refusal of a field names the field and the rule that it breaks.
//!
//! # Not here
//! Parameters of the query (`query`), and the rules of values (`chat`).

mod body;
mod deserialize;
mod fields;
mod file_refs;
mod number;

use std::marker::PhantomData;

use axum::extract::{FromRequest, Request};
use protocol::Refusal;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

pub(crate) use self::body::BODY_MAX;
pub(crate) use self::deserialize::{parse_flag, parse_number};
pub(crate) use self::fields::decode_form;
pub(crate) use self::file_refs::{FileRefs, NamedFile};
pub(crate) use self::number::Number;
use crate::error::Error;

/// The largest sequence number of a message.
pub(crate) const SEQ_MAX: u64 = i64::MAX.unsigned_abs();

/// The most rooms, messages or entries in one page.
pub(crate) const LIMIT_MAX: u64 = 1_000;

/// The body of a request, whose fields are those of `T`. A missing body has no fields.
#[derive(Debug)]
pub(crate) struct Payload<T> {
    fields: Map<String, Value>,
    of: PhantomData<fn() -> T>,
}

impl<T: DeserializeOwned> Payload<T> {
    /// The fields as their type.
    ///
    /// # Errors
    /// [`Refusal::Invalid`] for the first field that is missing or has the wrong type.
    pub fn read(&self) -> Result<T, Refusal> {
        deserialize::from_fields(&self.fields)
    }

    /// The fields as their type, where a blank text in one of `optional` counts as a missing field:
    /// a page's form sends every input, also those that the person has left empty.
    ///
    /// # Errors
    /// Those of [`Payload::read`].
    pub fn read_form(&self, optional: &[&str]) -> Result<T, Refusal> {
        let is_blank = |value: &Value| value.as_str().is_some_and(|text| text.trim().is_empty());
        let mut fields = self.fields.clone();
        fields.retain(|name, value| !(optional.contains(&name.as_str()) && is_blank(value)));
        deserialize::from_fields(&fields)
    }
}

impl<T> Payload<T> {
    /// The text of a field as the client sent it, valid or not.
    pub fn raw(&self, field: &str) -> Option<&str> {
        self.fields.get(field).and_then(Value::as_str)
    }

    /// The text of a field as the client sent it, valid or not; empty if there is none.
    pub fn raw_text(&self, field: &str) -> &str {
        self.raw(field).unwrap_or_default()
    }

    /// The field `next` of a page's form: where the browser goes afterwards.
    pub fn next(&self) -> Option<&str> {
        self.raw("next")
    }
}

impl<T, S: Send + Sync> FromRequest<S> for Payload<T> {
    type Rejection = Error;

    async fn from_request(request: Request, _: &S) -> Result<Self, Error> {
        Ok(Self {
            fields: body::read_fields(request).await?,
            of: PhantomData,
        })
    }
}
