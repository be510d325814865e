//! The text of a message, with its links.
//!
//! # Guarantees
//! - Text is never interpreted as markup.
//! - Only `http` and `https` addresses become links. A linked page gets no access to this page
//!   (`noopener`), and search engines learn that webchat does not endorse it (`nofollow ugc`).
//!
//! # Not here
//! Line breaks and wrapping, which are styles.

use leptos::either::Either;
use leptos::prelude::*;

use crate::ui::avatar::is_invisible;

/// A part of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextPart<'a> {
    /// Plain text.
    Text(&'a str),
    /// The address of a link.
    Link(&'a str),
}

/// The text of one message.
#[component]
pub fn MessageBody(#[prop(into)] text: String) -> impl IntoView {
    let only_emoji = is_only_emoji(&text);
    let parts = split_links(&text)
        .into_iter()
        .map(|part| match part {
            TextPart::Text(text) => Either::Left(text.to_owned()),
            TextPart::Link(address) => Either::Right(view! {
                <a href=address.to_owned() target="_blank" rel="noopener nofollow ugc">
                    {address.to_owned()}
                </a>
            }),
        })
        .collect_view();
    view! {
        <div class="body" class:emoji-only=only_emoji dir="auto">
            {parts}
        </div>
    }
}

/// Splits a text into plain parts and links, in order; concatenated, they are the text.
pub fn split_links(text: &str) -> Vec<TextPart<'_>> {
    let mut parts = Vec::new();
    let mut plain_from = 0;
    let mut search_from = 0;
    while let Some(found) = text.get(search_from..).and_then(|rest| rest.find("http")) {
        let start = search_from + found;
        let end = start + link_length(&text[start..]);
        if end > start && can_precede_link(&text[..start]) {
            if plain_from < start {
                parts.push(TextPart::Text(&text[plain_from..start]));
            }
            parts.push(TextPart::Link(&text[start..end]));
            plain_from = end;
        }
        search_from = end.max(start + 4);
    }
    if plain_from < text.len() {
        parts.push(TextPart::Text(&text[plain_from..]));
    }
    parts
}

/// Whether a link can follow this text. It cannot follow an ASCII letter or digit: `xhttp://` is no
/// link. It can follow other letters, because some scripts write no spaces between words, and a
/// check for all letters would add Unicode tables to the first visit.
fn can_precede_link(before: &str) -> bool {
    !before.ends_with(|c: char| c.is_ascii_alphanumeric())
}

/// The length in bytes of the address at the start of a text; 0 if there is none.
fn link_length(text: &str) -> usize {
    // Invisible characters do not belong to an address.
    let is_end =
        |c: char| c.is_whitespace() || c.is_control() || "<>\"`".contains(c) || is_invisible(c);
    let Some(rest) = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"))
    else {
        return 0;
    };
    if !rest.starts_with(|c: char| {
        c.is_ascii_alphanumeric() || c == '[' || (!c.is_ascii() && !is_end(c))
    }) {
        return 0;
    }
    let candidate = text.split(is_end).next().unwrap_or_default();
    trim_punctuation(candidate).len()
}

/// The address without the punctuation of the sentence around it. A closing bracket stays if the
/// address contains its opening bracket.
fn trim_punctuation(mut address: &str) -> &str {
    while let Some(last) = address.chars().next_back() {
        let is_opened = |open: char, close: char| {
            address.matches(open).count() >= address.matches(close).count()
        };
        let is_part = match last {
            '.' | ',' | ';' | ':' | '!' | '?' | '\'' | '*' | '…' | '。' | '、' => false,
            ')' => is_opened('(', ')'),
            ']' => is_opened('[', ']'),
            '}' => is_opened('{', '}'),
            _ => true,
        };
        if is_part {
            break;
        }
        address = &address[..address.len() - last.len_utf8()];
    }
    address
}

/// Whether a text consists of up to 12 emoji and white space; such a text is shown larger.
pub fn is_only_emoji(text: &str) -> bool {
    let mut emoji = 0;
    for c in text.chars() {
        match c {
            '\u{1f3fb}'..='\u{1f3ff}' | '\u{200d}' | '\u{fe0f}' | '\u{e0020}'..='\u{e007f}' => {}
            _ if c.is_whitespace() => {}
            '\u{1f000}'..='\u{1faff}' | '\u{2600}'..='\u{27bf}' | '\u{2b50}' | '\u{2b55}' => {
                emoji += 1
            }
            _ => return false,
        }
    }
    (1..=12).contains(&emoji)
}

#[cfg(test)]
mod tests {
    use super::TextPart::{Link, Text};
    use super::*;

    #[test]
    fn address_becomes_a_link_without_the_punctuation_after_it() {
        assert_eq!(
            split_links("See https://a.example/x?y=1#z, please."),
            [
                Text("See "),
                Link("https://a.example/x?y=1#z"),
                Text(", please.")
            ]
        );
        assert_eq!(
            split_links("(http://a.example/b_(c))"),
            [Text("("), Link("http://a.example/b_(c)"), Text(")")]
        );
        assert_eq!(split_links("https://a.example\nhttps://b.example").len(), 3);
        assert_eq!(
            split_links("https://例え.jp/パス。"),
            [Link("https://例え.jp/パス"), Text("。")]
        );
        assert_eq!(
            split_links("请看https://a.example/"),
            [Text("请看"), Link("https://a.example/")]
        );
    }

    #[test]
    fn text_without_an_http_address_has_no_link() {
        for text in [
            "javascript:alert(1)",
            "data:text/html,x",
            "xhttp://a.example",
            "http://",
            "https:// a",
            "http",
            "httphttp://",
            "ftp://a.example",
            "//a.example",
        ] {
            assert_eq!(split_links(text), [Text(text)], "{text}");
        }
        assert_eq!(split_links(""), []);
    }

    #[test]
    fn link_ends_before_a_direction_mark_and_before_a_quote() {
        let text = "https://a.example/\u{202e}moc";
        assert_eq!(
            split_links(text),
            [Link("https://a.example/"), Text("\u{202e}moc")]
        );
        assert_eq!(
            split_links("<a href=\"https://a.example/\">x</a>")[1],
            Link("https://a.example/")
        );
    }

    #[test]
    fn concatenated_parts_are_the_text() {
        for text in [
            "a http https://b c é https://d.",
            "ℌttp http://é http://",
            "httphttps://x.example y",
        ] {
            let joined: String = split_links(text)
                .into_iter()
                .map(|part| match part {
                    Text(t) | Link(t) => t,
                })
                .collect();
            assert_eq!(joined, text);
        }
    }

    #[test]
    fn only_texts_of_one_to_twelve_emoji_are_shown_larger() {
        for text in ["👍", "👩‍🚀 🚀", "❤️", "👍🏽", "🏴󠁧󠁢󠁳󠁣󠁴󠁿"]
        {
            assert!(is_only_emoji(text), "{text}");
        }
        for text in ["", " ", "1", "👍 ok", "a", &"👍".repeat(13)] {
            assert!(!is_only_emoji(text), "{text}");
        }
    }
}
