//! The connections to the `SQLite` database: one that writes, and a few that read.
//!
//! # Guarantees
//! - Transactions from [`Store::begin`] run one after the other, in the order of their calls, and
//!   are durable once committed (write-ahead log, one `fdatasync` per commit).
//! - Readers never wait for a writer.
//! - A transaction that the database has ended by itself (no space, a broken disk) costs a
//!   connection, and later transactions work.
//!
//! # Not here
//! - The statements, which are next to this file: one file for each kind of row.

use std::ops::{Deref, DerefMut};
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use protocol::Epoch;
use sqlx::pool::PoolConnection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Connection, Sqlite, SqliteConnection, SqlitePool, Transaction};
use tokio::sync::{Mutex, OwnedMutexGuard};

use super::migrate;
use super::write_health::WriteHealth;
#[cfg(test)]
use crate::faults;
use crate::{Config, Error};

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
pub(crate) struct DatabaseLocation {
    options: SqliteConnectOptions,
    #[cfg(test)]
    faults: faults::Faults,
}

impl DatabaseLocation {
    /// The database of the configuration, by default `webchat.db` in the data directory.
    pub fn of(config: &Config) -> Result<Self, Error> {
        let options = match &config.database {
            Some(url) => SqliteConnectOptions::from_str(url)?,
            None => SqliteConnectOptions::new().filename(config.data_dir.join("webchat.db")),
        };
        Ok(Self {
            options,
            #[cfg(test)]
            faults: config.faults.clone(),
        })
    }

    pub fn path(&self) -> &Path {
        self.options.get_filename()
    }

    /// The faults that tests inject.
    #[cfg(test)]
    pub fn faults(&self) -> &faults::Faults {
        &self.faults
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

/// Held by the one transaction that may write. `SQLite` itself would let others wait by sleeping
/// and trying again.
pub(crate) type WriteLock = Arc<Mutex<()>>;

/// Whether deleted text may still be in the write-ahead log. Set at the start, because the log of
/// an earlier run may contain such text.
#[derive(Clone, Debug)]
pub(crate) struct PendingErasure(pub(super) Arc<AtomicBool>);

impl Default for PendingErasure {
    fn default() -> Self {
        Self(Arc::new(AtomicBool::new(true)))
    }
}

impl PendingErasure {
    /// Notes that text was deleted.
    pub fn mark(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// What a statement that only reads runs on: a connection of its own, or the transaction that is
/// going to write.
pub(crate) trait Reader: Send {
    /// The connection, for the statements of the store.
    fn connection(&mut self) -> &mut SqliteConnection;
}

/// A connection that only reads.
#[derive(Debug)]
pub(crate) struct ReadConnection(PoolConnection<Sqlite>);

impl Reader for ReadConnection {
    fn connection(&mut self) -> &mut SqliteConnection {
        &mut self.0
    }
}

/// A transaction that may write. It is rolled back if it is dropped.
#[derive(Debug)]
pub(crate) struct WriteTransaction {
    tx: Transaction<'static, Sqlite>,
    write_lock: WriteLockGuard,
    write_health: WriteHealth,
    /// The mark to set once the transaction is committed, if it deletes text.
    pending_erasure: PendingErasure,
    erases: bool,
}

/// While it is held, no other transaction can write.
pub(crate) type WriteLockGuard = OwnedMutexGuard<()>;

impl WriteTransaction {
    /// The connection, for the statements of the store.
    pub(super) fn connection(&mut self) -> &mut SqliteConnection {
        &mut self.tx
    }

    /// Notes that the transaction deletes text, which must leave the write-ahead log too.
    pub fn mark_erasure(&mut self) {
        self.erases = true;
    }

    /// Commits the transaction. No other transaction can write until the caller drops the result.
    pub async fn commit(self) -> Result<WriteLockGuard, Error> {
        let outcome = self.tx.commit().await.map_err(Error::from);
        self.write_health.record(&outcome);
        outcome?;
        if self.erases {
            self.pending_erasure.mark();
        }
        Ok(self.write_lock)
    }
}

impl Reader for WriteTransaction {
    fn connection(&mut self) -> &mut SqliteConnection {
        &mut self.tx
    }
}

impl Deref for WriteTransaction {
    type Target = SqliteConnection;

    fn deref(&self) -> &SqliteConnection {
        &self.tx
    }
}

impl DerefMut for WriteTransaction {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        &mut self.tx
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

/// The handle to the database. It is cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    read: SqlitePool,
    write: SqlitePool,
    pub(super) checkpoint: SqlitePool,
    pub(super) write_lock: WriteLock,
    pub(super) pending_erasure: PendingErasure,
    write_health: WriteHealth,
}

impl Store {
    /// Opens the database, which is created if it does not exist, and migrates it.
    pub async fn open(location: &DatabaseLocation) -> Result<Self, Error> {
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
            write_lock: WriteLock::default(),
            pending_erasure: PendingErasure::default(),
            write_health: WriteHealth::default(),
        })
    }

    /// The connections that read.
    pub fn read(&self) -> &SqlitePool {
        &self.read
    }

    /// A connection that only reads, when one of them is free.
    pub async fn reader(&self) -> Result<ReadConnection, Error> {
        Ok(ReadConnection(self.read.acquire().await?))
    }

    /// Begins a transaction that may write, after the transactions before it have ended.
    pub async fn begin(&self) -> Result<WriteTransaction, Error> {
        let write_lock = self.write_lock.clone().lock_owned().await;
        let tx = self.write.begin_with("begin immediate").await;
        let tx = tx.map_err(Error::from);
        if tx.is_err() {
            self.write_health.record(&tx);
        }
        Ok(WriteTransaction {
            tx: tx?,
            write_lock,
            write_health: self.write_health.clone(),
            pending_erasure: self.pending_erasure.clone(),
            erases: false,
        })
    }

    /// The lock that the writer takes for its own connection.
    pub fn write_lock(&self) -> WriteLock {
        self.write_lock.clone()
    }

    /// The outcomes of the latest commits, which the writer records too.
    pub fn write_health(&self) -> &WriteHealth {
        &self.write_health
    }

    /// The mark to set after text was deleted.
    pub fn pending_erasure(&self) -> &PendingErasure {
        &self.pending_erasure
    }

    /// The epoch of the sequence numbers, which is created with the database.
    pub async fn load_epoch(&self) -> Result<Epoch, Error> {
        Ok(Epoch::new(self.load_or_draw("epoch").await?))
    }

    /// The ID of this instance of the server, which is created with the database.
    pub async fn load_instance_id(&self) -> Result<u32, Error> {
        self.load_or_draw("instance").await
    }

    /// The number of this name, which is drawn at random if there is none.
    async fn load_or_draw(&self, name: &str) -> Result<u32, Error> {
        let mut tx = self.begin().await?;
        sqlx::query("insert into meta (name, value) values ($1, $2) on conflict do nothing")
            .bind(name)
            .bind(i64::from(getrandom::u32()?))
            .execute(&mut *tx)
            .await?;
        let number: i64 = sqlx::query_scalar("select value from meta where name = $1")
            .bind(name)
            .fetch_one(&mut *tx)
            .await?;
        tx.commit().await?;
        u32::try_from(number).map_err(Error::fault)
    }

    /// Checks that the database answers a read.
    pub async fn check_reads(&self) -> Result<(), Error> {
        sqlx::query("select 1").execute(&self.read).await?;
        Ok(())
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

#[cfg(test)]
mod tests {
    use crate::testing::{TestChat, new_message};
    use crate::{MessagesPage, Person};

    #[tokio::test]
    async fn failed_commit_is_not_acknowledged_and_the_next_one_works() {
        let test = TestChat::new(|_| {}).await;
        let room = test.create_room().await;
        let post = async |body: &str| {
            let (message, key) = (new_message(body), Some("k".into()));
            let posted = test
                .chat
                .post_message(&Person::Anonymous, &room, &message, key);
            posted.await
        };
        test.config.faults.arm(0, 1);
        assert!(post("lost").await.is_err());
        test.config.faults.arm(1, 0);
        assert!(
            test.chat
                .list_messages(&Person::Anonymous, &room, MessagesPage::default())
                .await
                .is_err()
        );
        assert!(post("lost").await.is_err());
        test.config.faults.arm(0, 0);
        assert_eq!(post("kept").await.unwrap().id, 1);
        assert_eq!(test.post(room, "next").await.id, 2);
    }
}
