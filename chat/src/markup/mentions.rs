//! Mentions: `@ada`, and `@[Ada Lovelace]` for names with spaces and other signs.

use protocol::text::USERNAME_MAX;
use protocol::{Mark, MarkKind};
use unicode_normalization::char::is_combining_mark;

use super::boundaries::{may_precede, trim_name};
use super::count_work;

/// A mention, and how long it is in bytes.
pub(super) struct Mention {
    pub length: usize,
    pub mark: Mark,
    pub is_in_brackets: bool,
}

/// The mention at the beginning of a text, which begins with an at sign. In an emphasis that has
/// begun with an underscore, an underscore behind the name ends the emphasis.
pub(super) fn find(before: Option<char>, text: &str, ends_emphasis: bool) -> Option<Mention> {
    if !before.is_none_or(may_precede) {
        return None;
    }
    let rest = &text[1..];
    let bracketed = rest
        .strip_prefix('[')
        .and_then(|rest| name_in_brackets(rest));
    let name = bracketed.or_else(|| plain_name(rest, ends_emphasis))?;
    let is_in_brackets = bracketed.is_some();
    Some(Mention {
        length: 1 + name.len() + if is_in_brackets { 2 } else { 0 },
        mark: Mark {
            username: Some(name.to_owned()),
            ..Mark::new(MarkKind::Mention, 0, 0)
        },
        is_in_brackets,
    })
}

fn name_in_brackets(rest: &str) -> Option<&str> {
    let is_end = |(count, c): (usize, char)| count > USERNAME_MAX || "[]".contains(c);
    let (end, c) = rest
        .char_indices()
        .enumerate()
        .inspect(|_| count_work(1))
        .find_map(|(count, (at, c))| is_end((count, c)).then_some((at, c)))?;
    let name = &rest[..end];
    (c == ']' && !name.is_empty() && name.trim() == name).then_some(name)
}

fn plain_name(rest: &str, ends_emphasis: bool) -> Option<&str> {
    let is_end = |c: char| {
        let is_joiner = matches!(c, '\u{200c}' | '\u{200d}');
        !(c.is_alphanumeric() || "_-.".contains(c) || is_combining_mark(c) || is_joiner)
    };
    let end = rest
        .char_indices()
        .inspect(|_| count_work(1))
        .take(USERNAME_MAX + 1)
        .find_map(|(at, c)| is_end(c).then_some(at));
    let whole = &rest[..end.unwrap_or(rest.len())];
    // The scope of a package, and an address of another network.
    if rest[whole.len()..].starts_with(['/', '@']) {
        return None;
    }
    let name = trim_name(whole, ends_emphasis);
    let is_short = name.chars().take(USERNAME_MAX + 1).count() <= USERNAME_MAX;
    (name.starts_with(|c: char| c.is_alphanumeric() || c == '_') && is_short).then_some(name)
}
