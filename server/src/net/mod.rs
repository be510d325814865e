//! Connections: accepting them, HTTP/1.1, TLS with HTTP/2, and sockets that belong to an event
//! stream.
//!
//! # Not here
//! Requests (`router`), and the contents of event streams (`stream`).

pub(crate) mod body_drain;
pub(crate) mod client_connections;
pub(crate) mod connections;
pub mod descriptors;
pub(crate) mod http1;
pub(crate) mod http2_slow_readers;
pub mod listener;
pub(crate) mod shared_socket;
mod sse_socket;
pub(crate) mod sse_takeover;
pub(crate) mod timeouts;
pub(crate) mod tls_connection;
