//! A client's place in a room's log.

use std::fmt;
use std::str::FromStr;

/// Names one continuous history of a database. It changes when a database is restored from a copy, so that a cursor
/// into a future that no longer exists is noticed instead of silently skipping messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Epoch(u32);

impl Epoch {
    /// The epoch with this number.
    pub fn new(number: u32) -> Self {
        Self(number)
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0)
    }
}

/// Everything up to and including `seq` in `epoch` has been seen. Written `EPOCH.SEQ`, the `id:` of a stream event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The history that `seq` counts in.
    pub epoch: Epoch,
    /// The last sequence seen; 0 before the first.
    pub seq: u64,
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.epoch, self.seq)
    }
}

/// Text that is not `EPOCH.SEQ`.
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

/// Where a reader wants to begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// Right after this sequence, whatever the epoch; 0 is everything.
    Seq(u64),
    /// Right after this cursor, if its epoch is the database's.
    Cursor(Cursor),
    /// With the next message that is sent.
    Latest,
    /// Somewhere that no client was ever told: it gets a reset and everything.
    Unknown,
}

impl Start {
    /// Reads `?after=`: a sequence, a cursor, or `latest`. Anything else is [`Start::Unknown`], never an error.
    pub fn after(text: &str) -> Self {
        match text {
            "latest" => Self::Latest,
            _ => parse_seq(text).map_or_else(|_| Self::event_id(text), Self::Seq),
        }
    }

    /// Reads a `Last-Event-ID`, which must be a cursor. Anything else is [`Start::Unknown`], never an error.
    pub fn event_id(text: &str) -> Self {
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
    fn cursors_are_read_as_they_are_written() {
        let cursor = Cursor {
            epoch: Epoch(0xab),
            seq: 7,
        };
        assert_eq!(cursor.to_string(), "000000ab.7");
        assert_eq!("000000ab.7".parse(), Ok(cursor));
    }

    #[test]
    fn what_no_client_was_told_is_unknown() {
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
            assert_eq!(Start::after(text), Start::Unknown, "{text}");
        }
        assert_eq!(Start::after("5"), Start::Seq(5));
        assert_eq!(Start::after("latest"), Start::Latest);
        assert_eq!(Start::event_id("5"), Start::Unknown);
    }
}
