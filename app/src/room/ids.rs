//! Element IDs and selectors that several parts of a room's page look up.

/// The ID of the scrolling message log.
pub const LOG: &str = "log";
/// The selector of a message in the log.
pub const MESSAGE: &str = "article";
/// The ID of the field in which a message is written.
pub const FIELD: &str = "message";
/// The ID of the field for the display name.
pub const WRITING_AS: &str = "writing-as";
