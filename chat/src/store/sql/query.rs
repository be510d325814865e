//! A statement with its parameters.

use std::marker::PhantomData;

use futures_util::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt};
use sqlx::{Postgres, SqlSafeStr, SqlStr, Sqlite};

use super::{FromRow, Row, Source, Value};

type DatabaseQuery<'q, DB> = sqlx::query::Query<'q, DB, <DB as sqlx::Database>::Arguments>;

/// A statement with its parameters, whose result is rows.
pub(crate) struct Query<'q> {
    sql: SqlStr,
    values: Vec<Value<'q>>,
}

/// A statement. `AssertSqlSafe` says that a text which was put together contains no input.
pub(crate) fn query<'q>(sql: impl SqlSafeStr) -> Query<'q> {
    Query {
        sql: sql.into_sql_str(),
        values: Vec::new(),
    }
}

/// Runs a statement on whatever the source is, and names the rows of its result by their database.
macro_rules! run {
    ($query:expr, $on:expr, $method:ident, $map:ident) => {
        match $on {
            Source::Sqlite(connection) => $query
                .for_sqlite()
                .$method(connection)
                .await?
                .$map(Row::Sqlite),
            Source::SqlitePool(pool) => $query.for_sqlite().$method(pool).await?.$map(Row::Sqlite),
            Source::Postgres(connection) => $query
                .for_postgres()
                .$method(connection)
                .await?
                .$map(Row::Postgres),
            Source::PostgresPool(pool) => $query
                .for_postgres()
                .$method(pool)
                .await?
                .$map(Row::Postgres),
        }
    };
}

impl<'q> Query<'q> {
    /// Adds the value of the next parameter.
    pub fn bind(mut self, value: impl Into<Value<'q>>) -> Self {
        self.values.push(value.into());
        self
    }

    /// Runs the statement. Returns how many rows it has changed.
    pub async fn execute(self, on: Source<'_>) -> sqlx::Result<u64> {
        Ok(match on {
            Source::Sqlite(connection) => {
                self.for_sqlite().execute(connection).await?.rows_affected()
            }
            Source::SqlitePool(pool) => self.for_sqlite().execute(pool).await?.rows_affected(),
            Source::Postgres(connection) => self
                .for_postgres()
                .execute(connection)
                .await?
                .rows_affected(),
            Source::PostgresPool(pool) => self.for_postgres().execute(pool).await?.rows_affected(),
        })
    }

    /// The row of the result, if there is one.
    pub async fn fetch_optional(self, on: Source<'_>) -> sqlx::Result<Option<Row>> {
        Ok(run!(self, on, fetch_optional, map))
    }

    /// All rows of the result.
    pub async fn fetch_all(self, on: Source<'_>) -> sqlx::Result<Vec<Row>> {
        Ok(run!(self, on, fetch_all, into_rows))
    }

    /// The rows of the result, one after the other.
    pub fn fetch<'e>(self, on: Source<'e>) -> BoxStream<'e, sqlx::Result<Row>>
    where
        'q: 'e,
    {
        match on {
            Source::Sqlite(connection) => self
                .for_sqlite()
                .fetch(connection)
                .map_ok(Row::Sqlite)
                .boxed(),
            Source::SqlitePool(pool) => self.for_sqlite().fetch(pool).map_ok(Row::Sqlite).boxed(),
            Source::Postgres(connection) => self
                .for_postgres()
                .fetch(connection)
                .map_ok(Row::Postgres)
                .boxed(),
            Source::PostgresPool(pool) => self
                .for_postgres()
                .fetch(pool)
                .map_ok(Row::Postgres)
                .boxed(),
        }
    }

    fn for_sqlite(self) -> DatabaseQuery<'q, Sqlite> {
        let query = sqlx::query(self.sql);
        let values = self.values.into_iter();
        values.fold(query, |query, value| value.bind_to(query))
    }

    fn for_postgres(self) -> DatabaseQuery<'q, Postgres> {
        let query = sqlx::query(self.sql);
        let values = self.values.into_iter().map(Value::without_nul);
        values.fold(query, |query, value| value.bind_to(query))
    }
}

/// Names the rows of a result by their database.
trait IntoRows<T> {
    fn into_rows(self, row: impl Fn(T) -> Row) -> Vec<Row>;
}

impl<T> IntoRows<T> for Vec<T> {
    fn into_rows(self, row: impl Fn(T) -> Row) -> Vec<Row> {
        self.into_iter().map(row).collect()
    }
}

/// A statement with its parameters, whose rows are read as values.
pub(crate) struct QueryAs<'q, T> {
    query: Query<'q>,
    value: PhantomData<fn() -> T>,
}

/// A statement whose rows are read as values: of their only column, of all their columns as a tuple,
/// or of a type of its own.
pub(crate) fn query_as<'q, T: FromRow>(sql: impl SqlSafeStr) -> QueryAs<'q, T> {
    QueryAs {
        query: query(sql),
        value: PhantomData,
    }
}

impl<'q, T: FromRow> QueryAs<'q, T> {
    /// Adds the value of the next parameter.
    pub fn bind(mut self, value: impl Into<Value<'q>>) -> Self {
        self.query = self.query.bind(value);
        self
    }

    /// The value of the only row.
    pub async fn fetch_one(self, on: Source<'_>) -> sqlx::Result<T> {
        self.fetch_optional(on)
            .await?
            .ok_or(sqlx::Error::RowNotFound)
    }

    /// The value of the row, if there is one.
    pub async fn fetch_optional(self, on: Source<'_>) -> sqlx::Result<Option<T>> {
        let row = self.query.fetch_optional(on).await?;
        row.as_ref().map(T::from_row).transpose()
    }

    /// The values of all rows.
    pub async fn fetch_all(self, on: Source<'_>) -> sqlx::Result<Vec<T>> {
        let rows = self.query.fetch_all(on).await?;
        rows.iter().map(T::from_row).collect()
    }

    /// The values of the rows, one after the other.
    pub fn fetch<'e>(self, on: Source<'e>) -> BoxStream<'e, sqlx::Result<T>>
    where
        'q: 'e,
        T: Send + 'e,
    {
        let rows = self.query.fetch(on);
        rows.map(|row| T::from_row(&row?)).boxed()
    }
}
