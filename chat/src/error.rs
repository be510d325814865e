//! Why something was not done: a refusal, which is an answer, or a fault, which is ours to mend.

use std::sync::Arc;

use protocol::Refusal;

/// What every method of [`crate::Chat`] may answer instead of the thing asked for. Cheap to clone, because one failed
/// commit is the answer to many posts.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// An expected "no"; tell the client.
    #[error(transparent)]
    Refusal(#[from] Refusal),
    /// Something broke; log it, and tell the client nothing but that.
    #[error(transparent)]
    Fault(Arc<dyn std::error::Error + Send + Sync>),
}

impl Error {
    pub(crate) fn fault(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Fault(Arc::from(source.into()))
    }
}

impl From<sqlx::Error> for Error {
    fn from(source: sqlx::Error) -> Self {
        Self::fault(source)
    }
}

impl From<rusqlite::Error> for Error {
    fn from(source: rusqlite::Error) -> Self {
        Self::fault(source)
    }
}

impl From<sqlx::migrate::MigrateError> for Error {
    fn from(source: sqlx::migrate::MigrateError) -> Self {
        Self::fault(source)
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
