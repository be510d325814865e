//! How long a room stays without a message: the choices, for a new room and in a room's settings.

use std::time::Duration;

use leptos::prelude::*;
use texts::app as t;

use crate::time::duration_text;

/// The lifetimes that are offered: value and seconds.
const LIFETIMES: [(&str, u64); 8] = [
    ("10m", 600),
    ("30m", 1_800),
    ("1h", 3_600),
    ("6h", 21_600),
    ("24h", 86_400),
    ("168h", 604_800),
    ("720h", 2_592_000),
    ("8760h", 31_536_000),
];

/// The longest lifetime that this server allows, for all components of a page.
#[derive(Clone, Copy, Debug)]
pub struct LongestLifetime(pub Duration);

impl LongestLifetime {
    /// The longest lifetime, in words.
    pub fn words(self) -> String {
        duration_text::format_words(self.0)
    }
}

/// The offered lifetimes of at most `longest`: value and label.
pub fn offered_lifetimes(longest: Duration) -> impl Iterator<Item = (&'static str, String)> {
    let durations = LIFETIMES.map(|(value, seconds)| (value, Duration::from_secs(seconds)));
    let offered = durations
        .into_iter()
        .filter(move |(_, length)| *length <= longest);
    offered.map(|(value, length)| (value, duration_text::format_words(length)))
}

/// The options for a new room. Without a choice the room has the longest lifetime.
pub fn new_room_options() -> impl IntoView {
    let longest = expect_context::<LongestLifetime>();
    let shorter = offered_lifetimes(longest.0.saturating_sub(Duration::from_millis(1)));
    let maximum = t::SERVER_MAXIMUM.fill([&longest.words()]);
    [("", maximum)]
        .into_iter()
        .chain(shorter)
        .map(|(value, label)| view! { <option value=value>{label}</option> })
        .collect_view()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_lifetime_above_the_longest_is_offered() {
        let offered = |seconds| {
            let offered = offered_lifetimes(Duration::from_secs(seconds));
            offered.map(|(_, label)| label).collect::<Vec<_>>()
        };
        assert_eq!(offered(7_200), ["10 minutes", "30 minutes", "1 hour"]);
        assert_eq!(offered(5), <[&str; 0]>::default());
        assert_eq!(offered(u64::MAX).len(), LIFETIMES.len());
    }
}
