//! The content of a message: what an edit replaces and a deletion removes.

/// The content of a message. On the wire its fields stand directly in the message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageContent {
    /// The text.
    pub body: String,
}

impl MessageContent {
    /// Returns a content that is this text.
    pub fn text(body: impl Into<String>) -> Self {
        Self { body: body.into() }
    }
}
