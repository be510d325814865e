//! Durations of flags and of rooms.

#![no_main]

use std::time::Duration;

use chat::{ParseDurationError, parse_duration};
use libfuzzer_sys::fuzz_target;
use protocol::Time;

/// The longest duration of Go, which is also the longest that a number of nanoseconds expresses.
const GO_MAX: u64 = i64::MAX.unsigned_abs();

fuzz_target!(|text: &str| match parse_duration(text) {
    Ok(duration) => check_duration(text, duration),
    Err(error) => {
        assert!(!error.to_string().is_empty());
        assert!(
            error != ParseDurationError::Negative || text.starts_with('-'),
            "only a minus sign makes a duration negative"
        );
    }
});

fn check_duration(text: &str, duration: Duration) {
    assert!(duration > Duration::ZERO, "a duration is positive");
    assert!(!text.starts_with('-'), "a negative duration is refused");
    let printed = humantime::format_duration(duration).to_string();
    assert_eq!(
        parse_duration(&printed),
        Ok(duration),
        "a printed duration is read back"
    );
    if let Ok(nanos) = u64::try_from(duration.as_nanos())
        && nanos <= GO_MAX
    {
        assert_eq!(parse_duration(&format!("{nanos}ns")), Ok(duration));
        assert_eq!(parse_duration(&format!("+{nanos}ns")), Ok(duration));
    }
    let end = Time::from_millis(1_795_157_260_123).after(duration);
    assert_eq!(
        end.to_string().parse(),
        Ok(end),
        "a time after it can be written"
    );
}
