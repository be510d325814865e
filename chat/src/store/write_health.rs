//! The outcome of the latest commits.
//!
//! # Guarantees
//! - A failed commit is known until a later one succeeds.
//! - The log has a line when commits begin to fail, and when they succeed again.

use std::sync::{Arc, Mutex};
use std::time::Instant;

use crate::Error;
use crate::sync::lock;

/// The outcome of the latest commits. It is cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct WriteHealth {
    latest: Arc<Mutex<Option<Commit>>>,
    /// When the latest probe ended. Locked during a probe.
    pub(super) probed: Arc<tokio::sync::Mutex<Option<Instant>>>,
}

/// The outcome of a commit.
#[derive(Clone, Debug)]
pub(super) struct Commit {
    pub at: Instant,
    /// The error, if it failed.
    pub error: Option<String>,
}

impl WriteHealth {
    /// Records the outcome of a commit, or of an attempt to begin a transaction.
    pub fn record<T>(&self, outcome: &Result<T, Error>) {
        let error = match outcome {
            Err(Error::Fault(error) | Error::Unavailable(error)) => Some(error.to_string()),
            Ok(_) | Err(Error::Refusal(_)) => None,
        };
        let commit = Commit {
            at: Instant::now(),
            error,
        };
        let previous = lock(&self.latest).replace(commit.clone());
        let has_failed = previous.is_some_and(|previous| previous.error.is_some());
        match commit.error {
            Some(error) if !has_failed => tracing::error!(error, "the database cannot be written"),
            None if has_failed => tracing::info!("the database can be written again"),
            _ => {}
        }
    }

    pub(super) fn latest(&self) -> Option<Commit> {
        lock(&self.latest).clone()
    }
}
