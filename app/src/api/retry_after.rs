//! The pause that an answer asks for
//! ([RFC 9110, section 10.2.3](https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3)).
//!
//! # Guarantees
//! Any value is read without a panic, and no pause is longer than [`LONGEST_PAUSE`].

use protocol::Time;

/// The longest pause, in seconds: a wrong header holds up messages no longer, and one request in
/// this time is a burden for no server.
const LONGEST_PAUSE: u32 = 300;

/// The seconds of a `Retry-After` header; `None` if it is neither a number nor a date. `now` is the
/// time by the clock that the date is of.
pub fn parse_retry_after(
    value: &str,
    now: Time,
    parse_date: impl Fn(&str) -> Option<Time>,
) -> Option<u32> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        let seconds = value.parse().unwrap_or(LONGEST_PAUSE);
        return Some(seconds.min(LONGEST_PAUSE));
    }
    // Browsers read almost any text with a number in it as a date.
    let date = Some(value).filter(|value| value.ends_with("GMT") && value.contains(':'))?;
    let seconds = parse_date(date)?.since(now).as_secs();
    Some(u32::try_from(seconds).map_or(LONGEST_PAUSE, |seconds| seconds.min(LONGEST_PAUSE)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A minute after the epoch.
    const DATE: &str = "Thu, 01 Jan 1970 00:01:00 GMT";
    /// As late as a date can be.
    const LATEST: &str = "Sat, 13 Sep 275760 00:00:00 GMT";

    fn parse(value: &str) -> Option<u32> {
        parse_at(value, 0)
    }

    fn parse_at(value: &str, now: i64) -> Option<u32> {
        let parse_date = |date: &str| match date {
            DATE => Some(Time::from_millis(60_000)),
            LATEST => Some(Time::from_millis(i64::MAX)),
            _ => None,
        };
        parse_retry_after(value, Time::from_millis(now), parse_date)
    }

    #[test]
    fn number_is_read_up_to_the_longest_pause() {
        assert_eq!(parse("0"), Some(0));
        assert_eq!(parse(" 30\t"), Some(30));
        assert_eq!(parse("007"), Some(7));
        for huge in ["301", "4294967296", "99999999999999999999999999"] {
            assert_eq!(parse(huge), Some(LONGEST_PAUSE), "{huge}");
        }
    }

    #[test]
    fn date_is_read_as_the_time_until_then() {
        assert_eq!(parse(DATE), Some(60));
        assert_eq!(parse_at(DATE, 59_001), Some(0));
        assert_eq!(parse_at(DATE, 120_000), Some(0), "a date in the past");
        assert_eq!(parse(LATEST), Some(LONGEST_PAUSE));
    }

    #[test]
    fn anything_else_asks_for_no_pause() {
        for garbage in [
            "", " ", "-5", "+5", "1.5", "5 s", "soon", "1e3", "٣", "5,5", "GMT", "1:00 GMT",
            "\u{0}",
        ] {
            assert_eq!(parse(garbage), None, "{garbage}");
        }
    }
}
