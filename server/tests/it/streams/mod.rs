//! Event streams, sockets and presence: history, new messages, resuming, and their end.

mod blocks;
mod events;
mod multi_room;
mod presence;
mod stalled_readers;
mod web_socket;
mod web_socket_close;
