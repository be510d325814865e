//! The membership of a server among those of one database, and which of them is the leader: the one
//! that does what only one may do.
//!
//! Both are locks of an open transaction, so they end with their server. A pooler keeps a transaction
//! on one connection of the database, but gives the connection to others after it: there, a lock of
//! the connection would be everybody's.
//!
//! # Guarantees
//! - One server at a time is the leader. When its connection ends, another one takes over within
//!   [`INTERVAL`] and the time that the database needs to notice.
//! - A leader that stands still is none any more after five seconds.
//! - A server whose archives are out of the others' reach is alone.
//! - The transaction has no snapshot between two looks, so it keeps no deleted rows.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use sqlx::{ConnectOptions, PgConnection};
use tokio::sync::watch;
use tokio::time::timeout;

use super::location::PostgresLocation;
use super::write_lock::write_lock;
use crate::Error;
use crate::retries::Retries;
use crate::sync::lock;

/// The time between two looks, also of the leader at its own connection.
const INTERVAL: Duration = Duration::from_secs(1);

/// How long the database may take to answer a look.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);

/// How often a server tries to join, and the time in between: the database may take a moment to
/// notice that a server before it has ended.
const ATTEMPTS: usize = 100;
const ATTEMPT_INTERVAL: Duration = Duration::from_millis(50);

/// The transaction of the locks. A start may take long.
const BEGIN: &str = "begin isolation level read committed;
    set local idle_in_transaction_session_timeout = 0";

/// From then on the server looks at its connection in each [`INTERVAL`].
const WATCH: &str = "set local idle_in_transaction_session_timeout = '5s'";

const JOIN_ALONE: &str =
    "select pg_try_advisory_xact_lock(hashtextextended('webchat archive ' || current_schema(), 0))";

const JOIN: &str = "select pg_try_advisory_xact_lock_shared(hashtextextended('webchat archive ' || current_schema(), 0))";

const LEAD: &str =
    "select pg_try_advisory_xact_lock(hashtextextended('webchat leader ' || current_schema(), 0))";

const REFUSAL: &str = "another server uses this database, and archives in the data directory of one \
    of them would be out of reach of the other: start all of them with --archive-url file:///PATH, a \
    directory that they share, or with --archive off";

const IN_USE: &str = "a server uses this database: stop all servers of it, and copy again";

/// The membership of this server. It is cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Membership {
    location: PostgresLocation,
    is_alone: bool,
    /// The connection with which the server has joined, until it is used.
    joined: Arc<Mutex<Option<PgConnection>>>,
}

impl Membership {
    /// Joins the servers of a database, or stays alone with it.
    ///
    /// # Errors
    /// A fault that says what to do if other servers are in the way.
    pub async fn join(location: &PostgresLocation, is_alone: bool) -> Result<Self, Error> {
        let membership = Self {
            location: location.clone(),
            is_alone,
            joined: Arc::default(),
        };
        for _ in 0..ATTEMPTS {
            if let Some(connection) = membership.try_join().await? {
                *lock(&membership.joined) = Some(connection);
                return Ok(membership);
            }
            tokio::time::sleep(ATTEMPT_INTERVAL).await;
        }
        Err(Error::fault(REFUSAL))
    }

    /// Keeps all servers away from a database, as long as the returned connection lives: those that
    /// start, and the writes of those that have lost their membership for a moment.
    ///
    /// # Errors
    /// A fault that says what to do if servers use the database.
    pub async fn exclude_others(location: &PostgresLocation) -> Result<PgConnection, Error> {
        const STOP_WRITES: &str = concat!("select pg_try_advisory_xact_lock(", write_lock!(), ")");
        let locks = [JOIN_ALONE, STOP_WRITES];
        let mut connection = location.direct_options().connect().await?;
        sqlx::raw_sql(BEGIN).execute(&mut connection).await?;
        let mut taken = 0;
        for _ in 0..ATTEMPTS {
            while let Some(&sql) = locks.get(taken) {
                if !take(&mut connection, sql).await? {
                    break;
                }
                taken += 1;
            }
            if taken == locks.len() {
                return Ok(connection);
            }
            tokio::time::sleep(ATTEMPT_INTERVAL).await;
        }
        Err(Error::fault(IN_USE))
    }

    /// Keeps other servers away while this future runs; `None` if there are some.
    pub async fn alone<T>(&self, run: impl Future<Output = T>) -> Result<Option<T>, Error> {
        if self.is_alone {
            return Ok(Some(run.await));
        }
        let joined = lock(&self.joined).take();
        let Some(mut connection) = joined else {
            return Ok(None);
        };
        sqlx::raw_sql("savepoint alone")
            .execute(&mut connection)
            .await?;
        let mut is_alone = false;
        for _ in 0..ATTEMPTS {
            is_alone = take(&mut connection, JOIN_ALONE).await?;
            if is_alone {
                break;
            }
            tokio::time::sleep(ATTEMPT_INTERVAL).await;
        }
        let outcome = if is_alone { Some(run.await) } else { None };
        // What was locked since is free again.
        sqlx::raw_sql("rollback to savepoint alone")
            .execute(&mut connection)
            .await?;
        *lock(&self.joined) = Some(connection);
        Ok(outcome)
    }

    async fn try_join(&self) -> sqlx::Result<Option<PgConnection>> {
        let mut connection = self.location.direct_options().connect().await?;
        sqlx::raw_sql(BEGIN).execute(&mut connection).await?;
        let sql = if self.is_alone { JOIN_ALONE } else { JOIN };
        let has_joined = take(&mut connection, sql).await?;
        Ok(has_joined.then_some(connection))
    }

    /// Leaves the other servers, unless [`Membership::lead`] has taken over.
    pub fn leave(&self) {
        lock(&self.joined).take();
    }

    /// Stays a member, and says whether this server is the leader, until it is dropped.
    pub async fn lead(self, is_leader: watch::Sender<bool>) {
        let mut retries = Retries::of("join the other servers");
        loop {
            let joined = lock(&self.joined).take();
            let connection = match joined {
                Some(connection) => Ok(Some(connection)),
                None => self.try_join().await,
            };
            match connection {
                Ok(Some(mut connection)) => {
                    retries.note_success();
                    hold(&mut connection, &is_leader).await;
                }
                Ok(None) => retries.note_failure(&REFUSAL),
                Err(error) => retries.note_failure(&error),
            }
            is_leader.send_replace(false);
            tokio::time::sleep(INTERVAL).await;
        }
    }
}

/// Tries to take a lock.
async fn take(connection: &mut PgConnection, sql: &'static str) -> sqlx::Result<bool> {
    sqlx::query_scalar(sql).fetch_one(connection).await
}

/// Becomes the leader as soon as there is no other one, and stays it. Returns when the connection
/// fails.
async fn hold(connection: &mut PgConnection, is_leader: &watch::Sender<bool>) {
    let mut leads = false;
    loop {
        let answer = async {
            // It is also a sign of life.
            sqlx::raw_sql(WATCH).execute(&mut *connection).await?;
            if !leads {
                leads = take(connection, LEAD).await?;
            }
            Ok(())
        };
        let answered: Result<sqlx::Result<()>, _> = timeout(ANSWER_TIMEOUT, answer).await;
        if !matches!(answered, Ok(Ok(()))) {
            return;
        }
        is_leader.send_if_modified(|is_leader| std::mem::replace(is_leader, leads) != leads);
        tokio::time::sleep(INTERVAL).await;
    }
}
