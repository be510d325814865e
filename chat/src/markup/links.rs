//! Addresses in a text: where they begin, and where people mean them to end.
//!
//! # Guarantees
//! - Only `http` and `https` addresses, those that begin with `www.`, and e-mail addresses are links.
//! - An address has no direction controls and no invisible characters other than the joiners that
//!   scripts need.
//! - The punctuation of the sentence around an address is no part of it, in Chinese and Japanese
//!   texts too, which write no space after an address. Brackets that are opened in the address are.

use protocol::characters::is_blank;
use protocol::{Mark, MarkKind};

use super::boundaries::trim_name;
use super::{count_work, host};

/// The longest local part of an e-mail address ([RFC 5321](https://www.rfc-editor.org/rfc/rfc5321)).
const LOCAL_MAX: usize = 64;

/// The longest authority of an address.
const AUTHORITY_MAX: usize = 300;

/// An address at the beginning of a text.
pub(super) struct Link {
    /// Its length in bytes.
    pub length: usize,
    /// The address to open, if the text itself is not that.
    href: Option<String>,
    /// The host to show beside the link.
    host: Option<String>,
}

impl Link {
    pub fn into_mark(self) -> Mark {
        Mark {
            href: self.href,
            host: self.host,
            ..Mark::new(MarkKind::Link, 0, 0)
        }
    }
}

/// The web address at the beginning of a text. In an emphasis that has begun with an underscore, an
/// underscore at the end of the address ends the emphasis.
pub(super) fn find_address(text: &str, ends_emphasis: bool) -> Option<Link> {
    let scheme = ["https://", "http://"]
        .into_iter()
        .find(|scheme| starts_with_ignoring_case(text, scheme));
    let is_www = scheme.is_none() && starts_with_ignoring_case(text, "www.");
    if scheme.is_none() && !is_www {
        return None;
    }
    let start = scheme.map_or(0, str::len);
    let authority = find_authority(&text[start..])?;
    if is_www && !host::has_top_level_domain(trim_punctuation(authority, ends_emphasis)) {
        return None;
    }
    let rest = start + authority.len();
    let has_path = text[rest..].starts_with(['/', '?', '#']);
    // Before the rest of the address is read: what has no host costs no more than its authority.
    let target = match has_path {
        true => Some(host::resolve(authority)?),
        false => None,
    };
    let length = rest
        + if has_path {
            address_length(&text[rest..])
        } else {
            0
        };
    let address = trim_punctuation(&text[..length], ends_emphasis);
    let kept = address.get(start..rest).or_else(|| address.get(start..))?;
    let target = match target.filter(|_| kept.len() == authority.len()) {
        Some(target) => target,
        None => host::resolve(kept)?,
    };
    let scheme = scheme.unwrap_or("http://");
    let is_as_written = !is_www && target.is_as_written && address.starts_with(scheme);
    let path = &address[start + kept.len()..];
    let href = (!is_as_written).then(|| format!("{scheme}{}{path}", target.authority));
    Some(Link {
        length: address.len(),
        href,
        host: target.shown_host,
    })
}

fn starts_with_ignoring_case(text: &str, prefix: &str) -> bool {
    text.get(..prefix.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

/// The part of an address up to its path.
fn find_authority(text: &str) -> Option<&str> {
    let mut is_in_brackets = text.starts_with('[');
    let mut is_end = |c: char| {
        let is_part = is_in_brackets || is_authority_part(c);
        is_in_brackets &= c != ']';
        !is_part || is_end(c)
    };
    let end = text
        .char_indices()
        .inspect(|_| count_work(1))
        .take(AUTHORITY_MAX + 1)
        .find_map(|(at, c)| is_end(c).then_some(at));
    let authority = &text[..end.unwrap_or(text.len())];
    let is_start = |c: char| c.is_alphanumeric() || c == '[';
    (authority.len() <= AUTHORITY_MAX && authority.starts_with(is_start)).then_some(authority)
}

/// Whether a character can be in an authority. Those of a password that end a sentence are left out.
fn is_authority_part(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-._:@%+~".contains(c) || (!c.is_ascii() && !is_cjk_mark(c))
}

/// Whether an address ends before a character, wherever it is.
fn is_end(c: char) -> bool {
    let is_joiner = matches!(c, '\u{200c}' | '\u{200d}' | '\u{fe00}'..='\u{fe0f}'
        | '\u{e0020}'..='\u{e007f}' | '\u{e0100}'..='\u{e01ef}');
    "<>\"`\\“”„«»‹›‘’…".contains(c) || (is_blank(c) && !is_joiner)
}

/// Whether a character is punctuation of Chinese and Japanese, after which no space is written.
fn is_cjk_mark(c: char) -> bool {
    "，。！？；：、（）「」『』《》〈〉【】〔〕［］｛｝｢｣．".contains(c)
}

/// The bracket that closes this one, of those that titles in an address may have.
fn closing_cjk_bracket(c: char) -> Option<char> {
    match c {
        '（' => Some('）'),
        '「' => Some('」'),
        '『' => Some('』'),
        '《' => Some('》'),
        _ => None,
    }
}

/// The length of the path, query and fragment at the beginning of a text.
fn address_length(text: &str) -> usize {
    let mut open = Vec::new();
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        count_work(1);
        match c {
            '(' | '[' | '{' => open.push(c),
            ')' | ']' | '}' if open.pop() != opening_bracket(c) => break,
            _ if is_end(c) => break,
            _ if is_cjk_mark(c) => match title_in_brackets(&text[at..]) {
                Some(length) => {
                    at += length;
                    continue;
                }
                None => break,
            },
            _ => {}
        }
        at += c.len_utf8();
    }
    at
}

fn opening_bracket(close: char) -> Option<char> {
    match close {
        ')' => Some('('),
        ']' => Some('['),
        _ => Some('{'),
    }
}

/// The length of a part in brackets of Chinese or Japanese with which an address ends, as titles do:
/// `…/wiki/東京（曖昧さ回避）`. If the sentence goes on behind it, it belongs to the sentence.
fn title_in_brackets(text: &str) -> Option<usize> {
    let mut characters = text.char_indices();
    let close = closing_cjk_bracket(characters.next()?.1)?;
    let found = characters
        .inspect(|_| count_work(1))
        .find(|(_, c)| *c == close || is_end(*c) || is_cjk_mark(*c));
    let (end, _) = found.filter(|(_, c)| *c == close)?;
    let length = end + close.len_utf8();
    let after = text[length..].chars().next();
    let ends = after.is_none_or(|c| is_end(c) || is_cjk_mark(c) || ".,;:!?/)#".contains(c));
    ends.then_some(length)
}

/// The address without the punctuation of the sentence around it.
fn trim_punctuation(address: &str, ends_emphasis: bool) -> &str {
    address.trim_end_matches(|c: char| {
        count_work(1);
        let is_joiner = matches!(c, '\u{200c}' | '\u{200d}');
        let is_emphasis = c == '_' && ends_emphasis;
        is_emphasis || is_joiner || ".,:;!?'*~|([{–—".contains(c)
    })
}

/// The local part of an e-mail address at the end of a text; empty if there is none.
pub(super) fn email_local_part(text: &str) -> &str {
    let is_part = |b: &u8| b.is_ascii_alphanumeric() || b"._%+-".contains(b);
    let bytes = text.as_bytes();
    let candidates = bytes
        .iter()
        .rev()
        .take(LOCAL_MAX + 1)
        .take_while(|b| is_part(b));
    let length = candidates.inspect(|_| count_work(1)).count();
    let local = &bytes[bytes.len() - length..];
    let skipped = local
        .iter()
        .take_while(|b| !b.is_ascii_alphanumeric())
        .count();
    let start = bytes.len() - length + skipped;
    // "//ada@host", "@ada@host" and "zoë@host" would lead to another address.
    let before = text[..start].chars().next_back();
    let is_free = skipped > 0 || before.is_none_or(|c| !c.is_alphanumeric() && !"/@".contains(c));
    let ends_well = !local.ends_with(b".");
    if is_free && ends_well && length <= LOCAL_MAX {
        &text[start..]
    } else {
        ""
    }
}

/// The e-mail address with this local part before `text`, which begins with the at sign.
pub(super) fn find_email(local: &str, text: &str, ends_emphasis: bool) -> Option<Link> {
    if local.is_empty() {
        return None;
    }
    let is_part = |c: char| c.is_alphanumeric() || c == '.' || c == '-' || c == '_';
    let end = text[1..]
        .char_indices()
        .inspect(|_| count_work(1))
        .take(AUTHORITY_MAX)
        .find_map(|(at, c)| (!is_part(c)).then_some(1 + at));
    let end = end.unwrap_or(text.len());
    let domain = trim_name(&text[1..end], ends_emphasis);
    let rest = &text[1 + domain.len()..];
    // "git@host:path" is an address for programs, and "icon@2x.png" a file.
    let is_path =
        rest.starts_with(':') && !rest[1..].starts_with(char::is_whitespace) && rest.len() > 1;
    let is_file = domain.starts_with(|c: char| c.is_ascii_digit()) && domain[1..].starts_with("x.");
    if is_path || is_file || rest.starts_with('@') || !host::has_top_level_domain(domain) {
        return None;
    }
    let target = host::resolve(domain)?;
    // What follows a percent sign in an address is a character by its number.
    let mailbox = local.replace('%', "%25");
    Some(Link {
        length: local.len() + 1 + domain.len(),
        href: Some(format!("mailto:{mailbox}@{}", target.authority)),
        host: target.shown_host,
    })
}
