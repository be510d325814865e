//! The handle to the database, and its transactions.
//!
//! # Guarantees
//! - Transactions from [`Store::begin`] run one after the other, in the order of their calls, and
//!   are durable once committed. With `PostgreSQL` no other server of the same database runs one at
//!   the same time.
//!
//! # Not here
//! - The connections of each kind of database: `sqlite` and `postgres`.

use sqlx::pool::PoolConnection;
use sqlx::{Postgres, Sqlite, Transaction};
use tokio::sync::watch;

use super::location::DatabaseLocation;
use super::pending_erasure::PendingErasure;
use super::postgres::{CommitCount, NodeStore, PostgresPools, vacuum};
use super::sql::{Dialect, Source, query};
use super::sqlite::{Checkpoints, SqlitePools};
use super::unfinished_copy;
use super::write_health::WriteHealth;
use super::write_lock::{WriteLock, WriteLockGuard};
use crate::Error;
#[cfg(test)]
use crate::faults::Faults;

/// What a statement that only reads runs on: a connection of its own, or the transaction that is
/// going to write.
pub(crate) trait Reader: Send {
    /// The connection, for the statements of the store.
    fn connection(&mut self) -> Source<'_>;
}

/// A connection that only reads.
#[derive(Debug)]
pub(crate) enum ReadConnection {
    Sqlite(PoolConnection<Sqlite>),
    Postgres(PoolConnection<Postgres>),
}

impl Reader for ReadConnection {
    fn connection(&mut self) -> Source<'_> {
        match self {
            Self::Sqlite(connection) => Source::Sqlite(connection),
            Self::Postgres(connection) => Source::Postgres(connection),
        }
    }
}

#[derive(Debug)]
enum DatabaseTransaction {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>, Box<PostgresPools>),
}

/// A transaction that may write. It is rolled back if it is dropped.
#[derive(Debug)]
pub(crate) struct WriteTransaction {
    tx: DatabaseTransaction,
    write_lock: WriteLockGuard,
    write_health: WriteHealth,
    /// The mark to set once the transaction is committed, if it deletes text.
    pending_erasure: PendingErasure,
    erases: bool,
}

impl WriteTransaction {
    /// The connection, for the statements of the store.
    pub fn connection(&mut self) -> Source<'_> {
        match &mut self.tx {
            DatabaseTransaction::Sqlite(tx) => Source::Sqlite(tx),
            DatabaseTransaction::Postgres(tx, _) => Source::Postgres(tx),
        }
    }

    /// Notes that the transaction deletes text, which must leave the files of the database too.
    pub fn mark_erasure(&mut self) {
        self.erases = true;
    }

    /// Commits the transaction. No other transaction of this process can write until the caller drops
    /// the result.
    pub async fn commit(self) -> Result<WriteLockGuard, Error> {
        let outcome = match self.tx {
            DatabaseTransaction::Sqlite(tx) => tx.commit().await,
            DatabaseTransaction::Postgres(tx, pools) => pools.commit(tx).await,
        };
        let outcome = outcome.map_err(Error::from);
        self.write_health.record(&outcome);
        outcome?;
        if self.erases {
            self.pending_erasure.mark();
        }
        Ok(self.write_lock)
    }
}

impl Reader for WriteTransaction {
    fn connection(&mut self) -> Source<'_> {
        self.connection()
    }
}

/// The connections to the database.
#[derive(Clone, Debug)]
pub(super) enum Pools {
    Sqlite(SqlitePools),
    Postgres(Box<PostgresPools>),
}

/// The handle to the database. It is cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    pub(super) pools: Pools,
    pub(super) write_lock: WriteLock,
    pub(super) pending_erasure: PendingErasure,
    write_health: WriteHealth,
    /// The faults that tests inject.
    #[cfg(test)]
    faults: Faults,
}

impl Store {
    /// Opens the database and migrates it.
    pub async fn open(location: &DatabaseLocation) -> Result<Self, Error> {
        let pools = match location {
            DatabaseLocation::Sqlite(location) => Pools::Sqlite(SqlitePools::open(location).await?),
            DatabaseLocation::Postgres(location) => {
                Pools::Postgres(Box::new(PostgresPools::open(location).await?))
            }
        };
        let store = Self {
            pools,
            write_lock: WriteLock::default(),
            pending_erasure: PendingErasure::default(),
            write_health: WriteHealth::default(),
            #[cfg(test)]
            faults: location.faults().clone(),
        };
        unfinished_copy::refuse(store.read()).await?;
        Ok(store)
    }

    /// The kind of the database.
    pub fn dialect(&self) -> Dialect {
        self.read().dialect()
    }

    /// Whether other servers may use the database at the same time.
    pub fn is_shared(&self) -> bool {
        self.dialect() == Dialect::Postgres
    }

    /// The connections that read.
    pub fn read(&self) -> Source<'_> {
        match &self.pools {
            Pools::Sqlite(pools) => Source::SqlitePool(&pools.read),
            Pools::Postgres(pools) => Source::PostgresPool(&pools.read),
        }
    }

    /// A connection that only reads, when one of them is free.
    pub async fn reader(&self) -> Result<ReadConnection, Error> {
        Ok(match &self.pools {
            Pools::Sqlite(pools) => ReadConnection::Sqlite(pools.reader().await?),
            Pools::Postgres(pools) => ReadConnection::Postgres(pools.reader().await?),
        })
    }

    /// Begins a transaction that may write, after the transactions before it have ended.
    pub async fn begin(&self) -> Result<WriteTransaction, Error> {
        let write_lock = self.write_lock.clone().lock_owned().await;
        let tx = match &self.pools {
            Pools::Sqlite(pools) => pools.begin().await.map(DatabaseTransaction::Sqlite),
            Pools::Postgres(pools) => {
                let tx = pools.begin().await;
                tx.map(|tx| DatabaseTransaction::Postgres(tx, pools.clone()))
            }
        };
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

    /// The faults that tests inject.
    #[cfg(test)]
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// The outcomes of the latest commits, which the writer records too.
    pub fn write_health(&self) -> &WriteHealth {
        &self.write_health
    }

    /// The mark to set after text was deleted.
    pub fn pending_erasure(&self) -> &PendingErasure {
        &self.pending_erasure
    }

    /// What the nodes of the database write for each other, if it can have several.
    pub fn node_store(&self) -> Option<NodeStore> {
        match &self.pools {
            Pools::Sqlite(_) => None,
            Pools::Postgres(pools) => Some((**pools).clone()),
        }
    }

    /// Says whether this node of a shared database does what one of them has to do alone, until it is
    /// dropped.
    pub async fn lead(self, is_leader: watch::Sender<bool>) {
        if let Pools::Postgres(pools) = self.pools {
            pools.lead(is_leader).await;
        }
    }

    /// The number of transactions that this server has committed, if the database can lose some: it
    /// may be restored, or replaced by a standby, while the server runs.
    pub fn commit_count(&self) -> Option<&CommitCount> {
        match &self.pools {
            Pools::Sqlite(_) => None,
            Pools::Postgres(pools) => Some(pools.commits()),
        }
    }

    /// The connections that write, for statements that need no order among the transactions.
    pub fn write(&self) -> Source<'_> {
        match &self.pools {
            Pools::Sqlite(pools) => Source::SqlitePool(&pools.write),
            Pools::Postgres(pools) => Source::PostgresPool(pools.write()),
        }
    }

    /// Checks that the database answers a read.
    pub async fn check_reads(&self) -> Result<(), Error> {
        query("select 1").execute(self.read()).await?;
        Ok(())
    }

    /// Does what the database needs from time to time, until it is dropped.
    pub async fn run_maintenance(self) {
        match self.pools {
            Pools::Sqlite(pools) => {
                let checkpoints = Checkpoints {
                    pools,
                    write_lock: self.write_lock,
                    pending_erasure: self.pending_erasure,
                };
                checkpoints.run().await;
            }
            Pools::Postgres(pools) => {
                tokio::join!(
                    pools.forget_old_attempts(),
                    vacuum(*pools.clone(), self.pending_erasure),
                );
            }
        }
    }

    /// Closes all connections, after the running transaction.
    pub async fn close(&self) {
        match &self.pools {
            Pools::Sqlite(pools) => pools.close().await,
            Pools::Postgres(pools) => pools.close().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{TestChat, new_message};
    use crate::{Error, MessagesPage, Person};

    #[tokio::test]
    async fn message_whose_acknowledgement_was_lost_is_stored_once() {
        let test = TestChat::new(|_| {}).await;
        if !test.chat.0.store.is_shared() {
            return;
        }
        let room = test.create_room().await;
        let post = async || {
            let (message, key) = (new_message("once"), Some("k".into()));
            let posted = test
                .chat
                .post_message(&Person::Anonymous, &room, &message, key);
            posted.await
        };
        test.config.faults.lose_answers(true);
        for _ in 0..3 {
            assert!(matches!(post().await, Err(Error::Unavailable(_))));
        }
        test.config.faults.lose_answers(false);
        assert_eq!(post().await.unwrap().id, 1);
        assert_eq!(test.post(room, "next").await.id, 2);
    }

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
