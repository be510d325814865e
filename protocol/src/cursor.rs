//! Cursors: how a client names its position in a room's log.
//!
//! # Guarantees
//! Parsing never fails for a client: text that is not a position becomes [`Start::Unknown`].

use std::fmt;
use std::str::FromStr;

/// The number of one continuous history of a database.
///
/// Restoring a backup starts a new epoch. Example: a client has read up to message 9, the operator
/// restores a backup that ends with message 5, and the next four messages get the sequences 6 to 9
/// again. By the epoch the server notices that the client's cursor names the old message 9, and
/// sends the room again instead of skipping the new messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Epoch(u32);

impl Epoch {
    /// Returns the epoch with this number.
    pub fn new(number: u32) -> Self {
        Self(number)
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0)
    }
}

/// A position in a room's log: the client has read everything up to and including `seq`.
///
/// The text form is `EPOCH.SEQ`, for example `000000ab.7`. Event streams send it as `id:`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The epoch in which `seq` counts.
    pub epoch: Epoch,
    /// The last sequence that the client has read; 0 if it has read none.
    pub seq: u64,
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.epoch, self.seq)
    }
}

/// The error for text that is not `EPOCH.SEQ`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseCursorError;

impl FromStr for Cursor {
    type Err = ParseCursorError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (epoch, seq) = text.split_once('.').ok_or(ParseCursorError)?;
        if epoch.len() != 8 || !epoch.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(ParseCursorError);
        }
        let epoch = u32::from_str_radix(epoch, 16).map_err(|_| ParseCursorError)?;
        Ok(Self {
            epoch: Epoch(epoch),
            seq: parse_seq(seq)?,
        })
    }
}

/// The position from which a client wants to read a room's log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// Right after this sequence, in any epoch; 0 reads the whole log.
    Seq(u64),
    /// Right after this cursor, if its epoch is the current one.
    Cursor(Cursor),
    /// At the end of the log: only later events.
    Latest,
    /// Text that the server never sent as a position. The client gets a reset and the whole log.
    Unknown,
}

impl Start {
    /// Parses the query parameter `after`: a sequence, a cursor, or `latest`.
    ///
    /// Other text gives [`Start::Unknown`].
    pub fn parse_after(text: &str) -> Self {
        match text {
            "latest" => Self::Latest,
            _ => parse_seq(text).map_or_else(|_| Self::parse_event_id(text), Self::Seq),
        }
    }

    /// Parses the header `Last-Event-ID`, which must be a cursor.
    ///
    /// Other text gives [`Start::Unknown`].
    pub fn parse_event_id(text: &str) -> Self {
        text.parse().map_or(Self::Unknown, Self::Cursor)
    }
}

fn parse_seq(text: &str) -> Result<u64, ParseCursorError> {
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(ParseCursorError);
    }
    text.parse().map_err(|_| ParseCursorError)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parsing_a_displayed_cursor_gives_the_same_cursor() {
        let cursor = Cursor {
            epoch: Epoch(0xab),
            seq: 7,
        };
        assert_eq!(cursor.to_string(), "000000ab.7");
        assert_eq!("000000ab.7".parse(), Ok(cursor));
    }

    #[test]
    fn text_that_is_no_position_parses_as_unknown() {
        for text in [
            "",
            ".",
            "ab.7",
            "000000ab.",
            "000000ab.-1",
            "000000ab.+1",
            "+00000ab.1",
            "-1",
            "1.5",
            "9999999999999999999999",
        ] {
            assert_eq!(Start::parse_after(text), Start::Unknown, "{text}");
        }
        assert_eq!(Start::parse_after("5"), Start::Seq(5));
        assert_eq!(Start::parse_after("latest"), Start::Latest);
        assert_eq!(Start::parse_event_id("5"), Start::Unknown);
    }
}
