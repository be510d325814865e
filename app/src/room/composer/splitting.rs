//! Splits a text that is too long for one message.
//!
//! # Guarantees
//! - Each part is a valid message. Together they have all words of the text, in order.
//! - A part ends at a blank line if there is one in its last two thirds, or else at a line, and only
//!   in a line that is too long itself at a space.
//! - A block of code that is longer than a part ends in one part and begins again in the next.

use protocol::text::{BODY_MAX, trim_body};

/// The most parts that are offered.
const PARTS_MAX: usize = 20;

/// Splits a text into messages; no parts if one message is enough, or if there are too many.
pub fn split_text(text: &str) -> Vec<String> {
    let text = trim_body(text);
    let mut parts = Vec::new();
    let mut rest = text.to_owned();
    while count(&rest) > BODY_MAX {
        let (part, next) = split_once(&rest);
        parts.push(trim_body(&part).to_owned());
        rest = trim_body(&next).to_owned();
        if parts.len() == PARTS_MAX {
            return Vec::new();
        }
    }
    if !parts.is_empty() {
        parts.push(rest);
    }
    parts.retain(|part| !part.is_empty());
    parts
}

fn count(text: &str) -> usize {
    text.chars().count()
}

/// A place between two lines at which a text can end.
struct Place<'a> {
    at: usize,
    /// The number of characters before it.
    length: usize,
    is_blank_line: bool,
    /// The line with which the block of code around it begins.
    code: Option<&'a str>,
}

/// The first part of a text, and the rest of it.
fn split_once(text: &str) -> (String, String) {
    let places = find_places(text);
    let late = |place: &&Place<'_>| place.length * 3 >= BODY_MAX;
    let outside = || places.iter().rev().filter(|place| place.code.is_none());
    let place = outside()
        .filter(late)
        .find(|place| place.is_blank_line)
        .or_else(|| outside().find(late))
        .or_else(|| places.last());
    let Some(Place { at, code, .. }) = place else {
        let at = end_of_words(text);
        return (text[..at].to_owned(), text[at..].to_owned());
    };
    let (part, rest) = text.split_at(*at);
    match code {
        Some(code) => {
            let fence: String = code.chars().take_while(|c| *c == '`').collect();
            (format!("{part}{fence}"), format!("{code}\n{rest}"))
        }
        None => (part.to_owned(), rest.to_owned()),
    }
}

/// The places at which the text up to there is one message.
fn find_places(text: &str) -> Vec<Place<'_>> {
    let mut places = Vec::new();
    let mut code: Option<&str> = None;
    let (mut at, mut length) = (0, 0);
    for line in text.split_inclusive('\n') {
        let is_blank_line = line.trim().is_empty();
        let begins_code = code.is_none() && line.starts_with("```");
        let fence = code.map_or(0, |code| count(code) + 1);
        // Before a block of code, and after each line but the first of one.
        if at > 0 && length + fence <= BODY_MAX {
            let is_blank_line = is_blank_line || begins_code;
            places.push(Place {
                at,
                length,
                is_blank_line,
                code,
            });
        }
        code = match code {
            None if begins_code => Some(line.trim_end()),
            Some(open) if ends_code(line, open) => None,
            open => open,
        };
        at += line.len();
        length += count(line);
        if length > BODY_MAX {
            break;
        }
    }
    // After the first line of a block there is nothing to end.
    places.retain(|place| {
        place
            .code
            .is_none_or(|code| !text[..place.at].trim_end().ends_with(code))
    });
    places
}

fn ends_code(line: &str, open: &str) -> bool {
    let ticks = open.len() - open.trim_start_matches('`').len();
    let line = line.trim_end();
    line.len() - line.trim_end_matches('`').len() >= ticks
}

/// Where the last word ends that is in a message together with all before it.
fn end_of_words(text: &str) -> usize {
    let end = text
        .char_indices()
        .nth(BODY_MAX)
        .map_or(text.len(), |(at, _)| at);
    match text[..end].rfind(char::is_whitespace) {
        Some(space) if space * 3 >= end => space,
        _ => end,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> String {
        text.split_whitespace()
            .filter(|word| !word.starts_with("```"))
            .collect()
    }

    /// The parts of a text, which have all of it and are valid messages.
    fn split(text: &str) -> Vec<String> {
        let parts = split_text(text);
        for part in &parts {
            assert_eq!(protocol::text::parse_body(part).as_deref(), Ok(&**part));
            assert_eq!(part.matches("```").count() % 2, 0, "{part}");
        }
        assert_eq!(words(&parts.join("\n")), words(text));
        parts
    }

    #[test]
    fn text_that_fits_is_not_split() {
        assert!(split_text("").is_empty());
        assert!(split_text(&"x".repeat(BODY_MAX)).is_empty());
        assert!(split_text(&format!("\n{}\n", "x".repeat(BODY_MAX))).is_empty());
    }

    #[test]
    fn parts_end_at_blank_lines_then_at_lines_then_at_words() {
        let paragraph = format!("{}\n{}", "a".repeat(1_000), "b".repeat(1_000));
        let parts = split(&[&*paragraph; 3].join("\n\n"));
        assert_eq!(parts, [&*paragraph; 3]);
        let lines = vec!["c".repeat(999); 6].join("\n");
        assert_eq!(split(&lines).len(), 2);
        assert!(split(&lines)[0].ends_with('c'));
        let words = "word ".repeat(1_500);
        assert!(split(&words).iter().all(|part| part.ends_with("word")));
        assert_eq!(split_text(&"x".repeat(9_000)).len(), 3);
        assert_eq!(split_text(&"é".repeat(4_001))[0].chars().count(), BODY_MAX);
    }

    #[test]
    fn block_of_code_is_kept_whole_or_ends_and_begins_again() {
        let code = format!("```rust\n{}```", "let a = 1;\n".repeat(200));
        let parts = split(&format!("{}\n{code}\nend", "text\n".repeat(500)));
        assert!(parts[1].starts_with("```rust\nlet"), "{}", parts[1]);
        assert!(parts[1].ends_with("```\nend"));
        let long = format!("```rust\n{}```", "let a = 1;\n".repeat(600));
        let parts = split(&long);
        assert_eq!(parts.len(), 2);
        assert!(parts.iter().all(|part| part.starts_with("```rust\nlet")));
        assert!(parts.iter().all(|part| part.ends_with(";\n```")));
    }

    #[test]
    fn very_long_text_is_not_split() {
        assert!(split_text(&"word ".repeat(20_000)).is_empty());
    }

    #[test]
    fn lines_that_look_like_fences_end_the_splitting() {
        for text in [
            "```\n".repeat(2_000),
            format!("```{}\n{}", "x".repeat(3_990), "y\n".repeat(100)),
            format!("```{}\n{}", "`".repeat(3_990), "y\n".repeat(100)),
            format!("```\n{}", "x".repeat(9_000)),
            " \n".repeat(5_000) + "x",
        ] {
            for part in split_text(&text) {
                assert!((1..=BODY_MAX).contains(&count(&part)));
            }
        }
    }
}
