//! The parameters of a request's query.
//!
//! # Guarantees
//! A query that is not UTF-8 is refused, not repaired; the refusal of a parameter names it and the
//! rule that it breaks.

use axum::extract::FromRequestParts;
use axum::http::Uri;
use axum::http::request::Parts;
use protocol::Refusal;
use serde_json::{Map, Value};

use crate::error::Error;
use crate::extract::payload::{LIMIT_MAX, decode_form, parse_flag, parse_number};

/// The parameters of a request's query.
#[derive(Debug)]
pub(crate) struct Query(Map<String, Value>);

impl<S: Send + Sync> FromRequestParts<S> for Query {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        Ok(Self::parse(&parts.uri)?)
    }
}

impl Query {
    /// The query of an address.
    ///
    /// # Errors
    /// [`Refusal::Malformed`] if it is not UTF-8.
    pub fn parse(uri: &Uri) -> Result<Self, Refusal> {
        decode_form(uri.query().unwrap_or_default()).map(Self)
    }

    /// A text, if it is given.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(Value::as_str)
    }

    /// A text that must be given.
    ///
    /// # Errors
    /// [`Refusal::Invalid`] if it is missing.
    pub fn required(&self, name: &'static str) -> Result<&str, Refusal> {
        self.text(name)
            .ok_or_else(|| Refusal::invalid(name, "is missing"))
    }

    /// A flag; false if it is not given.
    ///
    /// # Errors
    /// [`Refusal::Invalid`] if it is neither true nor false.
    pub fn flag(&self, name: &'static str) -> Result<bool, Refusal> {
        let invalid = || Refusal::invalid(name, "must be true or false");
        match self.text(name) {
            Some(text) => parse_flag(text).ok_or_else(invalid),
            None => Ok(false),
        }
    }

    /// A whole number, if it is given.
    ///
    /// # Errors
    /// [`Refusal::Invalid`] if it is not from `min` to `max`.
    pub fn number(&self, name: &'static str, min: u64, max: u64) -> Result<Option<u64>, Refusal> {
        let Some(text) = self.text(name) else {
            return Ok(None);
        };
        let rule = || Refusal::invalid(name, format!("must be a whole number from {min} to {max}"));
        let number = parse_number(text).filter(|number| (min..=max).contains(number));
        number.map(Some).ok_or_else(rule)
    }

    /// How many items a page has: the parameter `limit`, or `default`.
    ///
    /// # Errors
    /// [`Refusal::Invalid`] if it is not from 1 to [`LIMIT_MAX`].
    pub fn limit(&self, default: u64) -> Result<usize, Refusal> {
        let limit = self.number("limit", 1, LIMIT_MAX)?.unwrap_or(default);
        Ok(usize::try_from(limit).unwrap_or(usize::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(text: &str) -> Result<Query, Refusal> {
        Query::parse(&format!("/?{text}").parse().unwrap())
    }

    #[test]
    fn query_is_decoded_and_invalid_utf8_is_refused() {
        let query_of_all = query("username=ada+l&body=a%0D%0Ab%26c&public=on&&flag").unwrap();
        assert_eq!(query_of_all.text("username"), Some("ada l"));
        assert_eq!(query_of_all.text("body"), Some("a\r\nb&c"));
        assert_eq!(query_of_all.flag("public"), Ok(true));
        assert_eq!(query_of_all.text("flag"), Some(""));
        assert!(query("a=%ff").is_err());
    }

    #[test]
    fn number_outside_of_its_bounds_is_refused() {
        let query = query("a=5&b=-1&c=x&d=99999999999999999999999&e=").unwrap();
        assert_eq!(query.number("a", 1, 10), Ok(Some(5)));
        assert_eq!(query.number("missing", 1, 10), Ok(None));
        for name in ["b", "c", "d", "e"] {
            assert!(query.number(name, 0, 10).is_err(), "{name}");
        }
        assert!(query.number("a", 6, 10).is_err());
    }
}
