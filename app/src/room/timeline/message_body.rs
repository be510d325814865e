//! What somebody wrote, as it is shown: text with its links.
//!
//! Promises: text stays text, whatever it contains; only `http` and `https` addresses become links, and those neither
//! vouch for where they lead nor hand this page over. Leaves to others: line breaks and wrapping, which are styles.

use leptos::either::Either;
use leptos::prelude::*;

use crate::ui::avatar::is_invisible;

/// A stretch of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextPart<'a> {
    /// Plain text.
    Text(&'a str),
    /// An address that can be followed.
    Link(&'a str),
}

/// The text of one message.
#[component]
pub fn MessageBody(#[prop(into)] text: String) -> impl IntoView {
    let large = is_only_emoji(&text);
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
        <div class="body" class:emoji-only=large dir="auto">
            {parts}
        </div>
    }
}

/// The text cut into plain stretches and links, in order; joined again it is the text.
pub fn split_links(text: &str) -> Vec<TextPart<'_>> {
    let mut parts = Vec::new();
    let (mut plain, mut at) = (0, 0);
    while let Some(found) = text.get(at..).and_then(|rest| rest.find("http")) {
        let start = at + found;
        let end = start + link_length(&text[start..]);
        if end > start && begins_a_word(&text[..start]) {
            if plain < start {
                parts.push(TextPart::Text(&text[plain..start]));
            }
            parts.push(TextPart::Link(&text[start..end]));
            plain = end;
        }
        at = end.max(start + 4);
    }
    if plain < text.len() {
        parts.push(TextPart::Text(&text[plain..]));
    }
    parts
}

/// Only letters of ASCII go on in front of an address: where words have no spaces between them, one begins after any letter.
/// (To know every letter there is takes tables, which would be loaded with each first visit.)
fn begins_a_word(before: &str) -> bool {
    !before.ends_with(|c: char| c.is_ascii_alphanumeric())
}

/// How many bytes at the start of `text` are an address; 0 if none.
fn link_length(text: &str) -> usize {
    // Invisible marks have no place in an address.
    let stop =
        |c: char| c.is_whitespace() || c.is_control() || "<>\"`".contains(c) || is_invisible(c);
    let Some(rest) = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"))
    else {
        return 0;
    };
    if !rest
        .starts_with(|c: char| c.is_ascii_alphanumeric() || c == '[' || (!c.is_ascii() && !stop(c)))
    {
        return 0;
    }
    let candidate = text.split(stop).next().unwrap_or_default();
    without_trail(candidate).len()
}

/// The address without the punctuation of the sentence around it. A closing bracket stays if it was opened inside.
fn without_trail(mut address: &str) -> &str {
    while let Some(last) = address.chars().next_back() {
        let opened = |open: char, close: char| {
            address.matches(open).count() >= address.matches(close).count()
        };
        let belongs = match last {
            '.' | ',' | ';' | ':' | '!' | '?' | '\'' | '*' | '…' | '。' | '、' => false,
            ')' => opened('(', ')'),
            ']' => opened('[', ']'),
            '}' => opened('{', '}'),
            _ => true,
        };
        if belongs {
            break;
        }
        address = &address[..address.len() - last.len_utf8()];
    }
    address
}

/// Whether the text is nothing but a few emoji, which are shown larger.
pub fn is_only_emoji(text: &str) -> bool {
    let mut pictures = 0;
    for c in text.chars() {
        match c {
            '\u{1f3fb}'..='\u{1f3ff}' | '\u{200d}' | '\u{fe0f}' | '\u{e0020}'..='\u{e007f}' => {}
            _ if c.is_whitespace() => {}
            '\u{1f000}'..='\u{1faff}' | '\u{2600}'..='\u{27bf}' | '\u{2b50}' | '\u{2b55}' => {
                pictures += 1
            }
            _ => return false,
        }
    }
    (1..=12).contains(&pictures)
}

#[cfg(test)]
mod tests {
    use super::TextPart::{Link, Text};
    use super::*;

    #[test]
    fn addresses_become_links_without_the_sentence_around_them() {
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
    fn nothing_else_becomes_a_link() {
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
    fn a_link_ends_before_marks_that_turn_the_line_around() {
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
    fn joined_again_it_is_the_text() {
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
    fn only_a_few_emoji_are_shown_larger() {
        for text in ["👍", "👩‍🚀 🚀", "❤️", "👍🏽", "🏴󠁧󠁢󠁳󠁣󠁴󠁿"]
        {
            assert!(is_only_emoji(text), "{text}");
        }
        for text in ["", " ", "1", "👍 ok", "a", &"👍".repeat(13)] {
            assert!(!is_only_emoji(text), "{text}");
        }
    }
}
