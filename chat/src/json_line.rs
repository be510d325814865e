//! JSON as one line, for event streams and archives.
//!
//! # Guarantees
//! - The text has no character that ends a line, not even for programs that split texts at more
//!   characters than a newline: what a person writes cannot look like a line of its own.

use std::io::{self, Write};

use protocol::characters::is_line_break;
use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::Formatter;

/// Appends a value as JSON.
pub(crate) fn write(bytes: &mut Vec<u8>, value: &impl Serialize) -> serde_json::Result<()> {
    value.serialize(&mut Serializer::with_formatter(bytes, OneLine))
}

/// The length of a value as JSON, in bytes.
pub(crate) fn length(value: &impl Serialize) -> serde_json::Result<usize> {
    let mut counter = Counter(0);
    value.serialize(&mut Serializer::with_formatter(&mut counter, OneLine))?;
    Ok(counter.0)
}

/// Counts the bytes that are written to it.
struct Counter(usize);

impl Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The compact format, with escapes for all line breaks. `serde_json` itself escapes those of ASCII.
struct OneLine;

impl Formatter for OneLine {
    fn write_string_fragment<W: Write + ?Sized>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        if fragment.is_ascii() {
            return writer.write_all(fragment.as_bytes());
        }
        let mut rest = fragment;
        while let Some((before, after)) = rest.split_once(is_line_break) {
            writer.write_all(before.as_bytes())?;
            for c in rest[before.len()..rest.len() - after.len()].chars() {
                write!(writer, "\\u{:04x}", u32::from(c))?;
            }
            rest = after;
        }
        writer.write_all(rest.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn value_is_one_line_and_is_read_back() {
        for text in [
            "",
            "hello",
            "a\u{2028}\u{2028}data: {}\u{2029}b\u{85}",
            "\u{2028}",
            "\n\r\u{b}\u{c}\u{1e}",
            "é\"\u{2029}\\",
        ] {
            let mut bytes = Vec::new();
            write(&mut bytes, &text).unwrap();
            let json = String::from_utf8(bytes).unwrap();
            assert!(!json.contains(is_line_break), "{json:?}");
            assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
            assert_eq!(length(&text).unwrap(), json.len());
        }
    }
}
