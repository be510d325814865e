//! The database: one that writes at a time, a few that read.
//!
//! Promises: every transaction from [`Store::begin`] takes its turn behind the ones before it and is durable once
//! committed (write-ahead log, one `fdatasync` a commit); readers never wait for it; a transaction that the database itself
//! gave up (no space, a broken disk) costs a connection and no more. Leaves to others: the SQL, which stands
//! with the noun that it is about.

use std::ops::{Deref, DerefMut};
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use protocol::Epoch;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Connection, Sqlite, SqliteConnection, SqlitePool, Transaction};
use tokio::sync::{Mutex, OwnedMutexGuard};

#[cfg(test)]
use crate::faults;
use crate::{Config, Error};

/// How long to wait for other processes, such as one that takes a backup.
pub(crate) const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// How long to wait for readers before the log can be emptied. Nobody writes meanwhile.
const READERS_FINISH: Duration = Duration::from_millis(50);

/// The size of a page of a new database, in bytes. Whoever writes a message into a quiet room writes a page of its own, so it
/// is half of what `SQLite` would take; with still smaller ones a room's messages do not stay together.
const PAGE_SIZE: u32 = 2_048;

/// How many readers may ask the database at once.
pub(crate) const READERS: u32 = 4;

/// Where a database is.
#[derive(Clone, Debug)]
pub(crate) struct DatabaseLocation {
    options: SqliteConnectOptions,
    #[cfg(test)]
    faults: faults::Faults,
}

impl DatabaseLocation {
    /// The database that the configuration names, or `webchat.db` in its data directory.
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

    /// How to connect to it.
    pub fn options(&self) -> SqliteConnectOptions {
        self.options.clone().busy_timeout(BUSY_TIMEOUT)
    }

    /// A connection to write with, for who does not share.
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

    /// Connections that are kept for good.
    fn pool(&self) -> SqlitePoolOptions {
        // A file does not go away as a server does, so nothing is gained by asking before each use.
        let pool = SqlitePoolOptions::new()
            .idle_timeout(None)
            .max_lifetime(None)
            .test_before_acquire(false);
        #[cfg(test)]
        let pool = self.faults.happen_in(pool);
        pool
    }
}

/// Whose turn it is to write. `SQLite` would let others wait by sleeping and trying again.
pub(crate) type WriteLock = Arc<Mutex<()>>;

/// Whether something was deleted of which the log may still tell, as that of an earlier run may.
#[derive(Clone, Debug)]
pub(crate) struct PendingErasure(pub(super) Arc<AtomicBool>);

impl Default for PendingErasure {
    fn default() -> Self {
        Self(Arc::new(AtomicBool::new(true)))
    }
}

impl PendingErasure {
    /// Something was deleted.
    pub fn mark(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A transaction that may write. Rolled back if it is dropped.
#[derive(Debug)]
pub(crate) struct WriteTransaction {
    tx: Transaction<'static, Sqlite>,
    turn: OwnedMutexGuard<()>,
}

impl WriteTransaction {
    /// Makes it durable.
    pub async fn commit(self) -> Result<(), Error> {
        self.commit_then(|| ()).await
    }

    /// Makes it durable, and then does something before anybody else may write.
    pub async fn commit_then(self, then: impl FnOnce()) -> Result<(), Error> {
        let Self { tx, turn } = self;
        tx.commit().await?;
        then();
        drop(turn);
        Ok(())
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

/// Whether a connection can be used again. When the database has ended a transaction by itself, because there was no space
/// or the disk failed, the connection still counts it as open and would begin no other one.
async fn is_free(connection: &mut SqliteConnection) -> sqlx::Result<bool> {
    // What a dropped transaction rolls back is only queued; this waits for it.
    connection.ping().await?;
    Ok(!connection.is_in_transaction())
}

#[derive(Clone, Debug)]
pub(crate) struct Store {
    pub(super) read: SqlitePool,
    write: SqlitePool,
    pub(super) checkpoint: SqlitePool,
    pub(super) turn: WriteLock,
    pub(super) deleted: PendingErasure,
}

impl Store {
    /// Opens the database, made if missing, and brings its tables up to date.
    pub async fn open(place: &DatabaseLocation) -> Result<Self, Error> {
        let options = place.options().create_if_missing(true).page_size(PAGE_SIZE);
        let options = options
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full);
        // What is deleted is overwritten.
        let options = options
            .pragma("wal_autocheckpoint", "0")
            .pragma("secure_delete", "on");
        let write = place
            .pool()
            .max_connections(1)
            .after_release(|connection, _| Box::pin(is_free(connection)));
        let write = write.connect_with(options.clone()).await?;
        sqlx::migrate!("src/store/sqlite/migrations")
            .run(&write)
            .await?;
        let checkpoint = place.pool().max_connections(1);
        let checkpoint = checkpoint
            .connect_with(options.clone().busy_timeout(READERS_FINISH))
            .await?;
        let read = place.pool().max_connections(READERS);
        let read = read.connect_with(options.read_only(true)).await?;
        Ok(Self {
            read,
            write,
            checkpoint,
            turn: WriteLock::default(),
            deleted: PendingErasure::default(),
        })
    }

    /// The connections for reading.
    pub fn read(&self) -> &SqlitePool {
        &self.read
    }

    /// The one transaction that may write now; waits for the one before it.
    pub async fn begin(&self) -> Result<WriteTransaction, Error> {
        let turn = self.turn.clone().lock_owned().await;
        Ok(WriteTransaction {
            tx: self.write.begin_with("begin immediate").await?,
            turn,
        })
    }

    /// For the writer, which has a connection of its own.
    pub fn write_lock(&self) -> WriteLock {
        self.turn.clone()
    }

    /// To be told of what is deleted.
    pub fn pending_erasure(&self) -> &PendingErasure {
        &self.deleted
    }

    /// The history that sequences count in, made when the database is.
    pub async fn epoch(&self) -> Result<Epoch, Error> {
        let fresh = i64::from(getrandom::u32()?);
        let mut tx = self.begin().await?;
        sqlx::query("insert into meta (name, value) values ('epoch', $1) on conflict do nothing")
            .bind(fresh)
            .execute(&mut *tx)
            .await?;
        let epoch: i64 = sqlx::query_scalar("select value from meta where name = 'epoch'")
            .fetch_one(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(Epoch::new(u32::try_from(epoch).map_err(Error::fault)?))
    }

    /// Whether the database answers, for reading and for writing.
    pub async fn ready(&self) -> Result<(), Error> {
        sqlx::query("select 1").execute(&self.read).await?;
        self.begin().await?.commit().await
    }

    /// Closes every connection, after the transaction under way. The last one moves the log into the database, which those
    /// that only read cannot.
    pub async fn close(&self) {
        self.read.close().await;
        self.checkpoint.close().await;
        self.write.close().await;
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{TestChat, new_message};

    #[tokio::test]
    async fn a_commit_that_fails_is_not_answered_and_the_next_one_works() {
        let test = TestChat::new(|_| {}).await;
        let room = test.create_room().await;
        test.config.faults.arm(0, 1);
        assert!(
            test.chat
                .post_message(
                    &crate::Person::Anonymous,
                    &room,
                    &new_message("lost"),
                    Some("k")
                )
                .await
                .is_err()
        );
        test.config.faults.arm(1, 0);
        assert!(
            test.chat
                .list_messages(
                    &crate::Person::Anonymous,
                    &room,
                    crate::MessagesPage::default()
                )
                .await
                .is_err()
        );
        assert!(
            test.chat
                .post_message(
                    &crate::Person::Anonymous,
                    &room,
                    &new_message("lost"),
                    Some("k")
                )
                .await
                .is_err()
        );
        test.config.faults.arm(0, 0);
        assert_eq!(
            test.chat
                .post_message(
                    &crate::Person::Anonymous,
                    &room,
                    &new_message("said"),
                    Some("k")
                )
                .await
                .unwrap()
                .id,
            1
        );
        assert_eq!(test.post(room, "next").await.id, 2);
    }
}
