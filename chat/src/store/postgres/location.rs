//! Where a `PostgreSQL` database is, and how connections to it behave.

use std::str::FromStr;

use sqlx::postgres::PgConnectOptions;

use super::commit_count::CommitCount;
use crate::Error;
#[cfg(test)]
use crate::faults::Faults;

/// How long a transaction waits for those before it, as the database writes it.
const LOCK_TIMEOUT: &str = "5s";

/// After how long the database ends a transaction whose server says nothing.
const IDLE_TIMEOUT: &str = "5s";

/// How long a statement may take.
const STATEMENT_TIMEOUT: &str = "30s";

/// The parameters that a URL may have. Others would be left out, with a line in the log that has their
/// values.
const PARAMETERS: [&str; 18] = [
    "application_name",
    "dbname",
    "host",
    "hostaddr",
    "options",
    "password",
    "port",
    "ssl-ca",
    "ssl-cert",
    "ssl-key",
    "ssl-mode",
    "ssl-root-cert",
    "sslcert",
    "sslkey",
    "sslmode",
    "sslrootcert",
    "statement-cache-capacity",
    "user",
];

/// Where a database is.
#[derive(Clone, Debug)]
pub(crate) struct PostgresLocation {
    options: PgConnectOptions,
    /// The address for connections that keep a state, if it is another one.
    direct: Option<PgConnectOptions>,
    /// Whether the archives of this server are out of the reach of others.
    is_alone: bool,
    commits: CommitCount,
    #[cfg(test)]
    faults: Faults,
}

impl PostgresLocation {
    /// The database of a URL.
    ///
    /// # Errors
    /// The URL cannot be read.
    pub fn of_url(url: &str) -> Result<Self, Error> {
        check_form(url).map_err(Error::fault)?;
        let options = PgConnectOptions::from_str(url)?.options([
            ("lock_timeout", LOCK_TIMEOUT),
            ("idle_in_transaction_session_timeout", IDLE_TIMEOUT),
            ("statement_timeout", STATEMENT_TIMEOUT),
            // An acknowledged message survives the loss of power.
            ("synchronous_commit", "on"),
        ]);
        Ok(Self {
            options,
            direct: None,
            is_alone: false,
            commits: CommitCount::new()?,
            #[cfg(test)]
            faults: Faults::default(),
        })
    }

    /// Injects faults into the connections.
    #[cfg(test)]
    pub fn with_faults(mut self, faults: Faults) -> Self {
        self.faults = faults;
        self
    }

    #[cfg(test)]
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// The same database by an address without a pooler in between, for connections that keep a
    /// state.
    ///
    /// # Errors
    /// The URL cannot be read.
    pub fn with_direct_url(mut self, url: &str) -> Result<Self, Error> {
        self.direct = Some(Self::of_url(url)?.options);
        Ok(self)
    }

    /// The number of transactions that were committed by all connections of this location.
    pub fn commits(&self) -> &CommitCount {
        &self.commits
    }

    /// Whether other servers are kept away.
    pub fn is_alone(&self) -> bool {
        self.is_alone
    }

    /// The name of the server, which the database shows for its connections.
    pub fn named(mut self, node: &str) -> Self {
        let name = format!("webchat {node}");
        self.direct = self.direct.map(|options| options.application_name(&name));
        self.options = self.options.application_name(&name);
        self
    }

    /// Keeps other servers away from the database.
    pub fn alone(mut self, is_alone: bool) -> Self {
        self.is_alone = is_alone;
        self
    }

    /// Options for a connection that keeps a state: that listens, or holds a lock.
    pub fn direct_options(&self) -> &PgConnectOptions {
        self.direct.as_ref().unwrap_or(&self.options)
    }

    /// Options for a connection outside of the pools.
    pub fn options(&self) -> &PgConnectOptions {
        &self.options
    }
}

/// Checks what would be read as something else: a sign of a password that ends the part before the
/// host, and a parameter that nothing reads.
fn check_form(url: &str) -> Result<(), String> {
    let (_, rest) = url.split_once("://").unwrap_or_default();
    let (_, after_host) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    if after_host.contains(['@', '#']) {
        return Err(
            "a part after the host has an @ or a #; in a password, write / as %2F, ? as %3F, # as \
             %23 and @ as %40"
                .to_owned(),
        );
    }
    let (_, query) = after_host.split_once('?').unwrap_or_default();
    let mut names = query
        .split('&')
        .map(|pair| pair.split('=').next().unwrap_or_default());
    let is_known =
        |name: &str| name.is_empty() || name.starts_with("options[") || PARAMETERS.contains(&name);
    if names.all(is_known) {
        Ok(())
    } else {
        Err(format!(
            "it has a parameter that is none of {}",
            PARAMETERS.join(", ")
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn url_that_would_be_read_otherwise_is_refused_without_its_password() {
        for url in [
            "postgres://ada:1/hush@localhost/db",
            "postgres://ada:1?hush@localhost/db",
            "postgres://ada:1#hush@localhost/db",
            "postgres://ada@localhost/db#hush",
            "postgres://ada@localhost/db?pasword=hush",
            "postgres://ada@localhost:hush/db",
            "postgres://ada:hush",
        ] {
            let error = PostgresLocation::of_url(url).unwrap_err().to_string();
            assert!(!error.contains("hush"), "{error}");
        }
        for url in [
            "postgres://ada:%2F%3F%23%40@localhost/db",
            "postgres://ada@localhost/db?sslmode=require&options=-c%20search_path%3Dchat",
            "postgres://localhost?options[search_path]=chat",
        ] {
            assert!(PostgresLocation::of_url(url).is_ok(), "{url}");
        }
    }
}
