//! The page's clock, and times and durations as text.
//!
//! # Guarantees
//! The first rendering shows the same text on the server and in the browser.

pub mod clock;
pub mod duration_text;
pub mod local_time;
mod server_clock;
