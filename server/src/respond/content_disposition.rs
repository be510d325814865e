//! The name under which a browser saves an answer
//! ([RFC 6266](https://www.rfc-editor.org/rfc/rfc6266),
//! [RFC 8187](https://www.rfc-editor.org/rfc/rfc8187)).
//!
//! # Guarantees
//! - The header is one line, whatever the name is.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What is encoded in the extended name: all but `attr-char`, of which letters and digits suffice, and
/// a few that are common in names.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'.').remove(b'-').remove(b'_');

/// The value of the header.
pub(crate) fn content_disposition(is_inline: bool, name: &str) -> String {
    let kind = if is_inline { "inline" } else { "attachment" };
    let is_plain = |c: char| c.is_ascii_graphic() && !matches!(c, '"' | '\\' | '%') || c == ' ';
    let plain: String = name
        .chars()
        .map(|c| if is_plain(c) { c } else { '_' })
        .collect();
    let extended = utf8_percent_encode(name, ENCODED);
    format!("{kind}; filename=\"{plain}\"; filename*=UTF-8''{extended}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_of_any_characters_is_one_line_in_two_forms() {
        for (name, expected) in [
            (
                "a b.jpg",
                "filename=\"a b.jpg\"; filename*=UTF-8''a%20b.jpg",
            ),
            (
                "\u{20ac}\".txt",
                "filename=\"__.txt\"; filename*=UTF-8''%E2%82%AC%22.txt",
            ),
            (
                "a\r\nX: y",
                "filename=\"a__X: y\"; filename*=UTF-8''a%0D%0AX%3A%20y",
            ),
            ("100%\\", "filename=\"100__\"; filename*=UTF-8''100%25%5C"),
        ] {
            let value = content_disposition(false, name);
            assert_eq!(value, format!("attachment; {expected}"));
            assert!(value.parse::<axum::http::HeaderValue>().is_ok());
        }
        assert!(content_disposition(true, "a").starts_with("inline; "));
    }
}
