//! Attempts to guess a secret, which count on all nodes of a database together.
//!
//! # Not here
//! - What counts as an attempt, and how long it has to wait: the server.

use std::time::Duration;

use sha2::{Digest, Sha256};

use crate::store::NodeStore;
use crate::{Chat, Error};

/// The attempts that all nodes of a database count together. It is cheap to clone.
#[derive(Clone, Debug)]
pub struct SharedAttempts(NodeStore);

impl Chat {
    /// The attempts that all nodes count together; `None` if the database has one node.
    pub fn shared_attempts(&self) -> Option<SharedAttempts> {
        self.0.store.node_store().map(SharedAttempts)
    }
}

impl SharedAttempts {
    /// Counts an attempt, unless it has to wait: then it returns for how long. After the `free`
    /// attempts, the wait doubles with each attempt, up to the `longest`; an hour after the last one
    /// they are forgotten.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn record(
        &self,
        subject: &str,
        free: u32,
        longest: Duration,
    ) -> Result<Option<Duration>, Error> {
        self.0.record_attempt(digest(subject), free, longest).await
    }

    /// Removes one attempt of a subject, because it has succeeded.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn remove(&self, subject: &str) -> Result<(), Error> {
        self.0.remove_attempt(digest(subject)).await
    }

    /// Removes all attempts of a subject, because one has succeeded.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn forget(&self, subject: &str) -> Result<(), Error> {
        self.0.forget_attempts(digest(subject)).await
    }
}

/// What the database knows a subject by: it has no need of addresses and mistyped usernames.
fn digest(subject: &str) -> i64 {
    let digest: [u8; 32] = Sha256::digest(subject).into();
    digest
        .first_chunk()
        .map_or(0, |bytes| i64::from_be_bytes(*bytes))
}
