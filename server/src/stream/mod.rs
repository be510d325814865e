//! What followers receive: event streams, several rooms on one stream, WebSockets.
//!
//! # Not here
//! The sockets below (`net`), and the addresses (`routes`).

pub(crate) mod multi_room;
mod socket_close;
mod socket_end;
pub(crate) mod socket_frames;
pub(crate) mod sse;
pub(crate) mod sse_over_websocket;
pub(crate) mod websocket;
