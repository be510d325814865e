//! Parses durations as people write them.
//!
//! # Guarantees
//! - Every duration longer than zero that Go's `time.ParseDuration` or `humantime` accepts is
//!   accepted.
//! - No text causes a panic.

use std::fmt;
use std::time::Duration;

/// Why a text is not a usable duration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParseDurationError {
    /// The duration is zero or shorter than a nanosecond.
    Zero,
    /// The text begins with a minus sign.
    Negative,
    /// A number has no unit.
    NoUnit,
    /// The duration does not fit into the number of nanoseconds.
    TooLong,
    /// The text is not a duration.
    Garbage,
}

impl fmt::Display for ParseDurationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Zero => "is zero, and must be longer",
            Self::Negative => "is negative, and must be longer than zero",
            Self::NoUnit => "has a number without a unit",
            Self::TooLong => "is longer than can be counted",
            Self::Garbage => "is not a duration",
        })
    }
}

impl std::error::Error for ParseDurationError {}

/// Parses a duration longer than zero: `1h30m`, `1.5h`, `300ms` (Go) or `1h 30min`, `2days`
/// (humantime).
///
/// # Errors
/// [`ParseDurationError`] names the reason; its text continues a sentence that begins with the
/// value.
pub fn parse_duration(text: &str) -> Result<Duration, ParseDurationError> {
    let duration = parse_go(text)
        .or_else(|error| parse_humantime(text).map_err(|also| error.more_specific(also)))?;
    if duration.is_zero() {
        Err(ParseDurationError::Zero)
    } else {
        Ok(duration)
    }
}

impl ParseDurationError {
    /// The more specific of two errors.
    fn more_specific(self, other: Self) -> Self {
        if self == Self::Garbage { other } else { self }
    }
}

fn parse_humantime(text: &str) -> Result<Duration, ParseDurationError> {
    humantime::parse_duration(text).map_err(|error| match error {
        humantime::DurationError::NumberOverflow => ParseDurationError::TooLong,
        _ => ParseDurationError::Garbage,
    })
}

/// [`time.ParseDuration`](https://pkg.go.dev/time#ParseDuration): an optional sign, then numbers
/// with an optional fraction and a unit each, at most 2^63 - 1 nanoseconds in total.
fn parse_go(text: &str) -> Result<Duration, ParseDurationError> {
    let mut rest = match text.strip_prefix('-') {
        Some(_) => return Err(ParseDurationError::Negative),
        None => text.strip_prefix('+').unwrap_or(text),
    };
    if rest.is_empty() {
        return Err(ParseDurationError::Garbage);
    }
    if rest == "0" {
        return Err(ParseDurationError::Zero);
    }
    let mut total: u64 = 0;
    while !rest.is_empty() {
        let (nanos, remainder) = parse_go_part(rest)?;
        total = total
            .checked_add(nanos)
            .filter(fits_go_duration)
            .ok_or(ParseDurationError::TooLong)?;
        rest = remainder;
    }
    Ok(Duration::from_nanos(total))
}

fn fits_go_duration(nanos: &u64) -> bool {
    i64::try_from(*nanos).is_ok()
}

/// Parses one number with its unit. Returns its nanoseconds and the rest of the text.
fn parse_go_part(text: &str) -> Result<(u64, &str), ParseDurationError> {
    let (whole, rest) = split_digits(text);
    let (fraction, rest) = rest.strip_prefix('.').map_or(("", rest), split_digits);
    if whole.is_empty() && fraction.is_empty() {
        return Err(ParseDurationError::Garbage);
    }
    let end = rest
        .find(|c: char| c == '.' || c.is_ascii_digit())
        .unwrap_or(rest.len());
    let (unit, rest) = rest.split_at(end);
    let unit = go_unit(unit)?;
    let whole = if whole.is_empty() {
        Ok(0)
    } else {
        whole.parse::<u64>()
    };
    let whole = whole
        .ok()
        .and_then(|n| n.checked_mul(unit))
        .filter(fits_go_duration)
        .ok_or(ParseDurationError::TooLong)?;
    Ok((whole + fraction_nanos(fraction, unit), rest))
}

fn split_digits(text: &str) -> (&str, &str) {
    text.split_at(
        text.find(|c: char| !c.is_ascii_digit())
            .unwrap_or(text.len()),
    )
}

fn go_unit(unit: &str) -> Result<u64, ParseDurationError> {
    match unit {
        "ns" => Ok(1),
        "us" | "\u{b5}s" | "\u{3bc}s" => Ok(1_000),
        "ms" => Ok(1_000_000),
        "s" => Ok(1_000_000_000),
        "m" => Ok(60_000_000_000),
        "h" => Ok(3_600_000_000_000),
        "" => Err(ParseDurationError::NoUnit),
        _ => Err(ParseDurationError::Garbage),
    }
}

/// The nanoseconds of the digits after a decimal point, in a unit of `unit` nanoseconds. The first
/// 18 digits are exact to less than a nanosecond of an hour, so further digits are ignored.
fn fraction_nanos(digits: &str, unit: u64) -> u64 {
    let digits = &digits[..digits.len().min(18)];
    let scale = 10_u128.pow(u32::try_from(digits.len()).unwrap_or(18));
    let number: u128 = digits.parse().unwrap_or(0);
    u64::try_from(number * u128::from(unit) / scale).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn durations_of_go_are_parsed() {
        let cases = [
            ("1h", 3_600_000_000_000),
            ("1h30m", 5_400_000_000_000),
            ("1.5h", 5_400_000_000_000),
            ("300ms", 300_000_000),
            ("2h45m0.5s", 9_900_500_000_000),
            ("90m", 5_400_000_000_000),
            ("+5s", 5_000_000_000),
            (".5s", 500_000_000),
            ("1.s", 1_000_000_000),
            ("10us", 10_000),
            ("10\u{b5}s", 10_000),
            ("10\u{3bc}s", 10_000),
            ("1ns", 1),
            ("0.3333333333333333333h", 1_200_000_000_000 - 1),
            ("2562047h47m16.854775807s", 9_223_372_036_854_775_807),
        ];
        for (text, nanos) in cases {
            assert_eq!(
                parse_duration(text),
                Ok(Duration::from_nanos(nanos)),
                "{text}"
            );
        }
    }

    #[test]
    fn durations_of_humantime_are_parsed() {
        assert_eq!(parse_duration("1h 30min"), Ok(Duration::from_secs(5_400)));
        assert_eq!(parse_duration("2days"), Ok(Duration::from_secs(172_800)));
        assert_eq!(
            parse_duration("400years").map(|d| d.as_secs() > 12_000_000_000),
            Ok(true)
        );
    }

    #[test]
    fn invalid_durations_are_refused_with_a_reason() {
        use ParseDurationError::{Garbage, Negative, NoUnit, TooLong, Zero};
        let cases = [
            ("", Garbage),
            ("0", Zero),
            ("0s", Zero),
            ("0h0m", Zero),
            ("0.0000000001s", Zero),
            ("-1h", Negative),
            ("-0.5s", Negative),
            ("60", NoUnit),
            ("1h30", NoUnit),
            (".s", Garbage),
            ("abc", Garbage),
            ("1x", Garbage),
            ("h", Garbage),
            ("1 h x", Garbage),
            ("99999999999999999999h", TooLong),
            ("∞", Garbage),
        ];
        for (text, error) in cases {
            assert_eq!(parse_duration(text), Err(error), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC*") {
            let _ = parse_duration(&text);
        }

        #[test]
        fn no_number_with_a_unit_panics(text in "[-+]?([0-9]{0,25}\\.?[0-9]{0,25}(ns|us|µs|μs|ms|s|m|h|d|days| |M)?){0,4}") {
            let _ = parse_duration(&text);
        }

        #[test]
        fn whole_nanoseconds_are_parsed_exactly(nanos in 1..=i64::MAX.unsigned_abs()) {
            prop_assert_eq!(parse_duration(&format!("{nanos}ns")), Ok(Duration::from_nanos(nanos)));
        }

        #[test]
        fn parts_add_up(h in 0..1_000_u64, m in 0..60_u64, s in 0..60_u64, ms in 1..1_000_u64) {
            let expected = Duration::from_millis(((h * 60 + m) * 60 + s) * 1_000 + ms);
            prop_assert_eq!(parse_duration(&format!("{h}h{m}m{s}.{ms:03}s")), Ok(expected));
        }

        #[test]
        fn output_of_humantime_is_parsed_back(secs in 1..=u64::from(u32::MAX), nanos in 0..1_000_000_000_u32) {
            let duration = Duration::new(secs, nanos);
            prop_assert_eq!(parse_duration(&humantime::format_duration(duration).to_string()), Ok(duration));
        }
    }
}
