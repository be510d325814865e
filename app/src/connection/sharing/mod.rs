//! How the tabs of a browser share one event stream: the decisions, without a browser.
//!
//! # Guarantees
//! - Each event of the browser (a message of a tab, a lock, a timer, an event of the stream) goes
//!   in as a call and comes out as a list of actions. Nothing here knows the DOM, signals or
//!   timers, so that `room/log/simulation` runs many tabs in one native test.
//! - Every tab receives every message of its room, whichever tab leads, freezes or dies.
//!
//! # Not here
//! Carrying the actions out: `tab_leader` and `tab_feed`.

pub mod actions;
pub mod leader;
pub mod stream_address;
pub mod stream_event;
pub mod subscriber;
pub mod subscriptions;
pub mod tab_message;
pub mod topic;
