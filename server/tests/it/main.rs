//! The server over HTTP, one file a theme. [`house`] starts it, and has the people who use it.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test fails by panicking, and says what it measured"
)]

mod connections;
mod contract;
mod crowd;
mod durability;
mod guarantees;
mod hostile;
mod house;
mod lobby;
mod openid;
mod order;
mod pages;
mod panels;
mod people;
mod presence;
mod program;
mod sockets;
mod stopping;
mod streams;
mod tail;
mod tls;
