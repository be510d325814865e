//! Tests of the server over HTTP, one folder a capability. [`harness`] starts servers and has the
//! clients that use them.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test fails by panicking, and prints what it measured"
)]

mod auth;
#[path = "../harness/mod.rs"]
mod harness;
mod http;
mod limits;
mod moderation;
mod process;
mod routes;
mod streams;
mod tls;
