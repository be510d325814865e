//! The client's preferences among media types and encodings: the headers with quality values
//! ([RFC 9110, section 12.5](https://www.rfc-editor.org/rfc/rfc9110#section-12.5)).

use axum::http::header::ACCEPT;
use axum::http::{HeaderMap, HeaderName};

/// A page.
pub(crate) const HTML: &str = "text/html";
/// Data.
pub(crate) const JSON: &str = "application/json";
/// An event stream.
pub(crate) const EVENTS: &str = "text/event-stream";

/// One element of a header with quality values: `text/html;q=0.9`.
pub(crate) struct Preference {
    /// What it names, in lower case.
    pub name: String,
    /// How much the client wants it, from 0 (not at all) to 1000.
    pub quality: u16,
}

impl Preference {
    fn parse(element: &str) -> Self {
        let mut parts = element.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default().to_ascii_lowercase();
        let quality =
            parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
        Self {
            name,
            quality: quality.map_or(1_000, parse_quality),
        }
    }
}

/// The elements of a header with quality values, in their order.
pub(crate) fn preferences(headers: &HeaderMap, name: HeaderName) -> Vec<Preference> {
    let values = headers.get_all(name);
    let values = values.iter().filter_map(|value| value.to_str().ok());
    values
        .flat_map(|value| value.split(','))
        .map(Preference::parse)
        .collect()
}

/// A quality in thousandths; one that cannot be read counts as 0.
fn parse_quality(text: &str) -> u16 {
    let quality: f32 = text.trim().parse().unwrap_or(0.0);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped to 0..=1000 before"
    )]
    let thousandths = (quality.clamp(0.0, 1.0) * 1_000.0).round() as u16;
    thousandths
}

/// The media type of `offers` that the client prefers; the first among equals, and the first if it
/// accepts none.
pub(crate) fn choose<'a>(headers: &HeaderMap, offers: &[&'a str]) -> &'a str {
    let ranges = preferences(headers, ACCEPT);
    let mut best = offers[0];
    let mut best_quality = 0;
    for offer in offers {
        let quality = quality(&ranges, offer);
        if quality > best_quality {
            best = offer;
            best_quality = quality;
        }
    }
    best
}

/// Whether the client prefers pages to data. A client without a preference gets data.
pub(crate) fn prefers_html(headers: &HeaderMap) -> bool {
    choose(headers, &[JSON, HTML]) == HTML
}

/// How much the client wants a media type. The most specific range that matches decides.
fn quality(ranges: &[Preference], offer: &str) -> u16 {
    ranges
        .iter()
        .filter_map(|range| Some((specificity(&range.name, offer)?, range.quality)))
        .max_by_key(|(specificity, _)| *specificity)
        .map_or(0, |(_, quality)| quality)
}

/// How closely a range names a media type; `None` if it does not match.
fn specificity(range: &str, offer: &str) -> Option<u8> {
    match range.strip_suffix("/*") {
        Some("*") => Some(0),
        Some(kind) if offer.split('/').next() == Some(kind) => Some(1),
        _ if range == offer => Some(2),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accept(value: &str) -> HeaderMap {
        HeaderMap::from_iter([(ACCEPT, value.parse().unwrap())])
    }

    #[test]
    fn client_without_a_preference_gets_the_first_offer() {
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
    fn offer_of_the_higher_quality_is_chosen() {
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
    fn quality_is_read_exactly() {
        for thousandths in 0..1_000 {
            let quality = format!("0.{thousandths:03}");
            assert_eq!(parse_quality(&quality), thousandths, "{quality}");
        }
        for (quality, thousandths) in [("1", 1_000), ("1.000", 1_000), ("7", 1_000), ("-1", 0)] {
            assert_eq!(parse_quality(quality), thousandths, "{quality}");
        }
        assert_eq!(
            choose(
                &accept("text/html;q=0.25, application/json;q=0.251"),
                &[HTML, JSON]
            ),
            JSON
        );
    }

    #[test]
    fn only_a_client_that_names_pages_prefers_them() {
        assert!(prefers_html(&accept("text/html,*/*;q=0.8")));
        assert!(!prefers_html(&accept("*/*")));
        assert!(!prefers_html(&HeaderMap::new()));
    }
}
