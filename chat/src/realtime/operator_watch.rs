//! The watch for operators that `webchat admin` makes or revokes while the server runs: another
//! process writes them to the database.
//!
//! # Guarantees
//! After such a change the followers of all rooms learn within [`CHECK_INTERVAL`] that roles have
//! changed, and at once where the database can notify its servers.
//!
//! # Not here
//! What operators may do: each request reads that from the database.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;

use super::hub::Hub;
use crate::retries::Retries;
use crate::store::{Store, accounts};
use crate::{Clock, Error};

/// The time between two looks at the list of operators.
const CHECK_INTERVAL: Duration = Duration::from_secs(5);

/// The most operators that are compared; rooms name fewer.
const COMPARED_MAX: usize = 1_000;

/// The task that looks at the list of operators.
#[derive(Clone, Debug)]
pub(crate) struct OperatorWatch {
    store: Store,
    hub: Hub,
    clock: Clock,
    /// Wakes the task after a change.
    changed: Arc<Notify>,
    known: Vec<String>,
}

impl OperatorWatch {
    /// Begins with the operators of now.
    pub async fn new(
        store: Store,
        hub: Hub,
        clock: Clock,
        changed: Arc<Notify>,
    ) -> Result<Self, Error> {
        let known = list(&store).await?;
        Ok(Self {
            store,
            hub,
            clock,
            changed,
            known,
        })
    }

    /// Runs until it is dropped.
    pub async fn run(mut self) {
        let mut retries = Retries::of("read the list of operators");
        loop {
            let next = self.clock.now().after(CHECK_INTERVAL);
            tokio::select! {
                () = self.clock.sleep_until(next) => {}
                () = self.changed.notified() => {}
            }
            if let Some(operators) = retries.note(list(&self.store).await)
                && operators != self.known
            {
                self.known = operators;
                self.hub.announce_roles_in_all_rooms();
            }
        }
    }
}

async fn list(store: &Store) -> Result<Vec<String>, Error> {
    let mut reader = store.reader().await?;
    accounts::list_operators(&mut reader, COMPARED_MAX).await
}
