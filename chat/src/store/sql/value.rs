//! The values that statements are given.

use std::borrow::Cow;

use sqlx::query::Query;
use sqlx::{Database, Encode, Type};

/// The value of a parameter, or null of the same type.
#[derive(Clone, Debug)]
pub(crate) enum Value<'q> {
    Integer(Option<i64>),
    Boolean(bool),
    Text(Option<Cow<'q, str>>),
}

impl<'q> Value<'q> {
    /// Adds the value to the parameters of a statement.
    pub(super) fn bind_to<DB>(
        self,
        query: Query<'q, DB, DB::Arguments>,
    ) -> Query<'q, DB, DB::Arguments>
    where
        DB: Database,
        Option<i64>: Encode<'q, DB> + Type<DB>,
        bool: Encode<'q, DB> + Type<DB>,
        Option<Cow<'q, str>>: Encode<'q, DB> + Type<DB>,
    {
        match self {
            Self::Integer(number) => query.bind(number),
            Self::Boolean(truth) => query.bind(truth),
            Self::Text(text) => query.bind(text),
        }
    }

    /// The value as `PostgreSQL` can take it, which knows no NUL in a text. No text that is stored
    /// has one, so only what is searched for can.
    pub(super) fn without_nul(self) -> Self {
        match self {
            Self::Text(Some(text)) if text.contains('\0') => {
                Self::Text(Some(text.replace('\0', "\u{fffd}").into()))
            }
            value => value,
        }
    }
}

impl From<i64> for Value<'_> {
    fn from(number: i64) -> Self {
        Self::Integer(Some(number))
    }
}

impl From<Option<i64>> for Value<'_> {
    fn from(number: Option<i64>) -> Self {
        Self::Integer(number)
    }
}

impl From<bool> for Value<'_> {
    fn from(truth: bool) -> Self {
        Self::Boolean(truth)
    }
}

impl From<String> for Value<'_> {
    fn from(text: String) -> Self {
        Self::Text(Some(text.into()))
    }
}

impl From<Option<String>> for Value<'_> {
    fn from(text: Option<String>) -> Self {
        Self::Text(text.map(Cow::from))
    }
}

impl<'q> From<&'q Option<String>> for Value<'q> {
    fn from(text: &'q Option<String>) -> Self {
        text.as_ref().into()
    }
}

impl<'q> From<&'q str> for Value<'q> {
    fn from(text: &'q str) -> Self {
        Self::Text(Some(text.into()))
    }
}

impl<'q> From<&'q String> for Value<'q> {
    fn from(text: &'q String) -> Self {
        text.as_str().into()
    }
}

impl<'q> From<Option<&'q str>> for Value<'q> {
    fn from(text: Option<&'q str>) -> Self {
        Self::Text(text.map(Cow::from))
    }
}

impl<'q> From<Option<&'q String>> for Value<'q> {
    fn from(text: Option<&'q String>) -> Self {
        Self::Text(text.map(Cow::from))
    }
}
