//! The language of a request's answer: of pages and of refusals.
//!
//! # Guarantees
//! The visitor's own choice comes first, then the header `Accept-Language`, then the server's
//! configured language. The same headers always lead to the same language.
//!
//! # Not here
//! The texts (`texts`), and the page where visitors choose (`routes::language`).

use std::cmp::Reverse;

use axum::http::HeaderMap;
use axum::http::header::ACCEPT_LANGUAGE;
use texts::Language;

use crate::extract::accept::{Preference, preferences};
use crate::extract::cookies::{LANGUAGE, read_cookie};

/// The language for a client with these headers, if it accepts a language that the server has
/// ([RFC 4647, section 3.4](https://www.rfc-editor.org/rfc/rfc4647#section-3.4)).
pub(crate) fn choose(headers: &HeaderMap, default: Language) -> Language {
    let chosen = read_cookie(headers, LANGUAGE).and_then(Language::find);
    chosen.unwrap_or_else(|| {
        let mut ranges = preferences(headers, ACCEPT_LANGUAGE);
        ranges.retain(|range| range.quality > 0);
        ranges.sort_by_key(|range| Reverse(range.quality));
        let find = |range: &Preference| match &*range.name {
            "*" => Some(default),
            tag => Language::find(tag),
        };
        ranges.iter().find_map(find).unwrap_or(default)
    })
}

#[cfg(test)]
mod tests {
    use axum::http::header::COOKIE;

    use super::*;

    fn language(headers: &[(axum::http::HeaderName, &str)]) -> &'static str {
        let headers = headers
            .iter()
            .map(|(name, value)| (name.clone(), value.parse().unwrap()));
        choose(&headers.collect(), Language::default()).tag()
    }

    #[test]
    fn accepted_language_of_the_highest_quality_is_chosen() {
        for (accepts, expected) in [
            ("", "en"),
            ("de", "de"),
            ("de-AT", "de"),
            ("DE-at, en;q=0.9", "de"),
            ("en;q=0.5, de;q=0.8", "de"),
            ("fr, de;q=0.2, en;q=0.1", "de"),
            ("fr", "en"),
            ("*", "en"),
            ("de;q=0, *", "en"),
            ("de;q=0", "en"),
            ("zh-Hant-HK, iw", "en"),
            ("den, d, de_DE", "en"),
            ("en-XA", "en-XA"),
            ("en-XAB", "en"),
            (",;,;q=x,", "en"),
        ] {
            assert_eq!(
                language(&[(ACCEPT_LANGUAGE, accepts)]),
                expected,
                "{accepts}"
            );
        }
        let long = "fr-".repeat(3_400) + ", de";
        assert_eq!(language(&[(ACCEPT_LANGUAGE, &long)]), "de");
    }

    #[test]
    fn chosen_language_comes_before_accepted_ones() {
        let accepts = (ACCEPT_LANGUAGE, "de");
        assert_eq!(language(&[(COOKIE, "language=en"), accepts.clone()]), "en");
        assert_eq!(language(&[(COOKIE, "language=xx"), accepts]), "de");
    }
}
