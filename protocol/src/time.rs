//! Points in time, as the API writes them: RFC 3339, UTC, milliseconds.
//!
//! # Guarantees
//! A [`Time`] is always within the years 1970 to 9999, so it can always be written.
//!
//! # Not here
//! The current time (crate `chat`, `Clock`).

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A point in time, in milliseconds since the Unix epoch.
///
/// The text form is `2026-11-20T06:41:00.123Z` ([RFC 3339](https://www.rfc-editor.org/rfc/rfc3339)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(i64);

/// 9999-12-31T23:59:59.999Z in milliseconds since the Unix epoch: the last time that
/// [RFC 3339, section 5.6](https://www.rfc-editor.org/rfc/rfc3339#section-5.6) can write, because
/// its years have four digits.
const LAST: i64 = 253_402_300_799_999;

impl Time {
    /// 1970-01-01T00:00:00Z.
    pub const EPOCH: Self = Self(0);

    /// Returns the time `millis` milliseconds after the Unix epoch, clamped to the years 1970 to
    /// 9999.
    pub fn from_millis(millis: i64) -> Self {
        Self(millis.clamp(0, LAST))
    }

    /// Returns the milliseconds since the Unix epoch.
    pub fn millis(self) -> i64 {
        self.0
    }

    /// Returns the time `duration` later, at most the end of the year 9999.
    #[must_use]
    pub fn after(self, duration: Duration) -> Self {
        let millis = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        Self::from_millis(self.0.saturating_add(millis))
    }

    /// Returns the duration from `earlier` to `self`; zero if `earlier` is later.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0).max(0).unsigned_abs())
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        rfc3339::write(*self, f)
    }
}

/// The error of a text that is no time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidTime;

impl fmt::Display for InvalidTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a time looks like 2026-11-20T06:41:00.123Z")
    }
}

impl std::error::Error for InvalidTime {}

impl FromStr for Time {
    type Err = InvalidTime;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        rfc3339::parse(text).ok_or(InvalidTime)
    }
}

/// The text form.
#[cfg(not(target_arch = "wasm32"))]
mod rfc3339 {
    use std::fmt::{self, Display};
    use std::time::UNIX_EPOCH;

    use super::Time;

    pub fn write(time: Time, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        humantime::format_rfc3339_millis(UNIX_EPOCH + time.since(Time::EPOCH)).fmt(f)
    }

    pub fn parse(text: &str) -> Option<Time> {
        let time = humantime::parse_rfc3339(text).ok()?;
        let since_epoch = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        Some(Time::EPOCH.after(since_epoch))
    }
}

/// The text form. The browser's own functions make the app smaller; they read other forms too.
#[cfg(target_arch = "wasm32")]
mod rfc3339 {
    use std::fmt;

    use js_sys::{Date, Number};

    use super::Time;

    pub fn write(time: Time, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Exact: the year 9999 is far below 2⁵³ milliseconds.
        let date = Date::new(&Number::from(time.millis() as f64));
        f.write_str(&String::from(date.to_iso_string()))
    }

    pub fn parse(text: &str) -> Option<Time> {
        let millis = Date::parse(text);
        (!millis.is_nan()).then(|| Time::from_millis(millis as i64))
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn displayed_time_has_milliseconds_and_parses_back() {
        let time = Time::from_millis(1_795_157_260_123);
        assert_eq!(time.to_string(), "2026-11-20T06:47:40.123Z");
        assert_eq!("2026-11-20T06:47:40.123Z".parse(), Ok(time));
    }

    #[test]
    fn times_outside_1970_to_9999_are_clamped() {
        assert_eq!(
            Time::from_millis(i64::MAX).to_string(),
            "9999-12-31T23:59:59.999Z"
        );
        assert_eq!(
            Time::from_millis(i64::MIN).to_string(),
            "1970-01-01T00:00:00.000Z"
        );
        assert_eq!(Time::from_millis(5).after(Duration::MAX).millis(), LAST);
        assert_eq!(
            Time::from_millis(5).since(Time::from_millis(9)),
            Duration::ZERO
        );
    }
}
