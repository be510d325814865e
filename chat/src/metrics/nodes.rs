//! The numbers of a node: what it tells the other nodes of its database, and what it hears of them.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

/// The bounds of the delays of rings, in seconds: from the gathering to a node that was away.
const DELAY_SECONDS: [f64; 12] = [
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
];

/// The numbers of a node. It is cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct NodeMetrics {
    pub rings_sent: Counter,
    pub rings_heard: Counter,
    pub rings_missed: Counter,
    pub rings_read_again: Counter,
    pub ring_delay: Histogram,
    /// 1 while notifications arrive.
    pub hears_rings: Gauge,
    /// 1 while this node does what one of them has to do alone.
    pub leader: Gauge,
    /// The nodes that are there, with this one; 0 while that is not known.
    pub nodes: Gauge,
}

impl Default for NodeMetrics {
    fn default() -> Self {
        Self {
            rings_sent: Counter::default(),
            rings_heard: Counter::default(),
            rings_missed: Counter::default(),
            rings_read_again: Counter::default(),
            ring_delay: Histogram::new(DELAY_SECONDS),
            hears_rings: Gauge::default(),
            leader: Gauge::default(),
            nodes: Gauge::default(),
        }
    }
}

impl NodeMetrics {
    /// Puts the numbers into a registry.
    pub fn register(&self, registry: &mut Registry) {
        let help = "Notifications that were sent to the other nodes";
        registry.register("rings_sent", help, self.rings_sent.clone());
        let help = "Notifications of other nodes that have arrived";
        registry.register("rings_heard", help, self.rings_heard.clone());
        let help = "Notifications of other nodes that have not arrived in time";
        registry.register("rings_missed", help, self.rings_missed.clone());
        let help = "Missed notifications that were read from the database; after the others, everything is read";
        registry.register("rings_read_again", help, self.rings_read_again.clone());
        registry.register_with_unit(
            "ring_delay",
            "Time from a change on another node to hearing of it, by the clock of the database",
            Unit::Seconds,
            self.ring_delay.clone(),
        );
        let help = "Whether notifications arrive; otherwise they are read from the database";
        registry.register("hears_rings", help, self.hears_rings.clone());
        let help = "Whether this node archives and erases rooms";
        registry.register("leader", help, self.leader.clone());
        let help = "Nodes of the database that are there, with this one";
        registry.register("nodes", help, self.nodes.clone());
    }
}
