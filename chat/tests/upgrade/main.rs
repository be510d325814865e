//! Opens the data of a release with the first schema and finds everything in it again, through the
//! public API and row by row.
//!
//! `record` has the data and what that release answered; `rows` compares the tables.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod ended;
mod people;
mod record;
mod rooms;
mod rows;
mod rules;
