//! Errors of the database, each of which is a fault.

use crate::Error;

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
