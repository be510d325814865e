//! The error type: a refusal is an expected answer, a fault is a failure of the server. In between,
//! a database on another machine may be out of reach for a while.

use std::sync::Arc;

use protocol::Refusal;

/// The error of every method of [`crate::Chat`]. It is cheap to clone, because one failed commit
/// answers many posts.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// The request is refused; the reason goes to the client.
    #[error(transparent)]
    Refusal(#[from] Refusal),
    /// The database is out of reach at the moment, or too busy; the client may try again.
    #[error(transparent)]
    Unavailable(Arc<dyn std::error::Error + Send + Sync>),
    /// The server failed; the cause goes to the log, and the client only learns that there was a
    /// failure.
    #[error(transparent)]
    Fault(Arc<dyn std::error::Error + Send + Sync>),
}

impl Error {
    /// A fault with this cause.
    pub fn fault(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Fault(Arc::from(source.into()))
    }
}

impl From<std::io::Error> for Error {
    fn from(source: std::io::Error) -> Self {
        Self::fault(source)
    }
}

impl From<getrandom::Error> for Error {
    fn from(source: getrandom::Error) -> Self {
        Self::fault(source.to_string())
    }
}
