//! The content of a message: what an edit replaces and a deletion removes.

#[cfg(not(target_arch = "wasm32"))]
use crate::File;
use crate::Mark;

/// The content of a message. On the wire its fields stand directly in the message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageContent {
    /// The text, as the author wrote it. In the browser, NUL and the files as a JSON text may follow:
    /// the app passes them on to the script that shows files, and its code is small without their type.
    pub body: String,
    /// What the markup in the text means. It follows from the text and is not stored: only messages
    /// on their way to a client have it.
    pub marks: Vec<Mark>,
    /// The files, in the order in which the author gave them. A message with files may have an empty
    /// text.
    #[cfg(not(target_arch = "wasm32"))]
    pub files: Vec<File>,
}

impl MessageContent {
    /// Returns a content that is this text.
    pub fn text(body: impl Into<String>) -> Self {
        Self {
            body: body.into(),
            marks: Vec::new(),
            #[cfg(not(target_arch = "wasm32"))]
            files: Vec::new(),
        }
    }
}
