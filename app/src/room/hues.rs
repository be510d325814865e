//! The hues of the people in a room.
//!
//! # Guarantees
//! - A name keeps its hue as long as the page is open, and has the hue of its letters unless that, or
//!   one that looks like it, is taken.
//! - The first ten people have hues that differ at a glance. No person has the accent, which marks
//!   the visitor's own messages.
//!
//! # Not here
//! Hues outside of rooms (`ui/avatar`), and the colours, which are styles.

use crate::ui::avatar::{HUES, hue_of};

/// The hue that looks like the accent.
const ACCENT: u32 = 17;

/// The distance from which on two hues differ at a glance.
const CLEAR_DISTANCE: u32 = 2;

/// The names that have a hue, in the order in which they appeared.
#[derive(Clone, Debug, Default)]
pub struct HueTable(Vec<(String, u32)>);

impl HueTable {
    /// The hue of a name.
    pub fn hue(&mut self, name: &str) -> u32 {
        if let Some((_, hue)) = self.0.iter().find(|(known, _)| known == name) {
            return *hue;
        }
        let hue = self.free_hue_near(hue_of(name));
        // Once all hues are taken, a name has the hue of its letters without an entry.
        if self.0.len() < HUES as usize {
            self.0.push((name.to_owned(), hue));
        }
        hue
    }

    /// The first hue from this one on that is far enough from all others, or at least different.
    fn free_hue_near(&self, own: u32) -> u32 {
        let candidates = || (0..HUES).map(move |step| (own + step) % HUES);
        let is_free = |hue: u32, least: u32| {
            let mut taken = self.0.iter().map(|(_, taken)| *taken).chain([ACCENT]);
            taken.all(|taken| distance(hue, taken) >= least)
        };
        let find = |least| candidates().find(|hue| is_free(*hue, least));
        find(CLEAR_DISTANCE).or_else(|| find(1)).unwrap_or(own)
    }
}

/// The distance of two hues on their circle.
fn distance(a: u32, b: u32) -> u32 {
    let across = a.abs_diff(b);
    across.min(HUES - across)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Names with the same hue outside of rooms.
    fn names_of_one_hue(count: usize) -> Vec<String> {
        let names = (0..).map(|n| format!("guest{n}"));
        names.filter(|name| hue_of(name) == 3).take(count).collect()
    }

    #[test]
    fn ten_people_have_hues_that_differ_clearly_and_stay() {
        let names = names_of_one_hue(10);
        let mut table = HueTable::default();
        let hues: Vec<_> = names.iter().map(|name| table.hue(name)).collect();
        assert_eq!(hues[0], 3, "the first has the hue of its name");
        for (i, a) in hues.iter().enumerate() {
            assert!(distance(*a, ACCENT) >= CLEAR_DISTANCE);
            assert!(hues[..i].iter().all(|b| distance(*a, *b) >= CLEAR_DISTANCE));
        }
        assert_eq!(table.hue(&names[4]), hues[4]);
    }

    #[test]
    fn crowd_has_hues_of_its_names_and_the_table_stays_small() {
        let mut table = HueTable::default();
        let crowd: Vec<_> = (0..500).map(|n| format!("guest{n}")).collect();
        let hues: Vec<_> = crowd.iter().map(|name| table.hue(name)).collect();
        let again: Vec<_> = crowd.iter().map(|name| table.hue(name)).collect();
        assert_eq!(hues, again);
        assert_eq!(table.0.len(), HUES as usize);
    }
}
