//! What a message may show of a value.
//!
//! # Guarantees
//! - No password of a URL is shown, also of one that is written wrong.

use std::ffi::OsStr;

use clap::Arg;

/// What stands for what is not shown.
const HIDDEN: &str = "\u{2026}";

/// The value of a flag, as an error quotes it.
pub(super) fn show_value(arg: Option<&Arg>, value: &OsStr) -> String {
    if !arg.is_some_and(Arg::is_hide_env_values_set) {
        return format!("{value:?}");
    }
    if arg.is_some_and(is_url) {
        show_url(&value.to_string_lossy())
    } else {
        HIDDEN.to_owned()
    }
}

/// Whether the secret of a flag is a part of its value.
pub(super) fn is_url(arg: &Arg) -> bool {
    let names = arg.get_value_names().unwrap_or_default();
    names.iter().any(|name| name.as_str() == "URL")
}

/// A URL, as an error quotes it: only its scheme, if it may have a password.
pub(super) fn show_url(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let has_secret = if url.starts_with("sqlite:") {
        rest.contains('@')
    } else {
        rest.contains(['@', ':', '?'])
    };
    if !has_secret {
        format!("{url:?}")
    } else if !scheme.is_empty() && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        format!("\"{scheme}://{HIDDEN}\"")
    } else {
        HIDDEN.to_owned()
    }
}

/// Whether the URL of a server has a password.
pub(super) fn has_password(url: &str) -> bool {
    let authority = url.split_once("://").map_or("", |(_, rest)| rest);
    let user = authority.rsplit_once('@').map_or("", |(user, _)| user);
    user.contains(':') || url.contains("password=")
}

/// A text about arguments in which URLs with passwords may stand.
pub(super) fn hide_passwords(text: &str) -> String {
    let is_end = |char: char| char.is_whitespace() || ['\'', '"', '`'].contains(&char);
    let mut shown = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("://") {
        let (url, later) = after.split_at(after.find(is_end).unwrap_or(after.len()));
        shown += before;
        shown += "://";
        shown += if url.contains('@') { HIDDEN } else { url };
        rest = later;
    }
    shown + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn url_that_may_have_a_password_is_shown_by_its_scheme() {
        for (url, shown) in [
            (
                "postgres://ada:hush@localhost/db",
                "\"postgres://\u{2026}\"",
            ),
            ("postgresql://ada:hush", "\"postgresql://\u{2026}\""),
            ("mysql://h/db?password=hush", "\"mysql://\u{2026}\""),
            ("sqlite://ada:hush@localhost/db", "\"sqlite://\u{2026}\""),
            ("ada:hush@localhost/db", "\u{2026}"),
            ("ada:hush", "\u{2026}"),
            ("hu sh://ada:hush@localhost", "\u{2026}"),
            ("mysql://x", "\"mysql://x\""),
            ("sqlite::memory:", "\"sqlite::memory:\""),
            ("chat.db", "\"chat.db\""),
        ] {
            assert_eq!(show_url(url), shown);
        }
    }

    #[test]
    fn text_about_arguments_keeps_all_but_the_passwords() {
        let text = "unexpected argument '--db=postgres://a:hush@h/d' found\nsee https://w.example";
        let shown = "unexpected argument '--db=postgres://\u{2026}' found\nsee https://w.example";
        assert_eq!(hide_passwords(text), shown);
    }

    #[test]
    fn password_is_found_in_a_url() {
        for (url, has) in [
            ("postgres://ada:hush@localhost/db", true),
            ("postgres://localhost/db?user=ada&password=hush", true),
            ("postgres://ada@localhost:5432/db", false),
            ("sqlite:chat.db", false),
        ] {
            assert_eq!(has_password(url), has, "{url}");
        }
    }
}
