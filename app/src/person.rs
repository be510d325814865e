//! How a person is told apart: a hue and initials, both from the name.
//!
//! Promises: the same name looks the same everywhere. Leaves to others: the colours themselves, which are styles, so
//! that they keep their contrast in both themes.

use crate::body::invisible;

/// How many hues the style sheet has, as the classes `hue-0` and up.
pub const HUES: u32 = 24;

/// The class that gives a name its hue.
pub fn hue_class(name: &str) -> String {
    let hash = name.bytes().fold(2_166_136_261_u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(16_777_619)
    });
    format!("hue-{}", (hash ^ (hash >> 15)) % HUES)
}

/// One or two letters for a name: of its first and its last word, or its first letter.
pub fn initials(name: &str) -> String {
    let mut words = name
        .split(|c: char| c.is_whitespace() || c.is_ascii_punctuation() || invisible(c))
        .filter_map(|word| word.chars().next());
    let first = words
        .next()
        .or_else(|| name.chars().find(|c| !c.is_whitespace() && !invisible(*c)));
    first
        .into_iter()
        .chain(words.next_back())
        .map(|c| c.to_ascii_uppercase())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn initials_are_of_the_first_and_the_last_word() {
        for (name, letters) in [
            ("ada", "A"),
            ("Ada Lovelace", "AL"),
            ("quiet-otter", "QO"),
            ("a b c", "AC"),
            ("李小龙", "李"),
            ("👍", "👍"),
            ("ß", "ß"),
            ("<script>", "S"),
            ("\u{202e}eve", "E"),
            ("--", "-"),
        ] {
            assert_eq!(initials(name), letters);
        }
    }

    #[test]
    fn hues_are_spread_and_steady() {
        let hues: std::collections::HashSet<_> =
            (0..200).map(|i| hue_class(&format!("guest{i}"))).collect();
        assert!(hues.len() > 20);
        assert_eq!(hue_class("ada"), hue_class("ada"));
    }
}
