//! Errors of the database.

use std::sync::Arc;

use sqlx::postgres::PgDatabaseError;

use crate::Error;

impl From<sqlx::Error> for Error {
    fn from(source: sqlx::Error) -> Self {
        if is_temporary(&source) {
            Self::Unavailable(Arc::new(source))
        } else {
            Self::fault(source)
        }
    }
}

/// The beginnings of the codes of `PostgreSQL` for what may succeed later: connections that end, too
/// many of them, a server that starts or stops or is a standby, conflicts and timeouts
/// ([PostgreSQL, appendix A](https://www.postgresql.org/docs/current/errcodes-appendix.html)).
const TEMPORARY: [&str; 8] = ["08", "25006", "25P03", "40", "53", "55P03", "57014", "57P"];

/// Whether the same may succeed later, because the server of the database was out of reach or busy.
fn is_temporary(error: &sqlx::Error) -> bool {
    match error {
        // The last one, too, is a connection that has ended, in the middle of an answer.
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::Protocol(_) => true,
        sqlx::Error::Database(error) => error
            .try_downcast_ref::<PgDatabaseError>()
            .is_some_and(|error| TEMPORARY.iter().any(|code| error.code().starts_with(code))),
        _ => false,
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

#[cfg(test)]
mod tests {
    use std::str::FromStr;

    use sqlx::ConnectOptions;
    use sqlx::postgres::PgConnectOptions;
    use tokio::io::AsyncReadExt;
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn database_whose_proxy_accepts_and_closes_is_unavailable() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let proxy = tokio::spawn(async move {
            let (mut connection, _) = listener.accept().await.unwrap();
            // The question whether to use TLS.
            connection.read_exact(&mut [0; 8]).await.unwrap();
        });
        let url = format!("postgres://webchat@{address}/webchat");
        let options = PgConnectOptions::from_str(&url).unwrap();
        let error = options.connect().await.unwrap_err();
        let text = error.to_string();
        assert!(
            matches!(Error::from(error), Error::Unavailable(_)),
            "{text}"
        );
        proxy.await.unwrap();
    }
}
