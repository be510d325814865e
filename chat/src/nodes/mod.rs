//! The nodes: the servers that share one database.
//!
//! A node passes the events of what it commits to the others as notifications of the database, which
//! may be lost. They are hints: what has changed is read from the store.
//!
//! # Guarantees
//! - Rings that are lost, doubled, late or in another order do no harm: they are numbered, and a node
//!   that has missed one reads it again, within a second. What cannot be read again any more is looked
//!   up as a whole.
//! - Events wait at most [`bell::GATHERING`] before they are sent, and never for each other's
//!   commits.
//! - What a node has written for the others ends with it, within seconds.
//!
//! # Not here
//! - The notifications themselves, and the lock of the leader: `store::postgres`.

pub(crate) mod bell;
mod catch_up;
mod current;
pub(crate) mod database_clock;
#[cfg(test)]
mod failover_tests;
#[cfg(test)]
mod garbled_tests;
mod heard;
mod history_watch;
mod lease;
mod listening;
pub(crate) mod operator_change;
#[cfg(test)]
mod outage_tests;
mod presence;
#[cfg(test)]
mod presence_tests;
#[cfg(test)]
mod race_tests;
mod remote_log;
#[cfg(test)]
pub(crate) mod tests;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::{Interval, MissedTickBehavior};

pub(crate) use self::bell::Bell;
use self::heard::HeardRings;
use self::history_watch::HistoryWatch;
use self::lease::Lease;
use self::listening::Listening;
use self::presence::PresenceExchange;
use crate::metrics::NodeMetrics;
use crate::store::{NodeStore, NotificationListener};
use crate::{Clock, Error, Inner};

/// This node, which has joined the others and listens.
#[derive(Debug)]
pub(crate) struct Node {
    pub bell: Bell,
    pub metrics: NodeMetrics,
    store: NodeStore,
    listener: NotificationListener,
    heard: HeardRings,
}

impl Node {
    /// Joins the nodes of a database.
    pub async fn join(store: NodeStore, clock: Clock) -> Result<Self, Error> {
        let metrics = NodeMetrics::default();
        let bell = Bell::new(store.commits().node(), clock, metrics.clone());
        store.join_nodes(bell.node()).await?;
        let listener = store.listen().await?;
        let heard = HeardRings::begin(store.newest_rings(bell.node()).await?);
        Ok(Self {
            bell,
            metrics,
            store,
            listener,
            heard,
        })
    }

    /// Starts the tasks that tell the other nodes and hear them, and follow their database.
    pub fn start(self, chat: &Inner) -> Vec<JoinHandle<()>> {
        let Inner {
            store,
            listeners,
            clock,
            epoch,
            supervisor,
            ..
        } = chat;
        let Self {
            bell,
            metrics,
            store: nodes,
            listener,
            heard,
        } = self;
        let lease = Lease {
            store: nodes.clone(),
            hub: listeners.hub.clone(),
            node: bell.node(),
        };
        let presence = PresenceExchange {
            store: nodes.clone(),
            hub: listeners.hub.clone(),
            bell: bell.clone(),
        };
        let listening = Listening {
            store: store.clone(),
            nodes: nodes.clone(),
            listeners: listeners.clone(),
            epoch: epoch.clone(),
            clock: clock.clone(),
            metrics,
            bell: bell.clone(),
            first: Arc::new(Mutex::new(Some(listener))),
            heard: Arc::new(Mutex::new(heard)),
        };
        let history = HistoryWatch {
            store: store.clone(),
            hub: listeners.hub.clone(),
            epoch: epoch.clone(),
        };
        let (rings, clock) = (nodes.clone(), clock.clone());
        vec![
            supervisor.spawn("lease", move || lease.clone().run()),
            supervisor.spawn("shared presence", move || presence.clone().run()),
            supervisor.spawn("listening", move || listening.clone().run()),
            supervisor.spawn("bell", move || bell.clone().run(rings.clone())),
            supervisor.spawn("history", move || history.clone().run()),
            supervisor.spawn("database clock", move || {
                database_clock::follow(nodes.clone(), clock.clone())
            }),
        ]
    }
}

/// Ticks in this interval, the first time now.
fn every(period: Duration) -> Interval {
    let mut interval = tokio::time::interval(period);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    interval
}
