//! What may stand beside the characters of the markup.
//!
//! Markup stands between words. `snake_case`, `2*3*4`, `/*comment*/`, `*.rs` and `(*^_^*)` have the
//! characters of markup where no author means it.

use unicode_normalization::char::is_combining_mark;

/// The characters that can be markup after a backslash, which keeps them as they are.
pub(super) const ESCAPABLE: &str = "`*_~@\\";

/// Whether a character belongs to a word, in a script that writes spaces between words.
pub(super) fn is_word(c: char) -> bool {
    (c.is_alphanumeric() || is_combining_mark(c)) && !is_unspaced(c)
}

/// Whether a character belongs to the blocks of scripts that write no spaces between words: Thai to
/// Tibetan, Myanmar, Khmer, and those of East Asia.
fn is_unspaced(c: char) -> bool {
    matches!(c, '\u{e00}'..='\u{109f}' | '\u{1780}'..='\u{17ff}' | '\u{2e80}'..='\u{a4cf}'
        | '\u{ac00}'..='\u{d7ff}' | '\u{f900}'..='\u{faff}' | '\u{ff00}'..='\u{ffef}'
        | '\u{20000}'..='\u{3ffff}')
}

/// Whether markup can begin after a character and before a text. A bracket begins a text only if a
/// word follows it: `_(:3」∠)_` is a face.
pub(super) fn can_open(before: Option<char>, after: &str) -> bool {
    let mut after = after.chars();
    let Some(first) = after.next() else {
        return false;
    };
    let is_text = !"([{".contains(first) || after.next().is_some_and(char::is_alphanumeric);
    before.is_none_or(may_precede) && may_begin(first) && is_text
}

/// Whether markup can end between these characters.
pub(super) fn can_close(before: Option<char>, after: Option<char>) -> bool {
    before.is_some_and(may_end) && after.is_none_or(may_follow)
}

/// Whether markup may begin after a character.
pub(super) fn may_precede(c: char) -> bool {
    match c {
        _ if c.is_ascii() => c.is_ascii_whitespace() || "([{\"'-:;,!?|*_~".contains(c),
        _ => !is_word(c),
    }
}

/// Whether what is marked may begin with a character.
fn may_begin(c: char) -> bool {
    match c {
        _ if c.is_ascii() => c.is_ascii_alphanumeric() || "([{\"'*_~`@#$".contains(c),
        '“' | '‘' | '„' | '«' | '‹' | '¡' | '¿' | '「' | '『' | '（' | '《' | '【' => {
            true
        }
        '€' | '£' | '—' | '…' => true,
        '\u{2600}'..='\u{27bf}' | '\u{1f000}'..='\u{1faff}' => true,
        _ => c.is_alphanumeric(),
    }
}

/// Whether what is marked may end with a character.
fn may_end(c: char) -> bool {
    !c.is_whitespace() && !"([{/\\<".contains(c) && !"“‘„«‹「『（《【".contains(c)
}

/// Whether markup may end before a character.
fn may_follow(c: char) -> bool {
    match c {
        _ if c.is_ascii() => c.is_ascii_whitespace() || ".,;:!?)]}\"'-|*_~".contains(c),
        _ => !is_word(c),
    }
}

/// A name without the punctuation behind it. In an emphasis that has begun with an underscore, an
/// underscore behind the name ends the emphasis.
pub(super) fn trim_name(name: &str, ends_emphasis: bool) -> &str {
    name.trim_end_matches(|c| c == '.' || c == '-' || (c == '_' && ends_emphasis))
}
