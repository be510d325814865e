//! The parsers of what the server, other tabs and browsers send, for the fuzz targets in `fuzz/`.
//!
//! # Not here
//! The properties that the targets check.

pub use crate::browser::cookies::read_cookie;
pub use crate::connection::sharing::stream_event::{StreamEvent, read_frame};
