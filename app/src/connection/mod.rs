//! The one event stream that all tabs of a browser share.
//!
//! # Guarantees
//! While any tab subscribes to a topic, some tab holds a connection for it; a lost one is reopened.
//!
//! # Not here
//! What the events mean (`room`, `room_list`).

pub mod event_stream;
pub mod sharing;
pub mod tab_channel;
pub mod tab_feed;
pub mod tab_leader;
