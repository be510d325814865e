//! Databases of later versions.
//!
//! # Guarantees
//! - A database that a later version has written is refused before anything is read or written.

use sqlx::migrate::MigrateError;

use super::sql::{Source, query_as};
use crate::Error;

/// Refuses a database with a migration that this version does not know, by the result of the
/// migration.
pub(crate) fn refuse_later_version(migrated: Result<(), MigrateError>) -> Result<(), Error> {
    match migrated {
        Err(MigrateError::VersionMissing(number)) => {
            Err(later_version(&format!("migration {number}")))
        }
        migrated => Ok(migrated?),
    }
}

/// Refuses a log with entries of a kind that this version does not know.
pub(super) async fn refuse_later_entries(database: Source<'_>) -> Result<(), Error> {
    let sql = "select max(kind) from message where kind > 2";
    let kind: Option<i64> = query_as(sql).fetch_one(database).await?;
    match kind {
        Some(kind) => Err(later_version(&format!("entries of kind {kind}"))),
        None => Ok(()),
    }
}

pub(super) fn later_version(what: &str) -> Error {
    Error::fault(format!(
        "a later version of webchat has written this database, which has {what}; \
         start that version or a later one"
    ))
}
