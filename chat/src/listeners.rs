//! The listeners: the parts of this process that hear of committed transactions.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::timeout;

use crate::current_epoch::CurrentEpoch;
use crate::events::DomainEvent;
use crate::identity::session_watch::SessionRegistry;
use crate::log::load::{RegistrationCounter, UnlistingCounter};
use crate::nodes::Bell;
use crate::realtime::hub::Hub;
use crate::realtime::public_rooms::PublicRooms;
use crate::store::{Store, WriteTransaction};
use crate::{Config, Error, Metrics};

/// How long a node that ends waits for the database.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(1);

/// The parts of this process that hear of committed transactions. It is cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Listeners {
    pub hub: Hub,
    pub public_rooms: PublicRooms,
    pub sessions: SessionRegistry,
    pub registrations: RegistrationCounter,
    pub unlistings: UnlistingCounter,
    /// Wakes the eraser when rooms are frozen.
    pub frozen: Arc<Notify>,
    /// Wakes the sweeper of files.
    pub files: Arc<Notify>,
    /// Wakes the watch of the operators.
    pub operators: Arc<Notify>,
    /// Tells the other nodes, if the database can have several.
    pub bell: Option<Bell>,
}

impl Listeners {
    pub fn new(
        config: &Config,
        bell: Option<Bell>,
        metrics: &Metrics,
        epoch: CurrentEpoch,
    ) -> Self {
        let mut hub = Hub::new(
            config.ring_bytes,
            config.clock.clone(),
            metrics.clone(),
            epoch,
        );
        if bell.is_some() {
            hub = hub.sharing_presence();
        }
        Self {
            hub,
            public_rooms: PublicRooms::new(),
            sessions: SessionRegistry::default(),
            registrations: RegistrationCounter::default(),
            unlistings: UnlistingCounter::default(),
            frozen: Arc::default(),
            files: Arc::default(),
            operators: Arc::default(),
            bell,
        }
    }

    /// Applies an event here, and tells the other nodes.
    pub fn announce(&self, event: &DomainEvent) {
        event.apply(self);
        if let Some(bell) = &self.bell {
            bell.ring(event);
        }
    }

    /// Tells the other nodes of the last events, once the tasks have ended.
    pub async fn finish(&self, store: &Store) {
        let (Some(bell), Some(nodes)) = (&self.bell, store.node_store()) else {
            return;
        };
        match timeout(ANSWER_TIMEOUT, bell.finish(&nodes)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::debug!(%error, "the other nodes miss the last events"),
            Err(_) => tracing::debug!("the other nodes miss the last events"),
        }
    }

    /// Commits a transaction, and applies its events before the next transaction may begin. Both
    /// steps complete even if the caller of this future drops it.
    pub async fn commit(
        &self,
        tx: WriteTransaction,
        events: impl IntoIterator<Item = DomainEvent>,
    ) -> Result<(), Error> {
        let listeners = self.clone();
        let events: Vec<DomainEvent> = events.into_iter().collect();
        let commit = async move {
            let write_lock = tx.commit().await?;
            events.iter().for_each(|event| listeners.announce(event));
            drop(write_lock);
            Ok(())
        };
        tokio::spawn(commit).await.map_err(Error::fault)?
    }
}
