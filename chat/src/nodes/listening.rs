//! Listening: applies the events of other nodes.
//!
//! # Guarantees
//! - The rings of a node are applied in their order, each once, unless some of them were removed:
//!   then `catch_up` reads everything that may have changed.
//! - Between two looks at the rings that were not heard is at most [`LOOK_INTERVAL`], also while a
//!   pooler swallows all of them: then it is [`POLL_INTERVAL`].

use std::sync::{Arc, Mutex};
use std::time::Duration;

use protocol::Time;
use tokio::time::Instant;

use super::bell::{Bell, Ring, RingHeader};
use super::every;
use super::heard::{HeardRings, Place};
use crate::current_epoch::CurrentEpoch;
use crate::events::DomainEvent;
use crate::metrics::NodeMetrics;
use crate::retries::Retries;
use crate::store::{NodeStore, NotificationListener, NumberedText, RINGS_MAX, Store};
use crate::sync::lock;
use crate::{Clock, Error, Listeners};

/// How long to wait before the database is tried again.
const RETRY: Duration = Duration::from_millis(500);

/// The time between two looks at what was not heard.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// The same on a connection that hears nothing.
const POLL_INTERVAL: Duration = Duration::from_millis(200);

/// After how long a connection that has not heard its own node hears nothing.
const DEAF_AFTER: Duration = Duration::from_secs(2);

const DEAF: &str = "no notification of the database arrives, as behind a pooler that gives connections for \
    a transaction only: give the address of the database itself with --database-direct. Meanwhile \
    this node asks for news every 200 ms";

/// What is needed to apply the events of other nodes.
#[derive(Clone, Debug)]
pub(crate) struct Listening {
    pub store: Store,
    pub nodes: NodeStore,
    pub listeners: Listeners,
    pub epoch: CurrentEpoch,
    pub clock: Clock,
    pub metrics: NodeMetrics,
    /// The bell of this node.
    pub bell: Bell,
    /// The connection that has listened since before the first follower, until it is used.
    pub first: Arc<Mutex<Option<NotificationListener>>>,
    /// Never locked across an await.
    pub heard: Arc<Mutex<HeardRings>>,
}

/// How this node has received a ring.
#[derive(Clone, Copy, Debug)]
enum Arrival {
    Heard,
    ReadAgain,
}

impl Listening {
    /// Runs until it is dropped.
    pub async fn run(self) {
        let mut retries = Retries::of("hear the other nodes");
        loop {
            if let Err(error) = self.listen(&mut retries).await {
                retries.note_failure(&error);
            }
            tokio::time::sleep(RETRY).await;
        }
    }

    /// Applies events until the connection ends.
    async fn listen(&self, retries: &mut Retries) -> Result<(), Error> {
        self.metrics.hears_rings.set(0);
        self.metrics.nodes.set(0);
        let first = lock(&self.first).take();
        let mut listener = match first {
            Some(listener) => listener,
            None => {
                let listener = self.nodes.listen().await?;
                self.catch_up().await?;
                listener
            }
        };
        retries.note_success();
        self.bell.test();
        let mut look_retries = Retries::of("read what other nodes have sent");
        let mut looks = every(LOOK_INTERVAL);
        let mut deaf_at = Some(Instant::now() + DEAF_AFTER);
        loop {
            tokio::select! {
                text = listener.next() => {
                    let Some(text) = text? else {
                        return Ok(());
                    };
                    self.metrics.hears_rings.set(1);
                    if deaf_at.take().is_none() && looks.period() == POLL_INTERVAL {
                        looks = every(LOOK_INTERVAL);
                    }
                    self.hear_unless_faulty(text).await?;
                }
                _ = looks.tick() => {
                    if look_retries.note(self.look().await).is_none() {
                        self.metrics.nodes.set(0);
                    }
                }
                () = reached(deaf_at) => {
                    deaf_at = None;
                    looks = every(POLL_INTERVAL);
                    tracing::warn!("{DEAF}");
                }
            }
        }
    }

    #[cfg(not(test))]
    async fn hear_unless_faulty(&self, text: String) -> Result<(), Error> {
        self.hear(&text).await
    }

    #[cfg(test)]
    async fn hear_unless_faulty(&self, text: String) -> Result<(), Error> {
        for text in self.store.faults().garble(text) {
            self.hear(&text).await?;
        }
        Ok(())
    }

    /// Applies a ring that has arrived.
    async fn hear(&self, text: &str) -> Result<(), Error> {
        let Ok(ring) = serde_json::from_str::<RingHeader>(text) else {
            return self.catch_up().await;
        };
        if ring.from == self.bell.node() {
            return Ok(());
        }
        if self.place(ring) == Place::AfterGap
            && let Err(error) = self.look().await
        {
            tracing::debug!(%error, "what other nodes have sent is read at the next look");
            return Ok(());
        }
        self.take(ring, text, Arrival::Heard).await
    }

    /// Reads and applies the rings that have not arrived.
    async fn look(&self) -> Result<(), Error> {
        loop {
            let heard = lock(&self.heard).last();
            let news = self.nodes.missed_rings(self.bell.node(), heard).await?;
            if lock(&self.heard).note_nodes(&news) {
                self.listeners.hub.want_all_names_elsewhere();
            }
            let others = news.iter().filter(|node| node.is_there).count();
            let others = i64::try_from(others).map_err(Error::fault)?;
            self.metrics.nodes.set(others + 1);
            let has_more = news.iter().any(|node| node.missed.len() >= RINGS_MAX);
            for node in news {
                for NumberedText { number, text } in node.missed {
                    let from = node.node;
                    self.take(RingHeader { from, number }, &text, Arrival::ReadAgain)
                        .await?;
                }
            }
            if !has_more {
                break;
            }
        }
        if lock(&self.heard).has_lost_node {
            self.catch_up().await?;
            lock(&self.heard).has_lost_node = false;
        }
        Ok(())
    }

    fn place(&self, ring: RingHeader) -> Place {
        lock(&self.heard).place(ring)
    }

    /// Applies a ring, unless it was applied before. If one before it is gone, everything is read.
    async fn take(&self, ring: RingHeader, text: &str, arrival: Arrival) -> Result<(), Error> {
        let place = self.place(ring);
        if place == Place::Past {
            return Ok(());
        }
        if place == Place::AfterGap {
            self.catch_up().await?;
        }
        self.count(ring, arrival);
        match serde_json::from_str::<Ring>(text) {
            Ok(ring) => self.apply(ring).await,
            // Another version may have events that this one does not know.
            Err(error) => {
                tracing::debug!(%error, "an unknown event");
                self.catch_up().await?;
            }
        }
        lock(&self.heard).note(ring);
        Ok(())
    }

    /// Counts a ring, and those before it that are gone.
    fn count(&self, ring: RingHeader, arrival: Arrival) {
        let gone = lock(&self.heard).count_gone(ring);
        self.metrics.rings_missed.inc_by(gone);
        match arrival {
            Arrival::Heard => self.metrics.rings_heard.inc(),
            Arrival::ReadAgain => {
                self.metrics.rings_missed.inc();
                self.metrics.rings_read_again.inc()
            }
        };
    }

    async fn apply(&self, Ring { at, events, .. }: Ring) {
        if let Some(at) = at
            && !events.is_empty()
        {
            let delay = self.clock.now().since(Time::from_millis(at));
            self.metrics.ring_delay.observe(delay.as_secs_f64());
        }
        let (heads, others): (Vec<_>, Vec<_>) = events
            .into_iter()
            .partition(|event| matches!(event, DomainEvent::LogAdvanced { .. }));
        self.publish_entries(&heads).await;
        for head in &heads {
            head.apply(&self.listeners);
        }
        for event in &others {
            self.apply_current(event).await;
        }
    }
}

/// Completes at this moment, if there is one.
async fn reached(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}
