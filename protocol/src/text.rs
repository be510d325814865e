//! Limits and checks of the texts that people enter; server and browser use the same functions.
//!
//! # Guarantees
//! - Each function returns the text in the form in which the server stores it, or a
//!   [`Refusal::Invalid`] that names the field and the limit.
//! - Lengths count Unicode scalar values, after white space at both ends is removed.
//!
//! # Not here
//! Whether a name is free (crate `chat`).
//!
//! The limits are this API's own; no standard sets them.

use crate::Refusal;

/// The maximum length of a username, in characters.
pub const USERNAME_MAX: usize = 32;
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

/// Checks a username: 1 to [`USERNAME_MAX`] characters after trimming, no control characters.
///
/// # Errors
/// [`Refusal::Invalid`] that names the field and the limit.
pub fn parse_username(text: &str) -> Result<String, Refusal> {
    parse_line("username", text, USERNAME_MAX)
}

/// Checks a room's name: 1 to [`ROOM_NAME_MAX`] characters after trimming, no control characters.
///
/// # Errors
/// [`Refusal::Invalid`] that names the field and the limit.
pub fn parse_room_name(text: &str) -> Result<String, Refusal> {
    parse_line("name", text, ROOM_NAME_MAX)
}

/// Checks a room's description: 1 to [`DESCRIPTION_MAX`] characters after trimming, no control
/// characters.
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
        format!(
            "must have {ACCOUNT_NAME_MIN} to {ACCOUNT_NAME_MAX} of the letters a to z, digits, - and _"
        ),
    ))
}

/// Checks a person's name for display: 1 to [`PERSON_NAME_MAX`] characters after trimming, no
/// control characters.
///
/// # Errors
/// [`Refusal::Invalid`] that names the field and the limit.
pub fn parse_person_name(text: &str) -> Result<String, Refusal> {
    parse_line("name", text, PERSON_NAME_MAX)
}

/// Checks a new password: `min` to [`PASSWORD_MAX`] characters, not trimmed.
///
/// # Errors
/// [`Refusal::Invalid`] that names the field and the limit.
pub fn check_password(text: &str, min: usize) -> Result<&str, Refusal> {
    match text.chars().count() {
        n if (min..=PASSWORD_MAX).contains(&n) => Ok(text),
        _ => Err(Refusal::invalid(
            "password",
            format!("must have {min} to {PASSWORD_MAX} characters"),
        )),
    }
}

/// Checks a message's text: 1 to [`BODY_MAX`] characters after trimming; newline and tab are the
/// only control characters allowed.
///
/// Line ends become `\n`; HTML forms send `\r\n`.
///
/// # Errors
/// [`Refusal::Invalid`] that names the field and the limit.
pub fn parse_body(text: &str) -> Result<String, Refusal> {
    let with_newlines = text.replace("\r\n", "\n").replace('\r', "\n");
    let body = with_newlines.trim();
    check_length("body", body, BODY_MAX)?;
    if body.contains(|c: char| c.is_control() && c != '\n' && c != '\t') {
        return Err(Refusal::invalid(
            "body",
            "must not contain control characters other than newline and tab",
        ));
    }
    Ok(body.to_owned())
}

/// Checks an idempotency key: 1 to [`IDEMPOTENCY_KEY_MAX`] characters, not trimmed.
///
/// # Errors
/// [`Refusal::Invalid`] that names the field and the limit.
pub fn parse_idempotency_key(text: &str) -> Result<String, Refusal> {
    check_length("Idempotency-Key", text, IDEMPOTENCY_KEY_MAX)?;
    Ok(text.to_owned())
}

fn parse_line(field: &'static str, text: &str, max: usize) -> Result<String, Refusal> {
    let text = text.trim();
    check_length(field, text, max)?;
    if text.contains(char::is_control) {
        return Err(Refusal::invalid(
            field,
            "must not contain control characters",
        ));
    }
    Ok(text.to_owned())
}

fn check_length(field: &'static str, text: &str, max: usize) -> Result<(), Refusal> {
    match text.chars().count() {
        0 => Err(Refusal::invalid(
            field,
            format!("must have 1 to {max} characters, but is empty"),
        )),
        n if n > max => Err(Refusal::invalid(
            field,
            format!("must have 1 to {max} characters, but has {n}"),
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
        assert_eq!(check_password(" a b  ", 6), Ok(" a b  "));
        assert!(check_password("12345", 6).is_err());
        assert!(check_password(&"é".repeat(257), 6).is_err());
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
