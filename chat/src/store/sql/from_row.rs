//! Rows of both kinds of database, and the values that are read from them.

use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{ColumnIndex, Decode, Postgres, Row as _, Sqlite, Type};

/// A row of the result of a statement.
pub(crate) enum Row {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

impl Row {
    /// The value of a column, by its name or its position.
    ///
    /// # Errors
    /// There is no such column, or its value is of another type.
    pub fn try_get<T, I>(&self, column: I) -> sqlx::Result<T>
    where
        T: Column,
        I: ColumnIndex<SqliteRow> + ColumnIndex<PgRow>,
    {
        match self {
            Self::Sqlite(row) => row.try_get(column),
            Self::Postgres(row) => row.try_get(column),
        }
    }
}

/// A type that a column of both kinds of database can have.
pub(crate) trait Column:
    for<'r> Decode<'r, Sqlite> + Type<Sqlite> + for<'r> Decode<'r, Postgres> + Type<Postgres>
{
}

impl<T> Column for T where
    T: for<'r> Decode<'r, Sqlite> + Type<Sqlite> + for<'r> Decode<'r, Postgres> + Type<Postgres>
{
}

/// A value that is read from a row.
pub(crate) trait FromRow: Sized {
    fn from_row(row: &Row) -> sqlx::Result<Self>;
}

/// Implements [`FromRow`] for the types of the only column of a row.
macro_rules! read_one_column {
    ($($type:ty),*) => {
        $(impl FromRow for $type {
            fn from_row(row: &Row) -> sqlx::Result<Self> {
                row.try_get(0)
            }
        })*
    };
}

read_one_column!(i64, bool, String, Option<i64>);

/// Implements [`FromRow`] for the tuples of the columns of a row, in their order.
macro_rules! read_columns {
    ($($column:ident $position:literal),*) => {
        impl<$($column: Column),*> FromRow for ($($column),*) {
            fn from_row(row: &Row) -> sqlx::Result<Self> {
                Ok(($(row.try_get::<$column, usize>($position)?),*))
            }
        }
    };
}

read_columns!(A 0, B 1);
read_columns!(A 0, B 1, C 2);
read_columns!(A 0, B 1, C 2, D 3);
read_columns!(A 0, B 1, C 2, D 3, E 4);
