//! One of the two databases of a copy, of either kind.

use super::page::{Key, Page};
use super::postgres::PostgresEnd;
use super::sqlite::SqliteEnd;
use super::table::Table;
use super::{CopyEnd, META, NOT_COPIED, Origin};
use crate::Error;
use crate::store::postgres::PostgresLocation;
use crate::store::sqlite::SqliteLocation;
use crate::store::{is_postgres, unfinished_copy};

const NOT_EMPTY: &str =
    "the database is not empty; copy into a new one, such as an empty schema or a new file";

/// A database that is copied, or copied into.
#[derive(Debug)]
pub(super) enum End {
    Sqlite(Box<SqliteEnd>),
    Postgres(Box<PostgresEnd>),
}

/// Calls the method of the database, which only one of the kinds awaits.
macro_rules! call {
    ($end:expr, $method:ident ( $($argument:expr),* )) => {
        match $end {
            Self::Sqlite(end) => end.$method($($argument),*),
            Self::Postgres(end) => end.$method($($argument),*).await,
        }
    };
}

impl End {
    /// Connects to a database. A file is opened when it is locked.
    pub async fn connect(end: &CopyEnd) -> Result<Self, Error> {
        if is_postgres(&end.url) {
            let location = PostgresLocation::of_url(&end.url)?.named("copy");
            let end = PostgresEnd::connect(location).await?;
            return Ok(Self::Postgres(Box::new(end)));
        }
        let location = SqliteLocation::of_url(&end.url)?;
        let end = SqliteEnd::new(location, end.data_dir.as_deref());
        Ok(Self::Sqlite(Box::new(end)))
    }

    pub fn is_file(&self) -> bool {
        matches!(self, Self::Sqlite(_))
    }

    /// Whether this is a file, and the URL names the same one.
    pub fn is_the_database_of(&self, other: &CopyEnd) -> Result<bool, Error> {
        let Self::Sqlite(end) = self else {
            return Ok(false);
        };
        if is_postgres(&other.url) {
            return Ok(false);
        }
        let other = SqliteLocation::of_url(&other.url)?;
        let (here, there) = (end.path().canonicalize(), other.path().canonicalize());
        Ok(matches!((here, there), (Ok(here), Ok(there)) if here == there))
    }

    /// What no other database has. A file was recognized by its path.
    pub async fn identity(&mut self) -> Result<String, Error> {
        match self {
            Self::Sqlite(end) => Ok(format!("file {}", end.path().display())),
            Self::Postgres(end) => end.identity().await,
        }
    }

    /// Keeps servers away from the database.
    pub async fn lock(&mut self) -> Result<(), Error> {
        call!(self, lock())
    }

    async fn number(&mut self, name: &str) -> Result<Option<i64>, Error> {
        call!(self, number(name))
    }

    /// Checks that this is the database of a server, and brings it to the schema of this version.
    pub async fn check_source(&mut self) -> Result<Origin, Error> {
        if self.number(unfinished_copy::EPOCH).await?.is_some() {
            return Err(Error::fault("it is itself a copy that is not complete"));
        }
        let (epoch, instance) = (self.number("epoch").await?, self.number("instance").await?);
        let (Some(epoch), Some(instance)) = (epoch, instance) else {
            return Err(Error::fault("no server of webchat has used this database"));
        };
        self.migrate().await?;
        Ok(Origin { epoch, instance })
    }

    /// Refuses a database with a content of its own, before it is changed.
    pub async fn refuse_content(&mut self, origin: Origin) -> Result<(), Error> {
        if let Self::Sqlite(end) = self
            && !end.has_content()
        {
            return Ok(());
        }
        if self.number("epoch").await?.is_some() {
            return Err(Error::fault(NOT_EMPTY));
        }
        let epoch = self.number(unfinished_copy::EPOCH).await?;
        let instance = self.number(unfinished_copy::INSTANCE).await?;
        let started = epoch.zip(instance);
        match started.map(|(epoch, instance)| Origin { epoch, instance }) {
            Some(other) if other != origin => Err(Error::fault(
                "it has a part of a copy of another database; copy into a new one",
            )),
            _ => Ok(()),
        }
    }

    pub async fn migrate(&mut self) -> Result<(), Error> {
        match self {
            Self::Sqlite(end) => end.migrate().await,
            Self::Postgres(end) => end.migrate().await,
        }
    }

    pub async fn tables(&mut self) -> Result<Vec<Table>, Error> {
        call!(self, tables())
    }

    /// Notes that a copy begins, unless one is to go on. Other content is refused.
    pub async fn begin_copy(&mut self, origin: Origin, tables: &[Table]) -> Result<(), Error> {
        if self.number(unfinished_copy::EPOCH).await?.is_some() {
            tracing::info!("the copy goes on where it has stopped");
            return Ok(());
        }
        for table in tables {
            if self.last_key(table).await?.is_some() {
                return Err(Error::fault(NOT_EMPTY));
            }
        }
        debug_assert!(!tables.iter().any(|table| table.name == META));
        debug_assert!(
            !tables
                .iter()
                .any(|table| NOT_COPIED.contains(&table.name.as_str()))
        );
        call!(self, mark(origin))
    }

    /// The first rows after a key, in the order of the keys.
    pub async fn read(
        &mut self,
        table: &Table,
        after: Option<&Key>,
        limit: usize,
    ) -> Result<Page, Error> {
        call!(self, read(table, after, limit))
    }

    /// The greatest key of a table.
    pub async fn last_key(&mut self, table: &Table) -> Result<Option<Key>, Error> {
        call!(self, last_key(table))
    }

    /// Inserts rows, in one transaction.
    pub async fn insert(&mut self, table: &Table, page: &Page) -> Result<(), Error> {
        call!(self, insert(table, page))
    }

    /// The numbers that are kept under a name of their own.
    pub async fn meta(&mut self) -> Result<Vec<(String, i64)>, Error> {
        call!(self, meta())
    }

    /// The key that signs tokens, unless the servers are configured with one.
    pub async fn signing_key(&mut self) -> Result<Option<String>, Error> {
        call!(self, signing_key())
    }

    /// Refuses a target that has another key.
    pub async fn check_signing_key(&mut self, key: &str) -> Result<(), Error> {
        match self.signing_key().await? {
            Some(own) if own != key => Err(Error::fault(
                "it has a key of its own that signs tokens; with a database in a file, remove \
                 jwt.key from the data directory, or copy into another directory",
            )),
            _ => Ok(()),
        }
    }

    /// Makes the copy complete.
    pub async fn finish_copy(
        &mut self,
        meta: &[(String, i64)],
        key: Option<&str>,
    ) -> Result<(), Error> {
        call!(self, finish(meta, key))
    }

    /// Executes a statement that both kinds know.
    #[cfg(test)]
    pub async fn execute(&mut self, sql: &'static str) {
        call!(self, execute(sql));
    }

    /// Notes which content is copied.
    #[cfg(test)]
    pub async fn mark(&mut self, origin: Origin) -> Result<(), Error> {
        call!(self, mark(origin))
    }

    pub async fn close(self) -> Result<(), Error> {
        match self {
            Self::Sqlite(mut end) => end.close(),
            Self::Postgres(end) => end.close().await,
        }
    }
}
