//! Notifications between the servers of one database.
//!
//! # Guarantees
//! - None: a notification may be lost, late or repeated.
//!
//! # Not here
//! - How notifications are sent, and read again: `nodes`.

use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection, PgExecutor, PgPool, Row};

use super::location::PostgresLocation;
use super::pool::PostgresPools;
use crate::Error;

/// The name of the channel. Channels belong to a database, and each of its schemas may have a webchat
/// of its own.
pub(super) const CHANNEL: &str = "select 'webchat ' || current_schema()";

impl PostgresPools {
    /// Listens to the notifications of all servers of the database.
    pub async fn listen(&self) -> Result<NotificationListener, Error> {
        NotificationListener::connect(&self.location).await
    }
}

/// Notifies all servers of the database.
pub(crate) async fn notify(connection: &mut PgConnection, text: &str) -> Result<(), Error> {
    let sql = AssertSqlSafe(format!("select pg_notify(({CHANNEL}), $1)"));
    sqlx::query(sql).bind(text).execute(connection).await?;
    Ok(())
}

/// A connection that listens.
#[derive(Debug)]
pub(crate) struct NotificationListener {
    listener: PgListener,
    is_listening: bool,
    _pool: PgPool,
}

impl NotificationListener {
    /// Connects and listens. What is sent from now on is received, until the connection ends. Behind
    /// a pooler that gives connections for a transaction only it does not listen, because another
    /// connection would receive it, which expects no notification.
    pub async fn connect(location: &PostgresLocation) -> Result<Self, Error> {
        let direct = location.direct_options();
        let options = PgPoolOptions::new().max_connections(1);
        let pool = options.connect_with(direct.clone()).await?;
        let mut listener = PgListener::connect_with(&pool).await?;
        listener.eager_reconnect(false);
        let is_listening = keeps_its_server(&mut listener, direct).await?;
        if is_listening {
            let channel: String = sqlx::query_scalar(CHANNEL).fetch_one(&mut listener).await?;
            listener.listen(&channel).await?;
        }
        Ok(Self {
            listener,
            is_listening,
            _pool: pool,
        })
    }

    /// The next text; `None` once the connection has ended. The future may be dropped while it waits,
    /// and loses nothing.
    pub async fn next(&mut self) -> Result<Option<String>, Error> {
        if !self.is_listening {
            return std::future::pending().await;
        }
        let notification = self.listener.try_recv().await?;
        Ok(notification.map(|notification| notification.payload().to_owned()))
    }
}

/// Whether a connection is one to the server itself. A pooler gives it another one while a transaction
/// has the one that it had before.
async fn keeps_its_server(
    listener: &mut PgListener,
    options: &PgConnectOptions,
) -> sqlx::Result<bool> {
    let before = server_process(&mut *listener).await?;
    let mut other = options.connect().await?;
    sqlx::raw_sql("begin").execute(&mut other).await?;
    server_process(&mut other).await?;
    let after = server_process(&mut *listener).await?;
    other.close().await?;
    Ok(before == after)
}

/// The process of the server that a statement runs in. It is not prepared, as poolers may want it.
async fn server_process<'c>(connection: impl PgExecutor<'c>) -> sqlx::Result<i32> {
    let row = sqlx::raw_sql("select pg_backend_pid()").fetch_one(connection);
    row.await?.try_get(0)
}
