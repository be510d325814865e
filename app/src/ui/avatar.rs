//! A person's avatar: a hue and initials, both from the name.
//!
//! # Guarantees
//! Outside of rooms, the same name has the same avatar everywhere.
//!
//! # Not here
//! - The hues of the people in a room, who should not have the same one (`room/hues`).
//! - The colours. They are styles, so that they keep their contrast in both themes.

/// The number of hues in the style sheet, as the classes `hue-0`, `hue-1`, ….
pub const HUES: u32 = 24;

/// The CSS class for the hue of a name.
pub fn hue_class(name: &str) -> String {
    class_of_hue(hue_of(name))
}

/// The CSS class for a hue.
pub fn class_of_hue(hue: u32) -> String {
    format!("hue-{hue}")
}

/// The hue of a name, from its letters.
pub fn hue_of(name: &str) -> u32 {
    let hash = name.bytes().fold(2_166_136_261_u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(16_777_619)
    });
    (hash ^ (hash >> 15)) % HUES
}

/// The first letters of the first and the last word of a name, or its first letter alone.
pub fn initials(name: &str) -> String {
    let mut words = name
        .split(|c: char| c.is_whitespace() || c.is_ascii_punctuation() || is_invisible(c))
        .filter_map(|word| word.chars().next());
    let first = words.next().or_else(|| {
        name.chars()
            .find(|c| !c.is_whitespace() && !is_invisible(*c))
    });
    first
        .into_iter()
        .chain(words.next_back())
        .map(|c| c.to_ascii_uppercase())
        .collect()
}

/// Whether a character has no glyph of its own, but may change how the text after it is displayed.
pub fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn initials_are_from_the_first_and_the_last_word() {
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
    fn hues_are_spread_and_stable() {
        let hues: std::collections::HashSet<_> =
            (0..200).map(|i| hue_class(&format!("guest{i}"))).collect();
        assert!(hues.len() > 20);
        assert_eq!(hue_class("ada"), hue_class("ada"));
    }
}
