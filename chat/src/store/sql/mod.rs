//! Statements that run on both kinds of database.
//!
//! Both know `$1` as a parameter, and all numbers are 64-bit integers in both, so most statements
//! are the same text. Where they differ, the statement asks for the [`Dialect`].
//!
//! # Not here
//! - The statements: `statements`. The connections: `sqlite` and `postgres`.

mod from_row;
mod query;
mod source;
mod value;

pub(crate) use self::from_row::{FromRow, Row};
pub(crate) use self::query::{query, query_as};
pub(crate) use self::source::{Dialect, Source};
pub(crate) use self::value::Value;
