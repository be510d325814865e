//! The range of a download ([RFC 9110, section 14](https://www.rfc-editor.org/rfc/rfc9110#section-14)).
//!
//! # Guarantees
//! - One range that the bytes have is served. Several ranges, and whatever is no range of bytes, are
//!   ignored, as the RFC allows: the answer is everything.

use std::ops::Range;

use axum::http::{HeaderMap, header};

/// What of the bytes an answer has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ByteRange {
    /// Everything.
    Whole,
    /// A part.
    Part(Range<u64>),
    /// The bytes have no such part.
    Unsatisfiable,
}

/// The range that these headers ask for, of so many bytes with this strong entity tag.
pub(crate) fn of(headers: &HeaderMap, size: u64, etag: &str) -> ByteRange {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    // A date is no strong validator, so only the entity tag counts.
    let is_current = match headers.get(header::IF_RANGE) {
        Some(condition) => condition == etag,
        None => true,
    };
    let mut ranges = headers.get_all(header::RANGE).iter();
    match (text(header::RANGE), ranges.nth(1)) {
        (Some(range), None) if is_current => parse(range, size).unwrap_or(ByteRange::Whole),
        _ => ByteRange::Whole,
    }
}

/// The range of a header; `None` if it has several, or none that is valid.
fn parse(text: &str, size: u64) -> Option<ByteRange> {
    let (unit, range) = text.split_once('=')?;
    let (first, last) = range.trim().split_once('-')?;
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return None;
    }
    let part = match (first, last) {
        ("", last) => size.saturating_sub(number(last)?)..size,
        (first, "") => number(first)?..size,
        (first, last) => {
            let (first, last) = (number(first)?, number(last)?);
            if first > last {
                return None;
            }
            first..last.saturating_add(1).min(size)
        }
    };
    Some(match part.is_empty() {
        true => ByteRange::Unsatisfiable,
        false => ByteRange::Part(part),
    })
}

/// A number of digits alone; the greatest one for all that are greater.
fn number(text: &str) -> Option<u64> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ETAG: &str = "\"sha256-1\"";

    fn range(headers: &[(header::HeaderName, &str)], size: u64) -> ByteRange {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(name.clone(), value.parse().unwrap());
        }
        of(&map, size, ETAG)
    }

    #[test]
    fn one_valid_range_is_served_and_anything_else_is_ignored() {
        use ByteRange::{Part, Unsatisfiable, Whole};
        let many = format!("bytes={}", vec!["0-0"; 1_000].join(","));
        for (text, expected) in [
            ("bytes=0-0", Part(0..1)),
            ("bytes=-1", Part(9..10)),
            ("bytes=-99", Part(0..10)),
            ("bytes=5-", Part(5..10)),
            ("Bytes=2-4", Part(2..5)),
            ("bytes=0-18446744073709551615", Part(0..10)),
            ("bytes=0-99999999999999999999999", Part(0..10)),
            ("bytes=10-", Unsatisfiable),
            ("bytes=99999999999999999999999-", Unsatisfiable),
            ("bytes=-0", Unsatisfiable),
            ("bytes=9-5", Whole),
            ("bytes=a-b", Whole),
            ("bytes=-", Whole),
            ("bytes=+1-2", Whole),
            ("bytes 0-0", Whole),
            ("items=0-0", Whole),
            ("bytes=0-0,2-2", Whole),
            ("", Whole),
            (many.as_str(), Whole),
        ] {
            assert_eq!(range(&[(header::RANGE, text)], 10), expected, "{text}");
        }
        assert_eq!(range(&[], 10), Whole);
        assert_eq!(range(&[(header::RANGE, "bytes=0-")], 0), Unsatisfiable);
        let twice = [(header::RANGE, "bytes=0-0"), (header::RANGE, "bytes=1-1")];
        assert_eq!(range(&twice, 10), Whole);
    }

    #[test]
    fn range_of_other_bytes_is_ignored() {
        for (condition, expected) in [
            (ETAG, ByteRange::Part(0..1)),
            ("\"sha256-2\"", ByteRange::Whole),
            ("W/\"sha256-1\"", ByteRange::Whole),
            ("Wed, 21 Oct 2015 07:28:00 GMT", ByteRange::Whole),
        ] {
            let headers = [(header::RANGE, "bytes=0-0"), (header::IF_RANGE, condition)];
            assert_eq!(range(&headers, 10), expected, "{condition}");
        }
    }
}
