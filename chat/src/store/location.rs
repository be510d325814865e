//! Where the database is.

use std::path::Path;

use super::log_connection::LogConnection;
use super::postgres::{PostgresLocation, PostgresLog};
use super::sqlite::{SqliteLocation, SqliteLog};
#[cfg(test)]
use crate::faults::Faults;
use crate::{Config, Error};

/// Where the database is.
#[derive(Clone, Debug)]
pub(crate) enum DatabaseLocation {
    /// In a file.
    Sqlite(Box<SqliteLocation>),
    /// On a server.
    Postgres(Box<PostgresLocation>),
}

impl DatabaseLocation {
    /// The database of the configuration, by default `webchat.db` in the data directory.
    ///
    /// # Errors
    /// The URL of the configuration cannot be read.
    pub fn of(config: &Config) -> Result<Self, Error> {
        let location = match &config.database {
            Some(url) if is_postgres(url) => {
                let has_own_archives = config.archive && config.shared_archive.is_none();
                let location = PostgresLocation::of_url(url)?.alone(has_own_archives);
                let location = match &config.database_direct {
                    Some(url) => location.with_direct_url(url)?,
                    None => location,
                }
                .named(&config.node);
                #[cfg(test)]
                let location = location.with_faults(config.faults.clone());
                return Ok(Self::Postgres(Box::new(location)));
            }
            Some(url) => SqliteLocation::of_url(url)?,
            None => SqliteLocation::of_file(config.data_dir.join("webchat.db")),
        };
        #[cfg(test)]
        let location = location.with_faults(config.faults.clone());
        Ok(Self::Sqlite(Box::new(location)))
    }

    /// The faults that tests inject.
    #[cfg(test)]
    pub fn faults(&self) -> &Faults {
        match self {
            Self::Sqlite(location) => location.faults(),
            Self::Postgres(location) => location.faults(),
        }
    }

    /// Opens a connection for the writer.
    pub fn connect_log(&self) -> Result<Box<dyn LogConnection>, Error> {
        Ok(match self {
            Self::Sqlite(location) => Box::new(SqliteLog::open(location)?),
            Self::Postgres(location) => Box::new(PostgresLog::new(location)),
        })
    }

    /// The file of the database, if it is in one.
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::Sqlite(location) => Some(location.path()),
            Self::Postgres(_) => None,
        }
    }
}

/// Checks the form of the URL of a database of `PostgreSQL`.
///
/// # Errors
/// The reason why it cannot be read.
pub fn check_postgres_url(url: &str) -> Result<(), String> {
    let location = PostgresLocation::of_url(url);
    location.map(|_| ()).map_err(|error| error.to_string())
}

/// Whether a URL names a database of `PostgreSQL`.
pub fn is_postgres(url: &str) -> bool {
    url.starts_with("postgres://") || url.starts_with("postgresql://")
}
