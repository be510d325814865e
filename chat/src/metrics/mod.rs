//! What is counted and measured: numbers that cost an addition each.
//!
//! # Guarantees
//! - The number of series is fixed: no label has anything that people create.
//! - The memory is bounded, whether or not the numbers are read.
//!
//! # Not here
//! - The listener on which they are read: the server.

mod files;
mod nodes;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

pub(crate) use self::files::FileCounts;
use self::files::FileMetrics;
pub(crate) use self::nodes::NodeMetrics;

/// The bounds of the times of commits, in seconds: from a fast disk to a busy network.
const COMMIT_SECONDS: [f64; 12] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0,
];

/// The bounds of the sizes of commits, in requests.
const COMMIT_SIZES: [f64; 8] = [1.0, 2.0, 4.0, 8.0, 16.0, 64.0, 256.0, 1024.0];

/// Why the server has ended a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamCut {
    /// The room was deleted.
    Closed,
    /// The reader has lost the access to the room.
    Removed,
    /// The reader's session has ended.
    SignedOut,
    /// The server stops.
    Draining,
    /// The server failed.
    Fault,
    /// The client did not read.
    Slow,
    /// The client of a WebSocket did not answer.
    Silent,
}

impl StreamCut {
    const ALL: [Self; 7] = [
        Self::Closed,
        Self::Removed,
        Self::SignedOut,
        Self::Draining,
        Self::Fault,
        Self::Slow,
        Self::Silent,
    ];

    fn labels(self) -> CutLabels {
        let reason = match self {
            Self::Closed => "closed",
            Self::Removed => "removed",
            Self::SignedOut => "signed_out",
            Self::Draining => "draining",
            Self::Fault => "fault",
            Self::Slow => "slow",
            Self::Silent => "silent",
        };
        CutLabels { reason }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CutLabels {
    reason: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RoomLabels {
    state: &'static str,
}

/// How many rooms there are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RoomCounts {
    pub open: i64,
    /// Those that are archived and erased next.
    pub ending: i64,
}

/// The numbers of a chat. It is cheap to clone.
#[derive(Clone, Debug)]
pub struct Metrics {
    pub(crate) posts: Counter,
    pub(crate) changes: Counter,
    pub(crate) commit_seconds: Histogram,
    pub(crate) commit_size: Histogram,
    pub(crate) failed_commits: Counter,
    pub(crate) followers: Gauge,
    pub(crate) deliveries: Counter,
    pub(crate) archive_failures: Counter,
    pub(crate) task_panics: Counter,
    cuts: Family<CutLabels, Counter>,
    rooms: Family<RoomLabels, Gauge>,
    pub(crate) files: FileMetrics,
    /// What only a node of several has.
    node: Option<NodeMetrics>,
}

impl Default for Metrics {
    fn default() -> Self {
        let metrics = Self {
            posts: Counter::default(),
            changes: Counter::default(),
            commit_seconds: Histogram::new(COMMIT_SECONDS),
            commit_size: Histogram::new(COMMIT_SIZES),
            failed_commits: Counter::default(),
            followers: Gauge::default(),
            deliveries: Counter::default(),
            archive_failures: Counter::default(),
            task_panics: Counter::default(),
            cuts: Family::default(),
            rooms: Family::default(),
            files: FileMetrics::default(),
            node: None,
        };
        // A series that is there from the start shows its first increase.
        for cut in StreamCut::ALL {
            let _ = metrics.cuts.get_or_create(&cut.labels());
        }
        metrics
    }
}

impl Metrics {
    /// The numbers of a chat that may be one of several nodes.
    pub(crate) fn of_node(node: Option<NodeMetrics>) -> Self {
        Self {
            node,
            ..Self::default()
        }
    }

    #[cfg(test)]
    pub(crate) fn node(&self) -> Option<&NodeMetrics> {
        self.node.as_ref()
    }

    /// Sets whether this node does what one of them has to do alone.
    pub(crate) fn set_leader(&self, is_leader: bool) {
        if let Some(node) = &self.node {
            node.leader.set(is_leader.into());
        }
    }

    /// Counts a stream that the server has ended.
    pub fn count_cut(&self, reason: StreamCut) {
        self.cuts.get_or_create(&reason.labels()).inc();
    }

    /// Sets the numbers of rooms. Without them there are no such series.
    pub(crate) fn set_rooms(&self, counts: Option<RoomCounts>) {
        let Some(RoomCounts { open, ending }) = counts else {
            self.rooms.clear();
            return;
        };
        for (state, count) in [("open", open), ("ending", ending)] {
            self.rooms.get_or_create(&RoomLabels { state }).set(count);
        }
    }

    /// Puts the numbers into a registry.
    pub fn register(&self, registry: &mut Registry) {
        let Self {
            posts,
            changes,
            commit_seconds,
            commit_size,
            failed_commits,
            followers,
            deliveries,
            archive_failures,
            task_panics,
            cuts,
            rooms,
            files,
            node,
        } = self;
        registry.register("posts", "Messages that were stored", posts.clone());
        let help = "Edits and deletions that were stored";
        registry.register("changes", help, changes.clone());
        registry.register_with_unit(
            "commit",
            "Time from the first read of a commit of messages to its acknowledgement by the database",
            Unit::Seconds,
            commit_seconds.clone(),
        );
        let help = "Requests in a commit of messages";
        registry.register("commit_size", help, commit_size.clone());
        let help = "Commits of messages that failed";
        registry.register("failed_commits", help, failed_commits.clone());
        let help = "Open subscriptions to rooms; a stream of several rooms has several";
        registry.register("followers", help, followers.clone());
        let help = "Messages, edits and deletions that were handed to followers";
        registry.register("deliveries", help, deliveries.clone());
        let help = "Rooms that could not be archived and were opened again";
        registry.register("archive_failures", help, archive_failures.clone());
        let help = "Panics of background tasks";
        registry.register("task_panics", help, task_panics.clone());
        let help = "Streams that the server has ended";
        registry.register("stream_cut", help, cuts.clone());
        registry.register("rooms", "Rooms in the database", rooms.clone());
        files.register(registry);
        if let Some(node) = node {
            node.register(registry);
        }
    }
}
