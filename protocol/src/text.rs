//! Limits and checks of the texts that people enter; server and browser use the same functions.
//!
//! # Guarantees
//! - Each function returns the text in the form in which the server stores it, or a
//!   [`Refusal::Invalid`] that names the field and the limit.
//! - Lengths count Unicode scalar values, after trimming.
//! - A text of which nothing is drawn is refused as empty.
//! - A name is one line in Normalization Form C. It has no invisible characters that no script
//!   needs, and no blanks other than single spaces.
//! - Of a message, only blank lines at the beginning and white space at the end are removed.
//!
//! # Not here
//! Whether a name is free (crate `chat`), and which characters are invisible (`characters`).
//!
//! The limits are this API's own; no standard sets them.

use texts::{app as t, refusal};

use crate::characters::{are_allowed_in_name, shows_nothing};
use crate::{Refusal, nfc};

/// The maximum length of a username, in characters.
pub const USERNAME_MAX: usize = 32;
/// The maximum length of the description of a file, in characters.
pub const ALT_MAX: usize = 500;
/// The maximum length of a message, in characters.
pub const BODY_MAX: usize = 4_000;
/// The maximum length of a room's name, in characters.
pub const ROOM_NAME_MAX: usize = 80;
/// The maximum length of a room's description, in characters.
pub const DESCRIPTION_MAX: usize = 500;
/// The minimum length of an account's username, in characters.
pub const ACCOUNT_NAME_MIN: usize = 3;
/// The maximum length of an account's username, in characters.
pub const ACCOUNT_NAME_MAX: usize = 32;
/// The maximum length of a person's name for display, in characters.
pub const PERSON_NAME_MAX: usize = 64;
/// The maximum length of a password, in characters. Longer passwords would only make hashing
/// slower.
pub const PASSWORD_MAX: usize = 256;
/// The maximum length of an idempotency key, in characters.
pub const IDEMPOTENCY_KEY_MAX: usize = 64;

/// Checks a username: 1 to [`USERNAME_MAX`] characters after trimming, with the rules
/// of names.
///
/// # Errors
/// [`Refusal::Invalid`] that names the field and the limit.
pub fn parse_username(text: &str) -> Result<String, Refusal> {
    parse_line("username", text, USERNAME_MAX)
}

/// Checks a room's name: 1 to [`ROOM_NAME_MAX`] characters after trimming, with the
/// rules of names.
///
/// # Errors
/// [`Refusal::Invalid`] that names the field and the limit.
pub fn parse_room_name(text: &str) -> Result<String, Refusal> {
    parse_line("name", text, ROOM_NAME_MAX)
}

/// Checks a room's description: 1 to [`DESCRIPTION_MAX`] characters after trimming, with the
/// rules of names.
///
/// # Errors
/// [`Refusal::Invalid`] that names the field and the limit.
pub fn parse_description(text: &str) -> Result<String, Refusal> {
    parse_line("description", text, DESCRIPTION_MAX)
}

/// Checks the name in the query parameter `room`, with the rules of [`parse_room_name`].
///
/// # Errors
/// [`Refusal::Invalid`] that names the field and the limit.
pub fn parse_room_alias(text: &str) -> Result<String, Refusal> {
    parse_line("room", text, ROOM_NAME_MAX)
}

/// Checks an account's username and returns it in lower case: [`ACCOUNT_NAME_MIN`] to
/// [`ACCOUNT_NAME_MAX`] of the characters `a-z`, `0-9`, `-` and `_` after trimming.
///
/// # Errors
/// [`Refusal::Invalid`] that names the field and the limit.
pub fn parse_account_name(text: &str) -> Result<String, Refusal> {
    let name = text.trim().to_ascii_lowercase();
    let is_allowed = |b: u8| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_');
    let has_valid_length = (ACCOUNT_NAME_MIN..=ACCOUNT_NAME_MAX).contains(&name.len());
    if has_valid_length && name.bytes().all(is_allowed) {
        return Ok(name);
    }
    Err(Refusal::invalid(
        "username",
        refusal::RULE_USERNAME.fill([&ACCOUNT_NAME_MIN.to_string(), &ACCOUNT_NAME_MAX.to_string()]),
    ))
}

/// Checks a person's name for display: 1 to [`PERSON_NAME_MAX`] characters after trimming, with
/// the rules of names.
///
/// # Errors
/// [`Refusal::Invalid`] that names the field and the limit.
pub fn parse_person_name(text: &str) -> Result<String, Refusal> {
    parse_line("name", text, PERSON_NAME_MAX)
}

/// Checks a new password and returns it as [`normalize_password`] does: `min` to [`PASSWORD_MAX`]
/// characters, not trimmed, no control characters, at least one that is drawn.
///
/// # Errors
/// [`Refusal::Invalid`] that names the field and the limit.
pub fn parse_password(text: &str, min: usize) -> Result<String, Refusal> {
    let password = normalize_password(text);
    if !(min..=PASSWORD_MAX).contains(&password.chars().count()) {
        return Err(Refusal::invalid(
            "password",
            refusal::RULE_PASSWORD_LENGTH.fill([&min.to_string(), &PASSWORD_MAX.to_string()]),
        ));
    }
    if password.contains(char::is_control) {
        return Err(Refusal::invalid("password", t::RULE_NO_CONTROL.text()));
    }
    if shows_nothing(&password) {
        return Err(Refusal::invalid(
            "password",
            refusal::RULE_PASSWORD_VISIBLE.text(),
        ));
    }
    Ok(password)
}

/// The form in which passwords are compared, as the profile `OpaqueString` of
/// [RFC 8265](https://www.rfc-editor.org/rfc/rfc8265#section-4.2) says: every space is the ASCII
/// space, and the text is in Normalization Form C.
pub fn normalize_password(text: &str) -> String {
    let is_space = |c: char| c.is_whitespace() && !c.is_control() && !is_line_separator(c);
    nfc(&text.replace(is_space, " "))
}

/// Whether a character is a line or paragraph separator, which is white space but no space.
fn is_line_separator(c: char) -> bool {
    matches!(c, '\u{2028}' | '\u{2029}')
}

/// Checks a message's text: 1 to [`BODY_MAX`] characters after trimming; newline and tab are the
/// only control characters allowed.
///
/// Line ends become `\n`; HTML forms send `\r\n`. [`trim_body`] says what is trimmed.
///
/// # Errors
/// [`Refusal::Invalid`] that names the field and the limit.
pub fn parse_body(text: &str) -> Result<String, Refusal> {
    let with_newlines = text.replace("\r\n", "\n").replace('\r', "\n");
    let body = trim_body(&with_newlines);
    check_visible("body", body, BODY_MAX)?;
    if body.contains(|c: char| c.is_control() && c != '\n' && c != '\t') {
        return Err(Refusal::invalid("body", t::RULE_BODY_CONTROL.text()));
    }
    Ok(body.to_owned())
}

/// Parses the description of a file: a text on one line, of at most [`ALT_MAX`] characters; empty without
/// one.
///
/// # Errors
/// [`Refusal::Invalid`] that names the limit.
pub fn parse_alt(text: &str) -> Result<String, Refusal> {
    let words = text.split(|c: char| c.is_whitespace() || c.is_control());
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    let alt = words.join(" ");
    if alt.chars().count() > ALT_MAX {
        let rule = refusal::RULE_ALT.fill([&ALT_MAX.to_string()]);
        return Err(Refusal::invalid("files", rule));
    }
    Ok(alt)
}

/// A message's text without blank lines at the beginning and without white space at the end. The
/// first line keeps its indentation.
pub fn trim_body(text: &str) -> &str {
    let text = text.trim_end();
    let indentation_end = text.len() - text.trim_start().len();
    let line_start = text[..indentation_end]
        .rfind('\n')
        .map_or(0, |line_end| line_end + 1);
    &text[line_start..]
}

/// Checks an idempotency key: 1 to [`IDEMPOTENCY_KEY_MAX`] characters, not trimmed.
///
/// # Errors
/// [`Refusal::Invalid`] that names the field and the limit.
pub fn check_idempotency_key(text: &str) -> Result<(), Refusal> {
    check_length("Idempotency-Key", text, IDEMPOTENCY_KEY_MAX)
}

/// Checks a name. Runs of spaces become one space, as browsers draw them, and so does the
/// ideographic space, which input methods for Chinese and Japanese enter.
fn parse_line(field: &'static str, text: &str, max: usize) -> Result<String, Refusal> {
    let text = join_spaces(nfc(text).trim());
    check_visible(field, &text, max)?;
    if text.contains(char::is_control) {
        return Err(Refusal::invalid(field, t::RULE_NO_CONTROL.text()));
    }
    if !are_allowed_in_name(&text) {
        return Err(Refusal::invalid(field, t::RULE_NO_INVISIBLE.text()));
    }
    Ok(text)
}

fn join_spaces(text: &str) -> String {
    let words = text
        .split([' ', '\u{3000}'])
        .filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(" ")
}

/// Checks the length of a text, and that something is drawn for it.
fn check_visible(field: &'static str, text: &str, max: usize) -> Result<(), Refusal> {
    let visible = if shows_nothing(text) { "" } else { text };
    check_length(field, visible, max)
}

fn check_length(field: &'static str, text: &str, max: usize) -> Result<(), Refusal> {
    match text.chars().count() {
        0 => Err(Refusal::invalid(
            field,
            t::RULE_EMPTY.fill([&max.to_string()]),
        )),
        n if n > max => Err(Refusal::invalid(
            field,
            t::RULE_LENGTH.fill([&max.to_string(), &n.to_string()]),
        )),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_trimmed_and_its_length_counts_scalar_values() {
        assert_eq!(parse_username("  ada "), Ok("ada".to_owned()));
        assert!(parse_username(&"é".repeat(32)).is_ok());
        assert!(parse_username(&"é".repeat(33)).is_err());
        assert!(parse_body(&"👍".repeat(4_000)).is_ok());
        assert!(parse_body(&"👍".repeat(4_001)).is_err());
        assert!(parse_username(" \t ").is_err());
    }

    #[test]
    fn account_name_with_other_characters_or_length_is_refused() {
        assert_eq!(parse_account_name(" Ada_L-1 "), Ok("ada_l-1".to_owned()));
        for wrong in [
            "",
            "ab",
            "ada lovelace",
            "аda",
            "ada!",
            "ada.l",
            &"a".repeat(33),
        ] {
            assert!(parse_account_name(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn password_is_not_trimmed() {
        assert_eq!(parse_password(" a b  ", 6), Ok(" a b  ".to_owned()));
        assert!(parse_password("12345", 6).is_err());
        assert!(parse_password(&"é".repeat(257), 6).is_err());
        assert!(parse_password("secret\u{7f}", 6).is_err());
        for blank in [
            " ", "\u{a0}", "\u{3000}", "\u{200b}", "\u{2800}", "\u{3164}",
        ] {
            assert!(parse_password(&blank.repeat(6), 6).is_err(), "{blank:?}");
            let visible = format!("{}x", blank.repeat(6));
            assert!(parse_password(&visible, 6).is_ok(), "{blank:?}");
        }
    }

    #[test]
    fn password_is_the_same_in_composed_and_decomposed_letters_and_with_any_space() {
        let composed = parse_password("pässwörté x", 6);
        assert_eq!(composed, Ok("pässwörté x".to_owned()));
        assert_eq!(
            parse_password("pa\u{308}sswo\u{308}rte\u{301}\u{a0}x", 6),
            composed
        );
        // The length counts after normalization.
        assert!(parse_password(&"e\u{301}".repeat(256), 6).is_ok());
        assert!(parse_password(&"e\u{301}".repeat(5), 6).is_err());
    }

    #[test]
    fn name_is_one_line_in_normal_form_c_with_single_spaces() {
        for (entered, name) in [
            ("cafe\u{301}", "café"),
            (" Ada  Lovelace ", "Ada Lovelace"),
            ("山田\u{3000}太郎", "山田 太郎"),
            ("👩\u{200d}🚀", "👩\u{200d}🚀"),
        ] {
            assert_eq!(parse_username(entered), Ok(name.to_owned()));
            assert_eq!(parse_room_alias(entered), Ok(name.to_owned()));
        }
        assert!(parse_username(&"e\u{301}".repeat(32)).is_ok());
    }

    #[test]
    fn name_with_direction_controls_or_invisible_characters_is_refused() {
        for name in [
            "\u{202e}aron",
            "n\u{202e}aro",
            "\u{2066}\u{202e}aron\u{2069}",
            "nora\u{2800}",
            "no\u{200a}ra",
            "no\u{a0}ra",
            "no\u{200d}ra",
            "no\u{ad}ra",
            "nora\u{feff}",
            "\u{301}nora",
        ] {
            for parse in [
                parse_username,
                parse_room_name,
                parse_room_alias,
                parse_description,
                parse_person_name,
            ] {
                assert!(parse(name).is_err(), "{name:?}");
            }
        }
    }

    #[test]
    fn text_of_which_nothing_is_drawn_is_refused_as_empty() {
        for text in [
            "\u{200b}",
            "\u{2800}",
            "\u{3164}",
            "\u{ad}",
            " \u{3000}\n\u{feff}",
        ] {
            for parse in [
                parse_username,
                parse_room_name,
                parse_room_alias,
                parse_description,
                parse_person_name,
                parse_body,
            ] {
                let refusal = parse(text).unwrap_err().to_string();
                assert!(refusal.contains("is empty"), "{text:?}: {refusal}");
            }
        }
    }

    #[test]
    fn body_loses_blank_lines_before_it_and_white_space_after_it_only() {
        for (entered, body) in [
            ("  indented\n    more", "  indented\n    more"),
            ("\n \t\n\n\tcode\n\n", "\tcode"),
            ("\r\n  a\r\n \u{2003}", "  a"),
            ("a\n\n  b  ", "a\n\n  b"),
        ] {
            assert_eq!(parse_body(entered), Ok(body.to_owned()));
        }
        // Lengths count after trimming.
        assert!(parse_body(&format!("\n\n{}\n", "x".repeat(4_000))).is_ok());
        assert!(parse_body(&format!(" {}", "x".repeat(4_000))).is_err());
    }

    #[test]
    fn control_characters_are_refused_except_newline_and_tab_in_a_body() {
        assert!(parse_username("a\nb").is_err());
        assert!(parse_username("a\u{85}b").is_err());
        assert_eq!(parse_body("a\r\n\tb\rc"), Ok("a\n\tb\nc".to_owned()));
        assert!(parse_body("a\0b").is_err());
        assert!(parse_body("a\u{1b}[31m").is_err());
    }

    #[test]
    fn body_with_markup_or_unusual_unicode_is_unchanged() {
        for text in [
            "\u{202e}abc",
            "a\u{200b}b",
            "<script>alert(1)</script>",
            "Ω≈ç√∫",
            "﷽",
        ] {
            assert_eq!(parse_body(text), Ok(text.to_owned()));
        }
    }
}
