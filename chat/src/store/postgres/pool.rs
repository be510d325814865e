//! The connections to the `PostgreSQL` database, which other servers may use at the same time.
//!
//! # Guarantees
//! - Transactions that may write take an advisory lock, so they run one after the other on all
//!   servers of the database. The batches of the writers share it: they run beside each other, and
//!   beside no other transaction that writes.
//! - A server that stops in the middle of a transaction holds the others up for
//!   five seconds at most.

use std::time::Duration;

use protocol::Time;
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgPool, Postgres, Transaction};
use tokio::sync::watch;

use super::commit_count::CommitCount;
use super::location::PostgresLocation;
use super::membership::Membership;
use super::migrate;
use super::write_lock::write_lock;
use crate::Error;

/// The number of connections that read.
const READERS: u32 = 8;

/// How long to wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// The code of the error that there is a prepared statement of this name
/// ([PostgreSQL, appendix A](https://www.postgresql.org/docs/current/errcodes-appendix.html)).
const DUPLICATE: &str = "42P05";

const SHARED_STATEMENTS: &str = "a pooler gives the prepared statements of one connection to others: use \
    its mode for sessions (PgBouncer: pool_mode = session), or one that keeps prepared statements apart \
    (PgBouncer 1.21 or newer: max_prepared_statements = 200)";

/// The connections to the database. They are cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct PostgresPools {
    pub read: PgPool,
    write: PgPool,
    pub(super) location: PostgresLocation,
    membership: Membership,
}

impl PostgresPools {
    /// Connects to the database, and migrates it.
    pub async fn open(location: &PostgresLocation) -> Result<Self, Error> {
        let membership = Membership::join(location, location.is_alone()).await?;
        refuse_shared_statements(location.options()).await?;
        let pool = |connections| {
            PgPoolOptions::new()
                .max_connections(connections)
                .acquire_timeout(CONNECT_TIMEOUT)
        };
        let write = pool(2).connect_with(location.options().clone()).await?;
        migrate::run(&write, location, Some(&membership)).await?;
        let read = pool(READERS)
            .connect_with(location.options().clone())
            .await?;
        Ok(Self {
            read,
            write,
            location: location.clone(),
            membership,
        })
    }

    /// A connection that only reads, when one of them is free.
    pub async fn reader(&self) -> Result<PoolConnection<Postgres>, Error> {
        Ok(self.read.acquire().await?)
    }

    /// The number of transactions that this server has committed.
    pub fn commits(&self) -> &CommitCount {
        self.location.commits()
    }

    /// Commits a transaction, and counts it.
    pub async fn commit(&self, mut tx: Transaction<'static, Postgres>) -> sqlx::Result<()> {
        let (sql, number) = self.commits().next();
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut *tx).await?;
        tx.commit().await?;
        self.commits().note(number);
        Ok(())
    }

    /// Begins a transaction that may write, after all others on all servers have ended.
    pub async fn begin(&self) -> Result<Transaction<'static, Postgres>, Error> {
        let mut tx = self.write.begin().await?;
        sqlx::query(concat!("select pg_advisory_xact_lock(", write_lock!(), ")"))
            .execute(&mut *tx)
            .await?;
        Ok(tx)
    }

    /// The time of the database's machine.
    pub async fn time(&self) -> Result<Time, Error> {
        let sql = "select (extract(epoch from clock_timestamp()) * 1000)::bigint";
        let millis = sqlx::query_scalar(sql).fetch_one(&self.read).await?;
        Ok(Time::from_millis(millis))
    }

    /// Tries to become the leader, until it is dropped.
    pub async fn lead(self, is_leader: watch::Sender<bool>) {
        self.membership.lead(is_leader).await;
    }

    /// The connections that write, outside of [`PostgresPools::begin`].
    pub fn write(&self) -> &PgPool {
        &self.write
    }

    /// Closes all connections, after the running transaction.
    pub async fn close(&self) {
        self.membership.leave();
        self.read.close().await;
        self.write.close().await;
    }
}

/// Refuses a pooler that gives a connection of the database to another client after each transaction,
/// with the prepared statements on it: the same names would mean other statements.
async fn refuse_shared_statements(options: &PgConnectOptions) -> Result<(), Error> {
    let [mut first, mut second] = [options.connect().await?, options.connect().await?];
    sqlx::query("select 1").execute(&mut first).await?;
    match sqlx::query("select 2").execute(&mut second).await {
        Err(error)
            if error.as_database_error().and_then(|e| e.code()).as_deref() == Some(DUPLICATE) =>
        {
            Err(Error::fault(SHARED_STATEMENTS))
        }
        Err(error) => Err(error.into()),
        Ok(_) => {
            first.close().await?;
            second.close().await?;
            Ok(())
        }
    }
}
