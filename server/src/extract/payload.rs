//! The fields of a request, from JSON, a form or the query, with a clear "no" for what is not understood.
//!
//! Promises: what is not valid UTF-8 is refused, not mended; a body that is too large or too slow is given up.

use std::time::Duration;

use axum::body::Body;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use http_body_util::BodyExt;
use percent_encoding::percent_decode_str;
use protocol::Refusal;
use serde_json::{Map, Value};

use crate::error::Error;

/// The largest body that is read: the longest message with every character escaped takes 48,000 bytes.
pub(crate) const BODY_MAX: usize = 64 * 1024;

/// How much of a body that is too large is still taken in, so that its sender reads the answer instead of a broken
/// connection.
const DISCARDED_MAX: usize = 64 * 1024 * 1024;

/// How long a body may take.
const BODY_TIMEOUT: Duration = Duration::from_secs(20);

/// The largest sequence there can be.
pub(crate) const SEQ_MAX: u64 = i64::MAX.unsigned_abs();

/// The most rooms or messages in one page.
pub(crate) const LIMIT_MAX: u64 = 1_000;

/// Named values of a request.
#[derive(Debug, Default)]
pub(crate) struct Fields(Map<String, Value>);

impl Fields {
    /// The fields of a query or form: `a=1&b=2`.
    ///
    /// # Errors
    /// [`Refusal::Malformed`] if it is not UTF-8.
    pub fn decode(text: &str) -> Result<Self, Refusal> {
        let pairs = text.split('&').filter(|pair| !pair.is_empty());
        let fields = pairs.map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Ok((decode(name)?, Value::String(decode(value)?)))
        });
        fields.collect::<Result<_, _>>().map(Self)
    }

    fn json(bytes: &[u8]) -> Result<Self, Refusal> {
        match serde_json::from_slice(bytes) {
            Ok(Value::Object(fields)) => Ok(Self(fields)),
            Ok(_) => Err(Refusal::Malformed(
                "The body must be a JSON object.".to_owned(),
            )),
            Err(error) => Err(Refusal::Malformed(format!(
                "The body is not JSON: {error}."
            ))),
        }
    }

    /// A text, if it was given and is not `null`.
    ///
    /// # Errors
    /// [`Refusal::Invalid`] if it is not a text.
    pub fn text(&self, field: &'static str) -> Result<Option<&str>, Refusal> {
        match self.0.get(field) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(Refusal::invalid(field, "must be a text")),
        }
    }

    /// A text that must be given.
    ///
    /// # Errors
    /// [`Refusal::Invalid`] if it is missing or not a text.
    pub fn required(&self, field: &'static str) -> Result<&str, Refusal> {
        self.text(field)?
            .ok_or_else(|| Refusal::invalid(field, "is missing"))
    }

    /// A yes or no, as JSON or as forms say it, if it was given.
    ///
    /// # Errors
    /// [`Refusal::Invalid`] if it is neither.
    pub fn flag(&self, field: &'static str) -> Result<Option<bool>, Refusal> {
        match self.0.get(field) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(*flag)),
            Some(Value::String(text)) => match text.as_str() {
                "true" | "on" | "1" => Ok(Some(true)),
                "false" | "off" | "0" | "" => Ok(Some(false)),
                _ => Err(Refusal::invalid(field, "must be true or false")),
            },
            Some(_) => Err(Refusal::invalid(field, "must be true or false")),
        }
    }

    /// A whole number, as JSON or as queries say it, if it was given.
    ///
    /// # Errors
    /// [`Refusal::Invalid`] if it is not within `min` and `max`.
    pub fn number(&self, field: &'static str, min: u64, max: u64) -> Result<Option<u64>, Refusal> {
        let text = match self.0.get(field) {
            // JSON knows one kind of numbers: 5 and 5.0 are the same.
            Some(Value::Number(number)) if number.is_f64() => {
                format!("{}", number.as_f64().unwrap_or(f64::NAN))
            }
            Some(Value::Number(number)) => number.to_string(),
            _ => match self.text(field)? {
                Some(text) => text.to_owned(),
                None => return Ok(None),
            },
        };
        let number = text
            .bytes()
            .all(|b| b.is_ascii_digit())
            .then(|| text.parse().ok())
            .flatten();
        match number {
            Some(number) if (min..=max).contains(&number) => Ok(Some(number)),
            _ => Err(Refusal::invalid(
                field,
                format!("must be a whole number from {min} to {max}"),
            )),
        }
    }
}

fn decode(text: &str) -> Result<String, Refusal> {
    let text = text.replace('+', " ");
    let text = percent_decode_str(&text)
        .decode_utf8()
        .map(|text| text.into_owned());
    text.map_err(|_| Refusal::Malformed("The fields are not UTF-8.".to_owned()))
}

impl<S: Send + Sync> FromRequest<S> for Fields {
    type Rejection = Error;

    async fn from_request(request: Request, _: &S) -> Result<Self, Error> {
        let kind = kind(request.headers());
        let bytes = tokio::time::timeout(BODY_TIMEOUT, collect(request.into_body()));
        let bytes = bytes.await.map_err(|_| Refusal::TooSlow)??;
        let fields = match kind {
            // Some clients name a type even of nothing.
            _ if bytes.is_empty() => Ok(Self::default()),
            Kind::Json => Self::json(&bytes),
            Kind::Form => match std::str::from_utf8(&bytes) {
                Ok(text) => Self::decode(text),
                Err(_) => Err(Refusal::Malformed("The fields are not UTF-8.".to_owned())),
            },
            Kind::None | Kind::Other => Err(Refusal::UnsupportedMediaType),
        };
        Ok(fields?)
    }
}

/// The fields of a request's query.
#[derive(Debug)]
pub(crate) struct Query(pub Fields);

impl<S: Send + Sync> FromRequestParts<S> for Query {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        Ok(Self(Fields::decode(parts.uri.query().unwrap_or_default())?))
    }
}

enum Kind {
    Json,
    Form,
    Other,
    None,
}

fn kind(headers: &HeaderMap) -> Kind {
    let Some(value) = headers.get(header::CONTENT_TYPE) else {
        return Kind::None;
    };
    let name = value
        .to_str()
        .unwrap_or_default()
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    match name.as_str() {
        "application/json" => Kind::Json,
        "application/x-www-form-urlencoded" => Kind::Form,
        name if name.starts_with("application/") && name.ends_with("+json") => Kind::Json,
        _ => Kind::Other,
    }
}

async fn collect(mut body: Body) -> Result<Vec<u8>, Refusal> {
    let (mut bytes, mut size) = (Vec::new(), 0);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Refusal::Malformed("The body broke off.".to_owned()))?;
        let Some(data) = frame.data_ref() else {
            continue;
        };
        size += data.len();
        if size > DISCARDED_MAX {
            break;
        }
        if size <= BODY_MAX {
            bytes.extend_from_slice(data);
        }
    }
    if size > BODY_MAX {
        Err(Refusal::TooLarge(BODY_MAX))
    } else {
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_decoded() {
        let fields = Fields::decode("username=ada+l&body=a%0D%0Ab%26c&public=on&&flag").unwrap();
        assert_eq!(fields.text("username"), Ok(Some("ada l")));
        assert_eq!(fields.text("body"), Ok(Some("a\r\nb&c")));
        assert_eq!(fields.flag("public"), Ok(Some(true)));
        assert_eq!(fields.text("flag"), Ok(Some("")));
        assert!(Fields::decode("a=%ff").is_err());
    }

    #[test]
    fn numbers_have_bounds() {
        let fields = Fields::decode("a=5&b=-1&c=x&d=99999999999999999999999&e=").unwrap();
        assert_eq!(fields.number("a", 1, 10), Ok(Some(5)));
        assert_eq!(fields.number("missing", 1, 10), Ok(None));
        for field in ["b", "c", "d", "e"] {
            assert!(fields.number(field, 0, 10).is_err(), "{field}");
        }
        assert!(fields.number("a", 6, 10).is_err());
        let fields =
            Fields::json(br#"{"a": 5, "b": 5.0, "c": 5.5, "d": -1, "e": 1e300, "f": null}"#)
                .unwrap();
        assert_eq!(
            ["a", "b", "f"].map(|field| fields.number(field, 1, 10)),
            [Ok(Some(5)), Ok(Some(5)), Ok(None)]
        );
        assert!(
            ["c", "d", "e"]
                .iter()
                .all(|field| fields.number(field, 1, 10).is_err())
        );
    }

    #[test]
    fn json_must_be_an_object_of_the_right_types() {
        let fields =
            Fields::json(br#"{"username": "ada", "body": 1, "public": "maybe", "name": null}"#)
                .unwrap();
        assert_eq!(fields.required("username"), Ok("ada"));
        assert!(fields.text("body").is_err());
        assert!(fields.flag("public").is_err());
        assert_eq!(fields.text("name"), Ok(None));
        assert!(matches!(
            fields.required("timeout"),
            Err(Refusal::Invalid {
                field: "timeout",
                ..
            })
        ));
        assert!(Fields::json(b"[]").is_err());
        assert!(Fields::json(b"{\"a\": \"\xff\"}").is_err());
    }
}
