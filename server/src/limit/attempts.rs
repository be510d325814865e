//! Attempts to guess a secret: on this server and, if its database has several nodes, on all of them.
//!
//! # Guarantees
//! - While the database is out of reach, the attempts on this node alone are limited: guessing stays
//!   limited, and no account is locked.
//!
//! # Not here
//! - The waits: `login_backoff`, and the same in the database (`chat`).

use std::time::Instant;

use chat::SharedAttempts;
use protocol::Refusal;

use crate::limit::login_backoff::{BackoffPolicy, LoginBackoff};

/// The attempts so far.
#[derive(Debug)]
pub(super) struct Attempts {
    here: LoginBackoff,
    everywhere: Option<SharedAttempts>,
}

impl Attempts {
    pub fn new(everywhere: Option<SharedAttempts>) -> Self {
        Self {
            here: LoginBackoff::default(),
            everywhere,
        }
    }

    /// Records an attempt. The caller records it before making it, so that concurrent attempts
    /// count too.
    ///
    /// # Errors
    /// [`Refusal::RateLimited`] during the wait after the previous attempt; then nothing is recorded.
    pub async fn record(&self, subject: &str, policy: BackoffPolicy) -> Result<(), Refusal> {
        let here = self.here.record_attempt(subject, policy, Instant::now());
        let Some(everywhere) = &self.everywhere else {
            return here;
        };
        match everywhere
            .record(subject, policy.free, policy.longest)
            .await
        {
            Ok(None) => Ok(()),
            Ok(Some(rest)) => Err(Refusal::RateLimited(rest)),
            Err(error) => {
                log_failure(&error);
                here
            }
        }
    }

    /// Removes one attempt, because it has succeeded.
    pub async fn remove(&self, subject: &str) {
        self.here.remove_attempt(subject);
        if let Some(everywhere) = &self.everywhere
            && let Err(error) = everywhere.remove(subject).await
        {
            log_failure(&error);
        }
    }

    /// Removes all attempts of a subject, because one has succeeded.
    pub async fn forget(&self, subject: &str) {
        self.here.forget(subject);
        if let Some(everywhere) = &self.everywhere
            && let Err(error) = everywhere.forget(subject).await
        {
            log_failure(&error);
        }
    }
}

fn log_failure(error: &chat::Error) {
    tracing::debug!(%error, "attempts count on this node only");
}
