//! Characters that show nothing, and those that a name may contain.
//!
//! # Guarantees
//! - A text of which nothing is drawn is recognised, whatever characters it consists of.
//! - A name has no character that is invisible, changes the direction of a text or is a blank other
//!   than the space, except where a script or an emoji needs it. It begins with no combining mark.
//!
//! # Not here
//! Whether two names look alike (crate `chat`), which needs tables that the browser does not load.

use std::borrow::Cow;

/// Whether a character has the property `Default_Ignorable_Code_Point`, which means that nothing is
/// drawn for it. The ranges are those of
/// [Unicode 18](https://www.unicode.org/Public/18.0.0/ucd/DerivedCoreProperties.txt).
pub fn is_default_ignorable(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
        | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// Whether nothing is drawn for a character: white space, control characters, those that are
/// ignorable by default, and letters and signs whose glyph is blank (Braille, interlinear
/// annotations, the Khitan filler, the musical null note, Egyptian blanks and joiners).
pub fn is_blank(c: char) -> bool {
    let has_blank_glyph = matches!(c,
        '\u{2800}' | '\u{fff9}'..='\u{fffb}' | '\u{16fe4}' | '\u{1d159}'
        | '\u{13430}'..='\u{13442}');
    has_blank_glyph || c.is_whitespace() || c.is_control() || is_default_ignorable(c)
}

/// Whether nothing is drawn for a text.
pub fn shows_nothing(text: &str) -> bool {
    text.chars().all(is_blank)
}

/// Whether a name may consist of these characters.
pub(crate) fn are_allowed_in_name(text: &str) -> bool {
    remove_disallowed(text) == text
}

/// A name without the characters that a name may not have. Names that were stored before this rule
/// are drawn in this form.
pub fn clean_name(name: &str) -> Cow<'_, str> {
    if are_allowed_in_name(name) {
        return Cow::Borrowed(name);
    }
    let spaced = name.replace(char::is_whitespace, " ");
    Cow::Owned(remove_disallowed(&spaced).trim().to_owned())
}

/// A name for the middle of a plain text: without the characters that a name may not have, and
/// isolated if it is written from right to left, so that it cannot reorder the text around it.
pub fn isolate_name(name: &str) -> String {
    const FIRST_STRONG_ISOLATE: char = '\u{2068}';
    const POP_ISOLATE: char = '\u{2069}';
    let name = clean_name(name);
    if name.contains(is_right_to_left) {
        format!("{FIRST_STRONG_ISOLATE}{name}{POP_ISOLATE}")
    } else {
        name.into_owned()
    }
}

/// What stands before the first character and after the last one; no name has it.
const BOUNDARY: char = '\n';

fn remove_disallowed(text: &str) -> String {
    let mut kept = String::new();
    let mut before = BOUNDARY;
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        let after = rest.peek().copied().unwrap_or(BOUNDARY);
        if is_allowed_in_name(before, c, after) {
            kept.push(c);
            before = c;
        }
    }
    kept
}

/// Whether a name may have a character between these two, which may be [`BOUNDARY`].
fn is_allowed_in_name(before: char, c: char, after: char) -> bool {
    match c {
        // A space before the name would carry a mark that may not begin it.
        ' ' => before != BOUNDARY,
        '\u{200c}' => joins_letters(before) && joins_letters(after),
        '\u{200d}' => {
            let is_emoji_sequence = is_emoji(after) && (is_emoji(before) || before == '\u{fe0f}');
            is_emoji_sequence || (joins_letters(before) && joins_letters(after))
        }
        // Variants of emoji and of Chinese characters, which Japanese names have.
        '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}' => {
            !is_blank(before) && !before.is_ascii_alphabetic()
        }
        '\u{180b}'..='\u{180d}' | '\u{180f}' => matches!(before, '\u{1820}'..='\u{18aa}'),
        // Flags of regions: a black flag, then the letters of the region as tags.
        '\u{e0020}'..='\u{e007f}' => matches!(before, '\u{1f3f4}' | '\u{e0020}'..='\u{e007e}'),
        c if is_combining_mark(c) => before != BOUNDARY,
        c => !is_blank(c),
    }
}

/// Whether a character belongs to the blocks of marks that are drawn over the character before
/// them, which may be a character before the name.
pub(crate) fn is_combining_mark(c: char) -> bool {
    matches!(c,
        '\u{300}'..='\u{36f}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}'
        | '\u{20d0}'..='\u{20ff}' | '\u{fe20}'..='\u{fe2f}')
}

/// Whether a character belongs to the blocks of scripts whose spelling needs joiners: those from
/// Arabic to Myanmar, Khmer, Mongolian, and their supplements.
fn joins_letters(c: char) -> bool {
    matches!(c,
        '\u{620}'..='\u{109f}' | '\u{1780}'..='\u{17b3}' | '\u{17b6}'..='\u{180a}'
        | '\u{1810}'..='\u{18af}' | '\u{1a20}'..='\u{1c4f}' | '\u{a800}'..='\u{abff}'
        | '\u{fb50}'..='\u{fdff}' | '\u{fe70}'..='\u{fefc}' | '\u{10a00}'..='\u{11fff}')
}

/// Whether a character belongs to the blocks of scripts that are written from right to left.
fn is_right_to_left(c: char) -> bool {
    matches!(c,
        '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{fefc}'
        | '\u{10800}'..='\u{10fff}' | '\u{1e800}'..='\u{1efff}')
}

/// Whether a character ends a line, for Unicode or for programs that split texts into lines, like
/// Python's `splitlines`.
pub fn is_line_break(c: char) -> bool {
    matches!(c, '\n'..='\r' | '\u{1c}'..='\u{1e}' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// Whether a character is a colon or drawn like one.
pub fn is_colon(c: char) -> bool {
    matches!(
        c,
        ':' | '\u{2d0}'
            | '\u{2f8}'
            | '\u{2236}'
            | '\u{a789}'
            | '\u{fe13}'
            | '\u{fe30}'
            | '\u{fe55}'
            | '\u{ff1a}'
    )
}

/// Whether a character can be a part of an emoji that joins several.
fn is_emoji(c: char) -> bool {
    matches!(c, '\u{2190}'..='\u{21ff}' | '\u{2600}'..='\u{27bf}' | '\u{2b00}'..='\u{2bff}'
        | '\u{1f000}'..='\u{1faff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invisible_and_blank_characters_show_nothing() {
        for text in [
            "",
            " \n\t",
            "\u{200b}",
            "\u{2800}",
            "\u{3164}",
            "\u{ad}",
            "\u{115f}\u{1160}",
            "\u{ffa0}",
            "\u{feff}",
            "\u{202e}\u{202c}",
            "\u{2066}\u{2069}",
            "\u{3000}\u{a0}",
            "\u{fe0f}",
            "\u{e0041}",
            "\u{180e}",
            "\u{fffa}",
            "\u{1d159}",
            "\u{2028}",
        ] {
            assert!(shows_nothing(text), "{text:?}");
        }
        for text in ["a", ".", "\u{200b}a", "愛", "👍", "ᄀ", "\u{301}"] {
            assert!(!shows_nothing(text), "{text:?}");
        }
    }

    #[test]
    fn names_that_need_joiners_and_variants_are_allowed() {
        for name in [
            "نام\u{200c}ها",
            "ශ\u{dca}\u{200d}රී",
            "क्\u{200d}ष",
            "ক\u{9cd}\u{200d}ষ",
            "👩\u{200d}🚀",
            "❤\u{fe0f}\u{200d}🔥",
            "👩🏽\u{200d}❤\u{fe0f}\u{200d}👨🏽",
            "1\u{fe0f}\u{20e3}",
            "辻\u{e0100}",
            "🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}",
            "ᠨᠢ\u{180b}",
            "नोरा",
            "Ada Lovelace",
        ] {
            assert!(are_allowed_in_name(name), "{name:?}");
            assert_eq!(clean_name(name), name);
        }
    }

    #[test]
    fn invisible_characters_that_no_name_needs_are_not_allowed_and_not_drawn() {
        for (name, drawn) in [
            ("\u{202e}aron", "aron"),
            ("n\u{202e}aro", "naro"),
            ("\u{2066}\u{202e}aron\u{2069}", "aron"),
            ("nora\u{2800}", "nora"),
            ("no\u{200a}ra", "no ra"),
            ("no\u{200d}ra", "nora"),
            ("no\u{200c}ra", "nora"),
            ("nora\u{fe0f}", "nora"),
            ("\u{200d}नोरा", "नोरा"),
            ("nora\u{e0041}", "nora"),
            ("no\u{ad}ra", "nora"),
            ("nora\u{a0}", "nora"),
            ("nora\u{3164}", "nora"),
            ("nora\u{200e}", "nora"),
            ("\u{338}nora", "nora"),
        ] {
            assert!(!are_allowed_in_name(name), "{name:?}");
            assert_eq!(clean_name(name), drawn);
        }
        for name in ["\u{200b}", "\u{3164}\u{2800}", "\u{202e}\u{202c}"] {
            assert_eq!(clean_name(name), "");
        }
    }

    #[test]
    fn cleaned_name_begins_with_no_combining_mark_and_needs_no_further_cleaning() {
        for (name, drawn) in [
            (" \u{301}ada\u{200b}", "ada"),
            ("\u{200b} \u{301}ada", "ada"),
            ("\u{301} \u{302}ada", "ada"),
            (" \u{301}ada", "ada"),
            ("ada \u{200b}", "ada"),
        ] {
            assert_eq!(clean_name(name), drawn, "{name:?}");
            assert_eq!(clean_name(drawn), drawn);
        }
    }

    #[test]
    fn name_from_right_to_left_is_isolated_in_plain_text() {
        assert_eq!(isolate_name("ada"), "ada");
        assert_eq!(isolate_name("愛"), "愛");
        assert_eq!(isolate_name("נורה"), "\u{2068}נורה\u{2069}");
        assert_eq!(isolate_name("\u{202e}aron"), "aron");
    }
}
