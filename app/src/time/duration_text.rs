//! Durations as text.
//!
//! # Guarantees
//! At most two units, the larger one first, rounded down: a countdown never shows more time than is
//! left.

use std::time::Duration;

/// A duration in up to two units: `2 d 4 h`, `23 h 12 min`, `12 min`, `45 s`.
pub fn format_long(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match (
        seconds / 86_400,
        seconds / 3_600 % 24,
        seconds / 60 % 60,
        seconds % 60,
    ) {
        (0, 0, 0, s) => format!("{s} s"),
        (0, 0, m, s) if m < 5 => two_units(m, "min", s, "s"),
        (0, 0, m, _) => format!("{m} min"),
        (0, h, m, _) => two_units(h, "h", m, "min"),
        (d, h, ..) => two_units(d, "d", h, "h"),
    }
}

/// A duration in words, in up to two units: `2 hours`, `1 hour 30 minutes`, `7 days`.
pub fn format_words(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let units = [
        (seconds / 86_400, "day"),
        (seconds / 3_600 % 24, "hour"),
        (seconds / 60 % 60, "minute"),
        (seconds % 60, "second"),
    ];
    let units = units.into_iter().filter(|(count, _)| *count > 0).take(2);
    let words = units.map(|(count, unit)| match count {
        1 => format!("1 {unit}"),
        _ => format!("{count} {unit}s"),
    });
    words.collect::<Vec<_>>().join(" ")
}

/// A duration in one unit: `45 s`, `12 min`, `23 h`, `2 d`.
fn format_short(duration: Duration) -> String {
    match duration.as_secs() {
        s @ 0..60 => format!("{s} s"),
        s @ 60..3_600 => format!("{} min", s / 60),
        s @ 3_600..86_400 => format!("{} h", s / 3_600),
        s => format!("{} d", s / 86_400),
    }
}

/// How long ago something happened, in one unit: `just now`, `3 min ago`, `2 h ago`, `5 d ago`.
pub fn format_ago(duration: Duration) -> String {
    match duration.as_secs() {
        0..60 => "just now".to_owned(),
        _ => format!("{} ago", format_short(duration)),
    }
}

fn two_units(large: u64, large_unit: &str, small: u64, small_unit: &str) -> String {
    match small {
        0 => format!("{large} {large_unit}"),
        _ => format!("{large} {large_unit} {small} {small_unit}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_at_most_two_units() {
        for (seconds, text) in [
            (0, "0 s"),
            (59, "59 s"),
            (60, "1 min"),
            (95, "1 min 35 s"),
            (301, "5 min"),
            (3_600, "1 h"),
            (83_520, "23 h 12 min"),
            (86_400, "1 d"),
            (187_300, "2 d 4 h"),
        ] {
            assert_eq!(format_long(Duration::from_secs(seconds)), text);
        }
    }

    #[test]
    fn lifetimes_are_written_in_words() {
        for (seconds, text) in [
            (1, "1 second"),
            (600, "10 minutes"),
            (5_400, "1 hour 30 minutes"),
            (7_200, "2 hours"),
            (86_400, "1 day"),
            (90_061, "1 day 1 hour"),
        ] {
            assert_eq!(format_words(Duration::from_secs(seconds)), text);
        }
    }

    #[test]
    fn past_has_one_unit() {
        for (seconds, text) in [
            (0, "just now"),
            (61, "1 min ago"),
            (7_300, "2 h ago"),
            (200_000, "2 d ago"),
        ] {
            assert_eq!(format_ago(Duration::from_secs(seconds)), text);
        }
    }
}
