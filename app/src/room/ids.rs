//! Element IDs and selectors that several parts of a room's page look up.

/// The ID of the scrolling message log.
pub const LOG: &str = "log";
/// The selector of a message in the log.
pub const MESSAGE: &str = "article";
/// The selector of the line above the first unread message.
pub const UNREAD_LINE: &str = ".unread-line";
/// The ID of the part of the page with the composer.
pub const COMPOSER: &str = "write";
/// A link to it.
pub const COMPOSER_LINK: &str = "#write";
/// The ID of the field in which a message is written.
pub const FIELD: &str = "message";
/// The ID of the element above the composer with what a moderator has just done.
pub const NOTICE: &str = "notice";
/// The ID of the field for the display name.
pub const WRITING_AS: &str = "writing-as";

/// The ID of a delivered message, which is also its address in the room's page.
pub fn message_id(seq: u64) -> String {
    format!("m{seq}")
}

/// The sequence number in the ID of a message.
pub fn message_seq(id: &str) -> Option<u64> {
    id.strip_prefix('m')?.parse().ok()
}
