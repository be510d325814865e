//! Deserializes the fields of a request into a type.
//!
//! # Guarantees
//! JSON and forms are read alike: a flag is `true` or `on`, a number is `5` or `"5"`, `null` is a
//! missing field. An error names the first field, in the order of the type, that breaks a rule. Of
//! two fields with one name the last counts.

use std::borrow::Cow;
use std::fmt::Display;

use protocol::Refusal;
use serde::de::value::{MapDeserializer, SeqDeserializer, StrDeserializer};
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, Error as _, IntoDeserializer, MapAccess,
    Visitor,
};
use serde::forward_to_deserialize_any;
use serde_json::{Map, Value};

/// Reads fields into a type, which must be a struct.
pub(super) fn from_fields<T: DeserializeOwned>(fields: &Map<String, Value>) -> Result<T, Refusal> {
    T::deserialize(FieldsDeserializer(fields)).map_err(|error| match error.field {
        Some(field) => Refusal::invalid(field, error.rule),
        None => Refusal::Malformed(error.rule.into_owned()),
    })
}

/// A field that breaks a rule.
#[derive(Debug)]
struct FieldError {
    field: Option<&'static str>,
    /// Reads on after the field's name.
    rule: Cow<'static, str>,
}

impl FieldError {
    fn rule(rule: impl Into<Cow<'static, str>>) -> Self {
        Self {
            field: None,
            rule: rule.into(),
        }
    }

    fn at(self, field: &'static str) -> Self {
        Self {
            field: self.field.or(Some(field)),
            ..self
        }
    }
}

impl Display for FieldError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.field.unwrap_or("a field"), self.rule)
    }
}

impl std::error::Error for FieldError {}

impl serde::de::Error for FieldError {
    fn custom<T: Display>(rule: T) -> Self {
        Self::rule(rule.to_string())
    }

    fn missing_field(field: &'static str) -> Self {
        Self::rule("is missing").at(field)
    }
}

/// All fields of a request.
struct FieldsDeserializer<'de>(&'de Map<String, Value>);

impl<'de> Deserializer<'de> for FieldsDeserializer<'de> {
    type Error = FieldError;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        names: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, FieldError> {
        visitor.visit_map(StructFields {
            given: self.0,
            names: names.iter(),
            current: None,
        })
    }

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, FieldError> {
        Err(FieldError::custom("The fields of a request are a struct."))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

/// The fields that a struct knows and the request has, in the struct's order.
struct StructFields<'de> {
    given: &'de Map<String, Value>,
    names: std::slice::Iter<'static, &'static str>,
    current: Option<(&'static str, &'de Value)>,
}

impl<'de> MapAccess<'de> for StructFields<'de> {
    type Error = FieldError;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, FieldError> {
        let given = self.given;
        let value_of = |name: &&'static str| Some((*name, given.get(*name)?));
        self.current = self
            .names
            .by_ref()
            .filter_map(value_of)
            .find(|(_, value)| !value.is_null());
        let Some((name, _)) = self.current else {
            return Ok(None);
        };
        let name: StrDeserializer<'_, FieldError> = name.into_deserializer();
        seed.deserialize(name).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<S::Value, FieldError> {
        let Some((name, value)) = self.current.take() else {
            return Err(FieldError::custom("A value without a name."));
        };
        seed.deserialize(FieldDeserializer(value))
            .map_err(|error| error.at(name))
    }
}

/// The value of one field.
struct FieldDeserializer<'de>(&'de Value);

impl<'de> FieldDeserializer<'de> {
    fn text(&self) -> Result<&'de str, FieldError> {
        self.0.as_str().ok_or(FieldError::rule("must be a text"))
    }
}

impl<'de> Deserializer<'de> for FieldDeserializer<'de> {
    type Error = FieldError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FieldError> {
        visitor.visit_borrowed_str(self.text()?)
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FieldError> {
        let flag = match self.0 {
            Value::Bool(flag) => Some(*flag),
            Value::String(text) => parse_flag(text),
            _ => None,
        };
        visitor.visit_bool(flag.ok_or(FieldError::rule("must be true or false"))?)
    }

    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FieldError> {
        visitor.visit_u64(number(self.0).ok_or(FieldError::rule("must be a whole number"))?)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FieldError> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, FieldError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, FieldError> {
        let text = self.text()?;
        if !variants.contains(&text) {
            return Err(FieldError::rule(one_of(variants)));
        }
        let variant: StrDeserializer<'_, FieldError> = text.into_deserializer();
        visitor.visit_enum(variant)
    }

    /// An array; a form has no arrays, so there it is a text.
    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FieldError> {
        match self.0 {
            Value::Array(values) => {
                let values = values.iter().map(FieldDeserializer);
                visitor.visit_seq(SeqDeserializer::new(values))
            }
            Value::String(text) => visitor.visit_borrowed_str(text),
            _ => Err(FieldError::rule("must be an array")),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        names: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, FieldError> {
        let fields = self.0.as_object();
        let fields = fields.ok_or(FieldError::rule("must be an object"))?;
        FieldsDeserializer(fields).deserialize_struct(name, names, visitor)
    }

    /// An object, or a text for the visitors that take one in its place.
    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FieldError> {
        match self.0 {
            Value::Object(fields) => {
                let fields = fields.iter().filter(|(_, value)| !value.is_null());
                let fields = fields.map(|(name, value)| (name.as_str(), FieldDeserializer(value)));
                visitor.visit_map(MapDeserializer::new(fields))
            }
            Value::String(text) => visitor.visit_borrowed_str(text),
            _ => Err(FieldError::rule("must be a text or an object")),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FieldError> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i64 i128 u8 u16 u32 u128 f32 f64 char str string bytes byte_buf unit unit_struct tuple tuple_struct
        identifier
    }
}

impl<'de> IntoDeserializer<'de, FieldError> for FieldDeserializer<'de> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

/// A flag as forms write it.
pub(crate) fn parse_flag(text: &str) -> Option<bool> {
    match text {
        "true" | "on" | "1" => Some(true),
        "false" | "off" | "0" | "" => Some(false),
        _ => None,
    }
}

/// A whole number as forms write it.
pub(crate) fn parse_number(text: &str) -> Option<u64> {
    let is_whole = text.bytes().all(|byte| byte.is_ascii_digit());
    is_whole.then(|| text.parse().ok()).flatten()
}

/// A whole number, as JSON or as forms write it.
fn number(value: &Value) -> Option<u64> {
    match value {
        // JSON has one kind of numbers: 5 and 5.0 are the same.
        Value::Number(number) if number.is_f64() => parse_number(&number.as_f64()?.to_string()),
        Value::Number(number) => number.as_u64(),
        Value::String(text) => parse_number(text),
        _ => None,
    }
}

/// The rule of a field that takes one of these words.
fn one_of(words: &[&str]) -> String {
    match words {
        [] => "takes no value".to_owned(),
        [word] => format!("must be {word}"),
        [words @ .., last] => format!("must be {} or {last}", words.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;
    use crate::extract::payload::Number;

    #[derive(Debug, Default, PartialEq, Deserialize)]
    struct Everything {
        username: String,
        name: Option<String>,
        public: Option<bool>,
        uses: Option<Number<1, 10>>,
        role: Option<protocol::Role>,
        quiet: Option<protocol::QuietHours>,
    }

    fn read(fields: Value) -> Result<Everything, Refusal> {
        from_fields(fields.as_object().unwrap())
    }

    #[test]
    fn json_and_forms_are_read_alike_and_null_is_a_missing_field() {
        let expected = Everything {
            username: "ada".to_owned(),
            name: None,
            public: Some(true),
            uses: Some(Number(5)),
            role: Some(protocol::Role::Owner),
            quiet: None,
        };
        for fields in [
            serde_json::json!({"username": "ada", "public": true, "uses": 5, "role": "owner"}),
            serde_json::json!({"username": "ada", "public": "on", "uses": "5", "role": "owner", "x": []}),
            serde_json::json!({"role": "owner", "uses": 5.0, "public": "1", "name": null, "username": "ada"}),
        ] {
            assert_eq!(read(fields).as_ref(), Ok(&expected));
        }
    }

    #[test]
    fn refusal_names_the_field_and_its_rule() {
        for (fields, field, rule) in [
            (serde_json::json!({}), "username", "is missing"),
            (
                serde_json::json!({"username": null}),
                "username",
                "is missing",
            ),
            (
                serde_json::json!({"username": 1}),
                "username",
                "must be a text",
            ),
            (
                serde_json::json!({"username": "a", "name": []}),
                "name",
                "must be a text",
            ),
            (
                serde_json::json!({"username": "a", "public": "maybe"}),
                "public",
                "must be true or false",
            ),
            (
                serde_json::json!({"username": "a", "uses": 0}),
                "uses",
                "must be a whole number from 1 to 10",
            ),
            (
                serde_json::json!({"username": "a", "uses": -1}),
                "uses",
                "must be a whole number from 1 to 10",
            ),
            (
                serde_json::json!({"username": "a", "uses": 1e300}),
                "uses",
                "must be a whole number from 1 to 10",
            ),
            (
                serde_json::json!({"username": "a", "uses": ""}),
                "uses",
                "must be a whole number from 1 to 10",
            ),
            (
                serde_json::json!({"username": "a", "role": "king"}),
                "role",
                "must be reader, member, moderator or owner",
            ),
            (
                serde_json::json!({"username": "a", "quiet": "22:00"}),
                "quiet",
                "must be an object",
            ),
            (
                serde_json::json!({"username": "a", "quiet": {"from": "22:00", "to": 7}}),
                "to",
                "must be a text",
            ),
            (
                serde_json::json!({"username": "a", "quiet": {"from": "22:00", "to": "07:00"}}),
                "zone",
                "is missing",
            ),
        ] {
            assert_eq!(
                read(fields.clone()),
                Err(Refusal::invalid(field, rule)),
                "{fields}"
            );
        }
    }
}
