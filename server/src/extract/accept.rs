//! Which representation a client wants, by its `Accept` header
//! ([RFC 9110, section 12.5.1](https://www.rfc-editor.org/rfc/rfc9110#section-12.5.1)).

use axum::Json;
use axum::http::HeaderMap;
use axum::http::header::{ACCEPT, CACHE_CONTROL, VARY};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// A page.
pub(crate) const HTML: &str = "text/html";
/// Data.
pub(crate) const JSON: &str = "application/json";
/// An event stream.
pub(crate) const EVENTS: &str = "text/event-stream";

/// The one of `offers` that the client likes best; of equals the first, and the first also if it likes none.
pub(crate) fn choose<'a>(headers: &HeaderMap, offers: &[&'a str]) -> &'a str {
    let mut best = (offers[0], 0);
    for offer in offers {
        let quality = quality(headers, offer);
        if quality > best.1 {
            best = (offer, quality);
        }
    }
    best.0
}

/// Whether the client likes pages better than data. Who does not care gets data.
pub(crate) fn prefers_html(headers: &HeaderMap) -> bool {
    choose(headers, &[JSON, HTML]) == HTML
}

/// Data as the answer at an address that has other representations too.
pub(crate) fn json(data: impl Serialize) -> Response {
    ([(VARY, "Accept"), (CACHE_CONTROL, "no-store")], Json(data)).into_response()
}

/// How much the client likes a media type, in thousandths. The most specific range that matches speaks.
fn quality(headers: &HeaderMap, offer: &str) -> u16 {
    let values = headers
        .get_all(ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok());
    let ranges = values
        .flat_map(|value| value.split(','))
        .filter_map(|range| specificity(range, offer));
    ranges
        .max_by_key(|(specific, _)| *specific)
        .map_or(0, |(_, quality)| quality)
}

/// How closely a range names a media type, and how much it likes it; `None` if it does not match.
fn specificity(range: &str, offer: &str) -> Option<(u8, u16)> {
    let mut parts = range.split(';').map(str::trim);
    let name = parts.next()?.to_ascii_lowercase();
    let specific = match name.strip_suffix("/*") {
        Some("*") => 0,
        Some(kind) if offer.split('/').next() == Some(kind) => 1,
        _ if name == offer => 2,
        _ => return None,
    };
    let weight = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
    let weight: f32 = weight.map_or(1.0, |text| text.trim().parse().unwrap_or(0.0));
    // Rounded into 0 to 1000; a weight out of range is brought back into it.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped to 0..=1000 before"
    )]
    Some((specific, (weight.clamp(0.0, 1.0) * 1_000.0) as u16))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accept(value: &str) -> HeaderMap {
        HeaderMap::from_iter([(ACCEPT, value.parse().unwrap())])
    }

    #[test]
    fn the_default_serves_whoever_does_not_care() {
        for value in [
            "*/*",
            "",
            "image/png",
            "garbage",
            "text/html;q=0, application/json;q=0",
        ] {
            assert_eq!(choose(&accept(value), &[EVENTS, JSON]), EVENTS, "{value}");
        }
        assert_eq!(choose(&HeaderMap::new(), &[HTML, JSON]), HTML);
    }

    #[test]
    fn the_better_liked_one_wins() {
        let cases = [
            ("application/json", JSON),
            ("application/json, text/html;q=0.9", JSON),
            ("text/html, application/json;q=0.9", HTML),
            ("text/html;q=0.1, application/*", JSON),
            ("application/json;q=0, */*", HTML),
            ("APPLICATION/JSON", JSON),
            (
                "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
                HTML,
            ),
        ];
        for (value, expected) in cases {
            assert_eq!(choose(&accept(value), &[HTML, JSON]), expected, "{value}");
        }
    }

    #[test]
    fn only_who_names_pages_is_a_page_client() {
        assert!(prefers_html(&accept("text/html,*/*;q=0.8")));
        assert!(!prefers_html(&accept("*/*")));
        assert!(!prefers_html(&HeaderMap::new()));
    }
}
