//! The connections to the `SQLite` database: one that writes, and a few that read.
//!
//! # Guarantees
//! - A committed transaction is durable (write-ahead log, one `fdatasync` per commit).
//! - Readers never wait for a writer.
//! - A transaction that the database has ended by itself (no space, a broken disk) costs a
//!   connection, and later transactions work.

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Connection, Sqlite, SqliteConnection, SqlitePool, Transaction};

use super::migrate;
use crate::Error;
#[cfg(test)]
use crate::faults;

/// How long to wait for other processes, such as one that takes a backup.
pub(crate) const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// How long to wait for readers before the write-ahead log can be emptied. No transaction can write
/// meanwhile.
const READERS_TIMEOUT: Duration = Duration::from_millis(50);

/// The size of a page of a new database, in bytes. A message in a quiet room writes a page of its
/// own, so this is half of the default of `SQLite`; with even smaller pages the messages of a room
/// are spread over many pages.
const PAGE_SIZE: u32 = 2_048;

/// The number of connections that read.
pub(crate) const READERS: u32 = 4;

/// The file of a database.
#[derive(Clone, Debug)]
pub(crate) struct SqliteLocation {
    options: SqliteConnectOptions,
    #[cfg(test)]
    faults: faults::Faults,
}

impl SqliteLocation {
    /// The database in this file.
    pub fn of_file(file: PathBuf) -> Self {
        Self::new(SqliteConnectOptions::new().filename(file))
    }

    /// The database of a URL.
    ///
    /// # Errors
    /// The URL cannot be read.
    pub fn of_url(url: &str) -> Result<Self, Error> {
        Ok(Self::new(SqliteConnectOptions::from_str(url)?))
    }

    fn new(options: SqliteConnectOptions) -> Self {
        Self {
            options,
            #[cfg(test)]
            faults: faults::Faults::default(),
        }
    }

    /// Injects faults into the connections.
    #[cfg(test)]
    pub fn with_faults(mut self, faults: faults::Faults) -> Self {
        self.faults = faults;
        self
    }

    #[cfg(test)]
    pub fn faults(&self) -> &faults::Faults {
        &self.faults
    }

    pub fn path(&self) -> &Path {
        self.options.get_filename()
    }

    pub fn options(&self) -> SqliteConnectOptions {
        self.options.clone().busy_timeout(BUSY_TIMEOUT)
    }

    /// Opens a connection outside of the pools, for the writer.
    pub fn connect(&self) -> Result<rusqlite::Connection, Error> {
        let connection = rusqlite::Connection::open(self.path())?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        connection.pragma_update(None, "synchronous", "full")?;
        connection.pragma_update(None, "wal_autocheckpoint", 0)?;
        connection.pragma_update(None, "secure_delete", true)?;
        #[cfg(test)]
        self.faults.happen_on(&connection)?;
        Ok(connection)
    }

    /// A pool whose connections stay open.
    fn pool(&self) -> SqlitePoolOptions {
        // A file does not go away as a server does, so a test before each use gains nothing.
        let pool = SqlitePoolOptions::new()
            .idle_timeout(None)
            .max_lifetime(None)
            .test_before_acquire(false);
        #[cfg(test)]
        let pool = self.faults.happen_in(pool);
        pool
    }
}

/// The connections to the database. They are cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct SqlitePools {
    pub read: SqlitePool,
    pub write: SqlitePool,
    pub checkpoint: SqlitePool,
}

impl SqlitePools {
    /// Opens the database, which is created if it does not exist, and migrates it.
    pub async fn open(location: &SqliteLocation) -> Result<Self, Error> {
        let options = location
            .options()
            .create_if_missing(true)
            .page_size(PAGE_SIZE)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .pragma("wal_autocheckpoint", "0")
            // Deleted text is overwritten.
            .pragma("secure_delete", "on");
        let write = location
            .pool()
            .max_connections(1)
            .after_release(|connection, _| Box::pin(is_reusable(connection)))
            .connect_with(options.clone())
            .await?;
        migrate::run(&write).await?;
        let checkpoint = location
            .pool()
            .max_connections(1)
            .connect_with(options.clone().busy_timeout(READERS_TIMEOUT))
            .await?;
        let read = location
            .pool()
            .max_connections(READERS)
            .connect_with(options.read_only(true))
            .await?;
        Ok(Self {
            read,
            write,
            checkpoint,
        })
    }

    /// A connection that only reads, when one of them is free.
    pub async fn reader(&self) -> Result<PoolConnection<Sqlite>, Error> {
        Ok(self.read.acquire().await?)
    }

    /// Begins a transaction that may write. The caller holds the write lock.
    pub async fn begin(&self) -> Result<Transaction<'static, Sqlite>, Error> {
        Ok(self.write.begin_with("begin immediate").await?)
    }

    /// Closes all connections, after the running transaction. The connection that writes is closed
    /// last and moves the write-ahead log into the database, which connections that only read
    /// cannot do.
    pub async fn close(&self) {
        self.read.close().await;
        self.checkpoint.close().await;
        self.write.close().await;
    }
}

/// Whether a connection can be used again. If the database has ended a transaction by itself
/// (no space, a failed disk), the pool still counts the transaction as open, and the connection
/// could not begin another one.
async fn is_reusable(connection: &mut SqliteConnection) -> sqlx::Result<bool> {
    // The rollback of a dropped transaction is only queued; this waits for it.
    connection.ping().await?;
    Ok(!connection.is_in_transaction())
}
