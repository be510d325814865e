//! Durations as text.
//!
//! # Guarantees
//! At most two units, the larger one first, rounded down: a countdown never shows more time than is
//! left.

use std::time::Duration;

use texts::{Template, app as t};

/// A duration in up to two units: `2 d 4 h`, `23 h 12 min`, `12 min`, `45 s`.
pub fn format_long(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let days = (seconds / 86_400, t::UNIT_DAYS);
    let hours = (seconds / 3_600 % 24, t::UNIT_HOURS);
    let minutes = (seconds / 60 % 60, t::UNIT_MINUTES);
    let rest = (seconds % 60, t::UNIT_SECONDS);
    match (days.0, hours.0, minutes.0) {
        (0, 0, 0) => in_unit(rest),
        (0, 0, 1..5) => in_two_units(minutes, rest),
        (0, 0, _) => in_unit(minutes),
        (0, ..) => in_two_units(hours, minutes),
        _ => in_two_units(days, hours),
    }
}

/// A duration in words, in up to two units: `2 hours`, `1 hour 30 minutes`, `7 days`.
pub fn format_words(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let units = [
        (seconds / 86_400, t::DAYS),
        (seconds / 3_600 % 24, t::HOURS),
        (seconds / 60 % 60, t::MINUTES),
        (seconds % 60, t::SECONDS),
    ];
    let units = units.into_iter().filter(|(count, _)| *count > 0).take(2);
    let words = units.map(|(count, unit)| unit.count(count, []));
    words.collect::<Vec<_>>().join(" ")
}

/// How long ago something happened, in one unit: `just now`, `3 min ago`, `2 h ago`, `5 d ago`.
pub fn format_ago(duration: Duration) -> String {
    let ago = match duration.as_secs() {
        0..60 => return t::JUST_NOW.text().to_owned(),
        s @ 60..3_600 => (s / 60, t::UNIT_MINUTES),
        s @ 3_600..86_400 => (s / 3_600, t::UNIT_HOURS),
        s => (s / 86_400, t::UNIT_DAYS),
    };
    t::AGO.fill([&in_unit(ago)])
}

/// A number of a unit.
type Amount = (u64, Template<1>);

fn in_unit((count, unit): Amount) -> String {
    unit.fill([&count.to_string()])
}

fn in_two_units(large: Amount, small: Amount) -> String {
    match small.0 {
        0 => in_unit(large),
        _ => format!("{} {}", in_unit(large), in_unit(small)),
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
