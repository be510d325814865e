//! Lengths of time in words.
//!
//! Promises: at most two units, the larger one first, rounded down, so that a countdown never promises too much.

use std::time::Duration;

/// A length as it is said: `2 d 4 h`, `23 h 12 min`, `12 min`, `45 s`.
pub fn words(span: Duration) -> String {
    let seconds = span.as_secs();
    match (
        seconds / 86_400,
        seconds / 3_600 % 24,
        seconds / 60 % 60,
        seconds % 60,
    ) {
        (0, 0, 0, s) => format!("{s} s"),
        (0, 0, m, s) if m < 5 => pair(m, "min", s, "s"),
        (0, 0, m, _) => format!("{m} min"),
        (0, h, m, _) => pair(h, "h", m, "min"),
        (d, h, ..) => pair(d, "d", h, "h"),
    }
}

/// A length in one unit: `45 s`, `12 min`, `23 h`, `2 d`.
pub fn brief(span: Duration) -> String {
    match span.as_secs() {
        s @ 0..60 => format!("{s} s"),
        s @ 60..3_600 => format!("{} min", s / 60),
        s @ 3_600..86_400 => format!("{} h", s / 3_600),
        s => format!("{} d", s / 86_400),
    }
}

/// How long ago something was, in one unit: `just now`, `3 min ago`, `2 h ago`, `5 d ago`.
pub fn ago(span: Duration) -> String {
    match span.as_secs() {
        0..60 => "just now".to_owned(),
        _ => format!("{} ago", brief(span)),
    }
}

fn pair(large: u64, large_unit: &str, small: u64, small_unit: &str) -> String {
    match small {
        0 => format!("{large} {large_unit}"),
        _ => format!("{large} {large_unit} {small} {small_unit}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_said_in_at_most_two_units() {
        for (seconds, said) in [
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
            assert_eq!(words(Duration::from_secs(seconds)), said);
        }
    }

    #[test]
    fn the_past_is_said_in_one_unit() {
        for (seconds, said) in [
            (0, "just now"),
            (61, "1 min ago"),
            (7_300, "2 h ago"),
            (200_000, "2 d ago"),
        ] {
            assert_eq!(ago(Duration::from_secs(seconds)), said);
        }
    }
}
