//! The presence of a room on the other nodes, and what this node contributes to theirs.
//!
//! # Guarantees
//! - A name that is present by way of several nodes counts once, among the first [`NAMES_MAX`] of each.

use std::collections::BTreeSet;

use super::{Name, Presence};

/// The most names that a node contributes to a room; further ones are counted.
pub(super) const NAMES_MAX: usize = 1_000;

/// The names that are present in a room by way of this node.
#[derive(Debug, Default)]
pub(crate) struct ContributedNames {
    /// The first [`NAMES_MAX`].
    pub names: Vec<String>,
    pub count: usize,
}

/// Who is present in a room by way of other nodes.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Elsewhere {
    pub names: BTreeSet<Name>,
    /// How many more are present whose names are not known here.
    pub unnamed: usize,
}

impl Elsewhere {
    pub(super) fn is_empty(&self) -> bool {
        self.names.is_empty() && self.unnamed == 0
    }

    /// How many are present beside those that are present here.
    pub(super) fn count_beside(&self, here: &BTreeSet<Name>) -> usize {
        self.names.difference(here).count() + self.unnamed
    }
}

impl Presence {
    /// The names that this node contributes.
    pub fn contributed_names(&self) -> ContributedNames {
        let names = self.announced.iter().take(NAMES_MAX);
        ContributedNames {
            names: names.map(|name| name.as_ref().to_owned()).collect(),
            count: self.announced.len(),
        }
    }

    /// Whether [`Presence::contributed_names`] may have changed since the last call.
    pub fn take_contribution_change(&mut self) -> bool {
        std::mem::take(&mut self.is_contribution_stale)
    }

    /// Stores who is present by way of other nodes. Returns whether that has changed.
    pub fn set_elsewhere(&mut self, elsewhere: Elsewhere) -> bool {
        let has_changed = self.elsewhere != elsewhere;
        self.elsewhere = elsewhere;
        self.presence_event.is_stale |= has_changed;
        has_changed
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use protocol::{RoomId, Time};

    use super::*;
    use crate::realtime::presence::DeliveredVersions;

    #[test]
    fn names_beyond_the_bound_are_counted() {
        let room = RoomId::from_bytes([1; 8]);
        let start = Time::from_millis(0);
        let announced = start.after(Duration::from_secs(1));
        let mut here = Presence::default();
        for number in 0..NAMES_MAX + 5 {
            here.join(&format!("{number:04}").into(), start);
        }
        here.update(room, announced);
        assert!(here.take_contribution_change());
        assert!(!here.take_contribution_change());
        let contributed = here.contributed_names();
        let names = contributed.names.len();
        assert_eq!((names, contributed.count), (NAMES_MAX, NAMES_MAX + 5));

        let mut there = Presence::default();
        there.join(&"0001".into(), start);
        there.join(&"a".into(), start);
        there.update(room, announced);
        let elsewhere = || Elsewhere {
            names: contributed
                .names
                .iter()
                .map(|name| name.as_str().into())
                .collect(),
            unnamed: 5,
        };
        assert!(there.set_elsewhere(elsewhere()));
        assert!(!there.set_elsewhere(elsewhere()));
        assert!(there.update(room, announced));
        let (event, _) = there.next_event(DeliveredVersions::default()).unwrap();
        let json = String::from_utf8(event.json().to_vec()).unwrap();
        assert!(json.contains("\"0099\"],\"count\":1006"), "{json}");
        assert!(there.has("0500") && !there.has("1001"));
    }
}
