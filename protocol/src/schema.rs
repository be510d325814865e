//! OpenAPI schemas of the texts that [`text`](crate::text) checks.
//!
//! The server trims white space before it counts characters. So the patterns allow leading and
//! trailing white space, and the patterns of short texts contain the length limits. The patterns of
//! names allow no joiners and no variants, which the server allows where a script needs them.

use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::characters::is_colon;
use crate::text::{DESCRIPTION_MAX, PERSON_NAME_MAX, ROOM_NAME_MAX, USERNAME_MAX};

/// White space that is trimmed.
const TRIMMED: &str = r"[\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]*";

/// Blanks that a name must not contain.
const BLANKS: &str = r"\xa0\u1680\u2000-\u200a\u202f\u205f";

/// Combining marks, with which a name must not begin.
const MARKS: &str = r"\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f";

/// Control characters, and characters of which nothing is drawn.
const INVISIBLE: &str = "\
    \\x00-\\x1f\\x7f-\\x9f\\xad\\u034f\\u061c\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f\
    \\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u206f\\u2800\\u3164\\ufe00-\\ufe0f\\ufeff\\uffa0\
    \\ufff0-\\ufffb\u{13430}-\u{13442}\u{16fe4}\u{1bca0}-\u{1bca3}\u{1d159}\u{1d173}-\u{1d17a}\
    \u{e0000}-\u{e0fff}";

/// The pattern of a name on one line with 1 to `max` characters after trimming.
fn name_pattern(max: usize) -> String {
    format!("^{TRIMMED}{}{TRIMMED}$", visible_line(max, ""))
}

/// The same, without colons.
fn lobby_name_pattern(max: usize) -> String {
    format!("^{TRIMMED}{}{TRIMMED}$", visible_line(max, &colons()))
}

/// Colons, and characters that are drawn like one.
fn colons() -> String {
    let colons = ('\0'..='\u{ffff}').filter(|c| is_colon(*c));
    colons.map(|c| format!("\\u{:04x}", u32::from(c))).collect()
}

/// The same, or an empty text, which removes the name.
fn name_or_empty_pattern(max: usize) -> String {
    format!("^{TRIMMED}({})?{TRIMMED}$", visible_line(max, ""))
}

/// A line of 1 to `max` characters, none of them invisible or `excluded`, without white space
/// around it.
fn visible_line(max: usize, excluded: &str) -> String {
    let between = max - 2;
    let first = format!(r"[^\s{MARKS}{INVISIBLE}{excluded}]");
    let inner = format!("[^{BLANKS}{INVISIBLE}{excluded}]{{0,{between}}}");
    let last = format!(r"[^\s{INVISIBLE}{excluded}]");
    format!("{first}({inner}{last})?")
}

/// Declares a text with its description, an example and a pattern that is made of parts.
macro_rules! text {
    ($(#[doc = $doc:literal])+ $name:ident, $example:literal, $pattern:expr) => {
        $(#[doc = $doc])+
        #[derive(Debug)]
        pub struct $name(pub String);

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                let schema = ObjectBuilder::new()
                    .schema_type(Type::String)
                    .description(Some([$($doc.trim()),+].join("\n")))
                    .examples([$example])
                    .pattern(Some($pattern));
                schema.into()
            }
        }

        impl ToSchema for $name {}
    };
}

text! {
    /// The name under which a person writes: 1 to 32 characters on one line after trimming, none of
    /// them invisible.
    Username, "ada", name_pattern(USERNAME_MAX)
}

text! {
    /// The name of a client in the lobby: 1 to 32 characters on one line after trimming, none of
    /// them invisible or a colon.
    LobbyName, "ada", lobby_name_pattern(USERNAME_MAX)
}

text! {
    /// A room's name: 1 to 80 characters on one line after trimming, none of them invisible.
    RoomName, "tea", name_pattern(ROOM_NAME_MAX)
}

text! {
    /// A room's new name: at most 80 characters on one line after trimming, none of them invisible.
    /// Empty for none.
    NewRoomName, "tea", name_or_empty_pattern(ROOM_NAME_MAX)
}

text! {
    /// A room's new topic: at most 500 characters on one line after trimming, none of them
    /// invisible. Empty for none.
    NewDescription, "Green and black", name_or_empty_pattern(DESCRIPTION_MAX)
}

text! {
    /// A person's name, for display: 1 to 64 characters on one line after trimming, none of them
    /// invisible.
    PersonName, "Ada Lovelace", name_pattern(PERSON_NAME_MAX)
}

/// A message's text: 1 to 4,000 characters after trimming; newline and tab are the only control
/// characters allowed.
#[derive(Debug, ToSchema)]
#[schema(min_length = 1, max_length = 4000, example = "hello")]
#[schema(pattern = "\
    ^[^\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f-\\x9f]*\
    [^\\s\\x00-\\x1f\\x7f-\\x9f\\xad\\u034f\\u061c\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f\
    \\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u206f\\u2800\\u3164\\ufe00-\\ufe0f\\ufeff\\uffa0\
    \\ufff0-\\ufffb\u{13430}-\u{13442}\u{16fe4}\u{1bca0}-\u{1bca3}\u{1d159}\u{1d173}-\u{1d17a}\
    \u{e0000}-\u{e0fff}]\
    [^\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f-\\x9f]*[\\t-\\r \\x85]*$")]
pub struct Body(pub String);

/// An account's username, in upper or lower case: 3 to 32 of the letters a to z, digits, `-` and
/// `_`.
#[derive(Debug, ToSchema)]
#[schema(example = "ada", pattern = "^[A-Za-z0-9_-]{3,32}$")]
pub struct AccountName(pub String);

/// A password: 6 to 256 characters, no control characters, at least one that is visible, and not the
/// username; the operator can set a higher minimum.
#[derive(Debug, ToSchema)]
#[schema(min_length = 6, max_length = 256, format = Password)]
#[schema(pattern = "\
    ^[^\\x00-\\x1f\\x7f-\\x9f]*\
    [^\\s\\x00-\\x1f\\x7f-\\x9f\\xad\\u034f\\u061c\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f\
    \\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u206f\\u2800\\u3164\\ufe00-\\ufe0f\\ufeff\\uffa0\
    \\ufff0-\\ufffb\u{13430}-\u{13442}\u{16fe4}\u{1bca0}-\u{1bca3}\u{1d159}\u{1d173}-\u{1d17a}\
    \u{e0000}-\u{e0fff}]\
    [^\\x00-\\x1f\\x7f-\\x9f]*$")]
pub struct Password(pub String);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::string::{RegexGeneratorStrategy, string_regex};

    use super::*;
    use crate::characters::is_combining_mark;
    use crate::{nfc, text};

    /// The texts that a pattern allows.
    fn allowed_by(pattern: &str) -> RegexGeneratorStrategy<String> {
        string_regex(pattern.trim_matches(['^', '$'])).unwrap()
    }

    /// Whether a pattern can say that the server refuses a text. Normalization makes some texts longer
    /// than `max` characters, and orders combining marks, so that another one may come first.
    fn is_in_pattern(text: &str, max: usize) -> bool {
        let text = nfc(text);
        let is_short = text.trim().chars().count() <= max;
        is_short && !text.starts_with(is_combining_mark)
    }

    proptest! {
        #[test]
        fn name_that_its_pattern_allows_is_accepted(
            username in allowed_by(&name_pattern(USERNAME_MAX)),
            lobby_name in allowed_by(&lobby_name_pattern(USERNAME_MAX)),
            room_name in allowed_by(&name_pattern(ROOM_NAME_MAX)),
        ) {
            let is_accepted = text::parse_username(&username).is_ok();
            prop_assert!(is_accepted || !is_in_pattern(&username, USERNAME_MAX));
            let is_accepted = text::parse_username(&lobby_name).is_ok();
            prop_assert!(is_accepted || !is_in_pattern(&lobby_name, USERNAME_MAX));
            prop_assert!(!lobby_name.contains(is_colon));
            let is_accepted = text::parse_room_name(&room_name).is_ok();
            prop_assert!(is_accepted || !is_in_pattern(&room_name, ROOM_NAME_MAX));
        }
    }

    #[test]
    fn name_that_begins_with_a_mark_once_it_is_normalized_is_refused() {
        assert!(text::parse_username("\u{1d16d}\u{1dce}").is_err());
        assert!(text::parse_username("\u{1d16d}").is_ok());
    }

    #[test]
    fn pattern_of_lobby_names_excludes_every_colon() {
        let pattern = lobby_name_pattern(USERNAME_MAX);
        let colons = r"\u003a\u02d0\u02f8\u2236\ua789\ufe13\ufe30\ufe55\uff1a]";
        assert_eq!(pattern.matches(colons).count(), 3, "{pattern}");
        assert!(!name_pattern(USERNAME_MAX).contains(r"\u003a"));
    }
}
