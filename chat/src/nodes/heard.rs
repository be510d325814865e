//! What this node has heard of the others: the number of the last ring of each.

use std::collections::{BTreeMap, BTreeSet};

use super::bell::RingHeader;
use crate::store::NodeNews;

/// What this node has heard of the others.
#[derive(Debug, Default)]
pub(crate) struct HeardRings {
    last: BTreeMap<i64, i64>,
    /// The nodes that are there.
    there: BTreeSet<i64>,
    /// Whether a node has ended, possibly after commits that it sent no ring for.
    pub(super) has_lost_node: bool,
}

/// What a ring is to a node that has heard others before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// It is the next one of its node.
    Next,
    /// It was heard before, or what it tells was read since.
    Past,
    /// Others of its node before it were not heard.
    AfterGap,
}

impl HeardRings {
    /// What a node has heard that begins to listen when these are the last rings.
    pub fn begin(last: impl IntoIterator<Item = (i64, i64)>) -> Self {
        Self {
            last: last.into_iter().collect(),
            ..Self::default()
        }
    }

    /// The place of a ring.
    pub(super) fn place(&self, ring: RingHeader) -> Place {
        let last = self.last.get(&ring.from).copied().unwrap_or_default();
        match ring.number.checked_sub(last) {
            Some(1) => Place::Next,
            Some(2..) => Place::AfterGap,
            _ => Place::Past,
        }
    }

    /// How many rings between the last one and this one are left out.
    pub(super) fn count_gone(&self, ring: RingHeader) -> u64 {
        let last = self.last.get(&ring.from).copied().unwrap_or_default();
        let gone = ring.number.saturating_sub(last).saturating_sub(1);
        u64::try_from(gone).unwrap_or_default()
    }

    /// Notes that all rings of a node up to this one have been applied.
    pub(super) fn note(&mut self, ring: RingHeader) {
        let last = self.last.entry(ring.from).or_default();
        *last = ring.number.max(*last);
    }

    /// The last ring of each node.
    pub(super) fn last(&self) -> Vec<(i64, i64)> {
        self.last
            .iter()
            .map(|(node, last)| (*node, *last))
            .collect()
    }

    /// Notes which nodes there are. Returns whether some have come or gone.
    pub(super) fn note_nodes(&mut self, nodes: &[NodeNews]) -> bool {
        let known: BTreeSet<i64> = nodes.iter().map(|news| news.node).collect();
        self.last.retain(|node, _| known.contains(node));
        let there = nodes.iter().filter(|news| news.is_there);
        let there: BTreeSet<i64> = there.map(|news| news.node).collect();
        self.has_lost_node |= !self.there.is_subset(&there);
        let before = std::mem::replace(&mut self.there, there);
        before != self.there
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring(from: i64, number: i64) -> RingHeader {
        RingHeader { from, number }
    }

    #[test]
    fn rings_that_are_lost_repeated_or_late_are_recognized() {
        let mut heard = HeardRings::begin([(1, 7)]);
        assert_eq!(heard.place(ring(1, 7)), Place::Past);
        assert_eq!(heard.place(ring(1, 8)), Place::Next);
        heard.note(ring(1, 8));
        assert_eq!(heard.place(ring(1, 10)), Place::AfterGap);
        assert_eq!(heard.count_gone(ring(1, 9)), 0);
        assert_eq!(heard.count_gone(ring(1, 10)), 1);
        heard.note(ring(1, 10));
        assert_eq!(heard.place(ring(1, 9)), Place::Past);
        heard.note(ring(1, 9));
        assert_eq!(heard.place(ring(1, 11)), Place::Next);
        assert_eq!(heard.place(ring(2, 1)), Place::Next);
        assert_eq!(heard.place(ring(2, 2)), Place::AfterGap);
        assert_eq!(heard.place(ring(1, i64::MIN)), Place::Past);
    }

    #[test]
    fn nodes_that_come_and_go_are_noticed_and_forgotten() {
        let news = |node, is_there| NodeNews {
            node,
            is_there,
            missed: Vec::new(),
        };
        let mut heard = HeardRings::begin([(1, 7)]);
        assert!(heard.note_nodes(&[news(1, true)]));
        assert!(!heard.note_nodes(&[news(1, true), news(2, false)]));
        assert!(!heard.has_lost_node);
        assert!(heard.note_nodes(&[news(1, false), news(2, false)]));
        assert!(heard.has_lost_node);
        assert!(!heard.note_nodes(&[]));
        assert!(heard.last().is_empty());
    }
}
