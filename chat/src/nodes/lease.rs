//! The lease: says again and again that this node is there.
//!
//! # Guarantees
//! - A node that ends is gone for the others when its lease has ended, within seconds: what it has
//!   written for them counts no more.
//!
//! # Not here
//! - How long a lease lasts: `store::postgres`, whose clock decides.

use std::time::Duration;

use super::every;
use crate::realtime::hub::Hub;
use crate::retries::Retries;
use crate::store::{NodeStore, Renewal};

/// The time between two renewals.
const INTERVAL: Duration = Duration::from_secs(1);

/// What is needed to keep the lease of this node.
#[derive(Clone, Debug)]
pub(crate) struct Lease {
    pub store: NodeStore,
    pub hub: Hub,
    pub node: i64,
}

impl Lease {
    /// Runs until it is dropped.
    pub async fn run(self) {
        let mut interval = every(INTERVAL);
        let mut retries = Retries::of("renew the lease of this node");
        loop {
            interval.tick().await;
            let renewed = self.store.renew_node(self.node).await;
            if retries.note(renewed) == Some(Renewal::Forgotten) {
                self.hub.note_all_names();
            }
        }
    }
}
