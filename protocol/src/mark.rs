//! Marks: what the markup in the text of a message means.
//!
//! The server reads the markup; the text itself stays as the author wrote it. A client that draws
//! `**now** or later` gets these marks, and leaves out the characters that are `syntax`:
//!
//! ```text
//! strong 0..7   syntax 0..2   syntax 5..7
//! ```
//!
//! # Guarantees
//! - Positions count Unicode scalar values of the body.
//! - The marks of a server are in order of their beginning, an outer mark before the marks inside
//!   it; two marks never overlap in part.
//!
//! # Not here
//! Reading the markup (crate `chat`) and drawing the text (crate `app`).

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What a part of a text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "schema", schema(rename_all = "snake_case"))]
pub enum MarkKind {
    /// Characters of the markup itself, which are not shown.
    Syntax,
    /// `**strong**`.
    Strong,
    /// `*emphasis*` or `_emphasis_`.
    Emphasis,
    /// `~~strike~~`.
    Strike,
    /// Code in a line of text.
    Code,
    /// A block of code.
    CodeBlock,
    /// Quoted lines.
    Quote,
    /// A list with bullets. It contains items.
    List,
    /// A list with numbers. It contains items.
    NumberedList,
    /// An item of a list. In a list with numbers, its syntax is the number.
    Item,
    /// A link.
    Link,
    /// The name of a person.
    Mention,
    /// A kind of a later server.
    Unknown,
}

impl MarkKind {
    /// All kinds and their names on the wire.
    const NAMES: [(Self, &'static str); 13] = [
        (Self::Syntax, "syntax"),
        (Self::Strong, "strong"),
        (Self::Emphasis, "emphasis"),
        (Self::Strike, "strike"),
        (Self::Code, "code"),
        (Self::CodeBlock, "code_block"),
        (Self::Quote, "quote"),
        (Self::List, "list"),
        (Self::NumberedList, "numbered_list"),
        (Self::Item, "item"),
        (Self::Link, "link"),
        (Self::Mention, "mention"),
        (Self::Unknown, "unknown"),
    ];
}

impl Serialize for MarkKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut names = Self::NAMES.into_iter();
        let name = names.find_map(|(kind, name)| (kind == *self).then_some(name));
        serializer.serialize_str(name.unwrap_or_default())
    }
}

impl<'de> Deserialize<'de> for MarkKind {
    /// Reads a text, which the page does anyway: reading an enum would make the first visit larger.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let read = String::deserialize(deserializer)?;
        let mut names = Self::NAMES.into_iter();
        let kind = names.find_map(|(kind, name)| (name == read).then_some(kind));
        Ok(kind.unwrap_or(Self::Unknown))
    }
}

/// A part of a text and what it is. Later servers may send further kinds: a client that does not
/// know a kind draws the text as if the mark were missing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Mark {
    /// What the part is.
    pub kind: MarkKind,
    /// Where the part begins: how many characters (Unicode scalar values) of the body precede it.
    pub from: usize,
    /// Where it ends: how many characters of the body precede its end.
    pub to: usize,
    /// The address of a link, if it is not the part itself: `http`, `https`, or `mailto` for an
    /// e-mail address, with the host in ASCII.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    pub href: Option<String>,
    /// The host to which a link really leads, if the part can be mistaken for another address. A
    /// client shows it beside the link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    pub host: Option<String>,
    /// The language of a block of code, if the author names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    pub language: Option<String>,
    /// The name in a mention: the username of an account, in upper or lower case, or the name of a
    /// guest. The server does not check that there is such a person; a client compares the name with
    /// the people in the room, and shows the display name that an account has now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    pub username: Option<String>,
}

impl Mark {
    /// A mark without further data.
    pub fn new(kind: MarkKind, from: usize, to: usize) -> Self {
        Self {
            kind,
            from,
            to,
            href: None,
            host: None,
            language: None,
            username: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mark_has_only_the_fields_that_it_needs_and_unknown_kinds_are_read() {
        let mark = Mark::new(MarkKind::CodeBlock, 1, 9);
        let json = r#"{"kind":"code_block","from":1,"to":9}"#;
        assert_eq!(serde_json::to_string(&mark).unwrap(), json);
        assert_eq!(serde_json::from_str::<Mark>(json).unwrap(), mark);
        let later = r#"{"kind":"formula","from":1,"to":9,"level":2}"#;
        let later: Mark = serde_json::from_str(later).unwrap();
        assert_eq!(later.kind, MarkKind::Unknown);
    }
}
