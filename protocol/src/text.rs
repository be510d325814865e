//! What people may write where: the limits, and the one check for both sides.
//!
//! Lengths are counted in Unicode scalar values, after trimming white space.

use crate::Refusal;

/// The longest username, in characters.
pub const USERNAME_MAX: usize = 32;
/// The longest message, in characters.
pub const BODY_MAX: usize = 4_000;
/// The longest room name, in characters.
pub const ROOM_NAME_MAX: usize = 80;
/// The longest description of a room, in characters.
pub const DESCRIPTION_MAX: usize = 500;
/// The shortest and the longest username of an account, in characters.
pub const ACCOUNT_NAME: (usize, usize) = (3, 32);
/// The longest name that a person is called by, in characters.
pub const PERSON_NAME_MAX: usize = 64;
/// The longest password, in characters: more adds nothing but work.
pub const PASSWORD_MAX: usize = 256;
/// The longest idempotency key, in characters.
pub const KEY_MAX: usize = 64;

/// A username as it is kept: trimmed, 1 to [`USERNAME_MAX`] characters, none of them a control character.
///
/// # Errors
/// [`Refusal::Invalid`] that names the field and the limit.
pub fn username(text: &str) -> Result<String, Refusal> {
    line("username", text, USERNAME_MAX)
}

/// A room's name as it is kept: trimmed, 1 to [`ROOM_NAME_MAX`] characters, none of them a control character.
///
/// # Errors
/// [`Refusal::Invalid`] that names the field and the limit.
pub fn room_name(text: &str) -> Result<String, Refusal> {
    line("name", text, ROOM_NAME_MAX)
}

/// What a room is about, as it is kept: like a room's name, but longer.
///
/// # Errors
/// [`Refusal::Invalid`] that names the field and the limit.
pub fn description(text: &str) -> Result<String, Refusal> {
    line("description", text, DESCRIPTION_MAX)
}

/// The name that a room is found by: like [`room_name`], as the parameter `room`.
///
/// # Errors
/// [`Refusal::Invalid`] that names the field and the limit.
pub fn name_of_room(text: &str) -> Result<String, Refusal> {
    line("room", text, ROOM_NAME_MAX)
}

/// The username of an account as it is kept: trimmed, in lower case, within [`ACCOUNT_NAME`], of `a-z`, `0-9`, `-` and `_`.
///
/// # Errors
/// [`Refusal::Invalid`] that names the field and the limit.
pub fn account_name(text: &str) -> Result<String, Refusal> {
    let (name, (min, max)) = (text.trim().to_ascii_lowercase(), ACCOUNT_NAME);
    let known = |b: u8| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_');
    if (min..=max).contains(&name.len()) && name.bytes().all(known) {
        return Ok(name);
    }
    Err(Refusal::invalid(
        "username",
        format!("must have {min} to {max} of the letters a to z, digits, - and _"),
    ))
}

/// What a person is called, as it is kept: trimmed, 1 to [`PERSON_NAME_MAX`] characters, none of them a control character.
///
/// # Errors
/// [`Refusal::Invalid`] that names the field and the limit.
pub fn person_name(text: &str) -> Result<String, Refusal> {
    line("name", text, PERSON_NAME_MAX)
}

/// A new password: `min` to [`PASSWORD_MAX`] characters, taken as it is.
///
/// # Errors
/// [`Refusal::Invalid`] that names the field and the limit.
pub fn password(text: &str, min: usize) -> Result<&str, Refusal> {
    match text.chars().count() {
        n if (min..=PASSWORD_MAX).contains(&n) => Ok(text),
        _ => Err(Refusal::invalid(
            "password",
            format!("must have {min} to {PASSWORD_MAX} characters"),
        )),
    }
}

/// A message's text as it is kept: line ends as `\n` (forms send `\r\n`), trimmed, 1 to [`BODY_MAX`] characters, no
/// control characters but newline and tab.
///
/// # Errors
/// [`Refusal::Invalid`] that names the field and the limit.
pub fn body(text: &str) -> Result<String, Refusal> {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    bounded("body", text.trim(), BODY_MAX)?;
    if text
        .trim()
        .contains(|c: char| c.is_control() && c != '\n' && c != '\t')
    {
        return Err(Refusal::invalid(
            "body",
            "may not contain control characters other than newline and tab",
        ));
    }
    Ok(text.trim().to_owned())
}

/// An idempotency key: 1 to [`KEY_MAX`] characters, taken as it is.
///
/// # Errors
/// [`Refusal::Invalid`] that names the field and the limit.
pub fn key(text: &str) -> Result<String, Refusal> {
    bounded("Idempotency-Key", text, KEY_MAX)?;
    Ok(text.to_owned())
}

fn line(field: &'static str, text: &str, max: usize) -> Result<String, Refusal> {
    let text = text.trim();
    bounded(field, text, max)?;
    if text.contains(char::is_control) {
        return Err(Refusal::invalid(
            field,
            "may not contain control characters",
        ));
    }
    Ok(text.to_owned())
}

fn bounded(field: &'static str, text: &str, max: usize) -> Result<(), Refusal> {
    match text.chars().count() {
        0 => Err(Refusal::invalid(
            field,
            format!("must have 1 to {max} characters, and has none"),
        )),
        n if n > max => Err(Refusal::invalid(
            field,
            format!("must have 1 to {max} characters, and has {n}"),
        )),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_trimmed_and_counted_in_scalar_values() {
        assert_eq!(username("  ada "), Ok("ada".to_owned()));
        assert!(username(&"é".repeat(32)).is_ok());
        assert!(username(&"é".repeat(33)).is_err());
        assert!(body(&"👍".repeat(4_000)).is_ok());
        assert!(body(&"👍".repeat(4_001)).is_err());
        assert!(username(" \t ").is_err());
    }

    #[test]
    fn usernames_of_accounts_are_plain() {
        assert_eq!(account_name(" Ada_L-1 "), Ok("ada_l-1".to_owned()));
        for wrong in [
            "",
            "ab",
            "ada lovelace",
            "аda",
            "ada!",
            "ada.l",
            &"a".repeat(33),
        ] {
            assert!(account_name(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn passwords_are_taken_as_they_are() {
        assert_eq!(password(" a b  ", 6), Ok(" a b  "));
        assert!(password("12345", 6).is_err());
        assert!(password(&"é".repeat(257), 6).is_err());
    }

    #[test]
    fn control_characters_are_refused_where_they_have_no_meaning() {
        assert!(username("a\nb").is_err());
        assert!(username("a\u{85}b").is_err());
        assert_eq!(body("a\r\n\tb\rc"), Ok("a\n\tb\nc".to_owned()));
        assert!(body("a\0b").is_err());
        assert!(body("a\u{1b}[31m").is_err());
    }

    #[test]
    fn text_that_only_looks_odd_is_taken_as_it_is() {
        for text in [
            "\u{202e}abc",
            "a\u{200b}b",
            "<script>alert(1)</script>",
            "Ω≈ç√∫",
            "﷽",
        ] {
            assert_eq!(body(text), Ok(text.to_owned()));
        }
    }
}
