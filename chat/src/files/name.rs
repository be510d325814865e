//! The names of files, which clients choose and other clients save files under.
//!
//! # Guarantees
//! - A name is one part of a path on every system, is not hidden, and reads in one direction.

use protocol::characters::{is_line_break, shows_nothing};
use protocol::nfc;

/// The greatest length of a name, in bytes.
const MAX_BYTES: usize = 255;

/// The greatest length of the end of a name that is kept when the name is cut, in bytes.
const EXTENSION_MAX: usize = 16;

/// The name of a file that has none.
const UNNAMED: &str = "file";

/// Names that mean devices on Windows, with any extension.
const DEVICES: [&str; 4] = ["con", "prn", "aux", "nul"];

/// The name that a client gives, as others may save it.
pub(super) fn clean(name: &str) -> String {
    let name = nfc(name);
    // Some clients send the whole path.
    let name = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let name: String = name.chars().filter(|c| !is_removed(*c)).collect();
    let name = name.trim().trim_start_matches('.').trim_start();
    let name = trim_end(name);
    if shows_nothing(name) {
        return UNNAMED.to_owned();
    }
    let name = match is_device(name) {
        true => format!("_{name}"),
        false => name.to_owned(),
    };
    cut(&name)
}

/// Whether a character is removed: control characters, line breaks, the controls of writing
/// directions, and what separates the parts of a path.
fn is_removed(c: char) -> bool {
    let is_direction = matches!(
        c,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    );
    c.is_control() || is_line_break(c) || is_direction || c == ':'
}

fn trim_end(name: &str) -> &str {
    name.trim_end_matches(|c: char| c == '.' || c.is_whitespace())
}

fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default();
    let stem = stem.trim_end().to_ascii_lowercase();
    let is_port = |prefix: &str| {
        let number = stem.strip_prefix(prefix);
        number.is_some_and(|number| number.len() == 1 && number.as_bytes()[0].is_ascii_digit())
    };
    DEVICES.contains(&stem.as_str()) || is_port("com") || is_port("lpt")
}

/// The name, shortened before its extension if it is too long.
fn cut(name: &str) -> String {
    if name.len() <= MAX_BYTES {
        return name.to_owned();
    }
    let extension = name.rfind('.').map_or("", |dot| &name[dot..]);
    let extension = match extension.len() <= EXTENSION_MAX {
        true => extension,
        false => "",
    };
    let mut end = MAX_BYTES - extension.len();
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{extension}", trim_end(&name[..end]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_name_becomes_one_visible_part_of_a_path() {
        for (name, expected) in [
            ("photo.jpg", "photo.jpg"),
            ("\"\r\nX: y", "\"X y"),
            ("invoice\u{202e}fdp.exe", "invoicefdp.exe"),
            ("CON", "_CON"),
            ("com1.txt", "_com1.txt"),
            ("console.txt", "console.txt"),
            ("../../x", "x"),
            ("C:\\dir\\a.txt", "a.txt"),
            ("a/", "file"),
            ("...", "file"),
            (" . ", "file"),
            ("", "file"),
            ("\u{200b}\u{2800}", "file"),
            (".htaccess", "htaccess"),
            ("a.txt. .", "a.txt"),
            ("e\u{301}.png", "\u{e9}.png"),
            ("a\u{2028}b", "ab"),
        ] {
            assert_eq!(clean(name), expected, "{name:?}");
        }
    }

    #[test]
    fn long_name_is_cut_at_a_character_and_keeps_its_extension() {
        let name = clean(&format!("{}.jpeg", "\u{e9}".repeat(4_000)));
        assert!(
            name.len() <= MAX_BYTES && name.ends_with("\u{e9}.jpeg"),
            "{name}"
        );
        let name = clean(&"x.".repeat(4_000));
        assert!(name.len() <= MAX_BYTES && !name.ends_with('.'), "{name}");
    }
}
