//! The one event stream that all tabs of a browser share.
//!
//! **Guarantees:** while any tab subscribes to a topic, some tab holds a connection for it; a lost one is reopened.
//! **Not here:** what the events mean (`room`, `room_list`).

pub mod event_stream;
pub mod subscriptions;
pub mod tab_channel;
pub mod tab_feed;
pub mod tab_leader;
