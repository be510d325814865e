//! What a statement runs on.

use sqlx::{PgConnection, PgPool, SqliteConnection, SqlitePool};

/// The kind of a database, by which some statements differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    Sqlite,
    Postgres,
}

/// What a statement runs on: a connection, or any connection of a pool.
#[derive(Debug)]
pub(crate) enum Source<'c> {
    Sqlite(&'c mut SqliteConnection),
    SqlitePool(&'c SqlitePool),
    Postgres(&'c mut PgConnection),
    PostgresPool(&'c PgPool),
}

impl Dialect {
    /// Whether a text contains another one.
    pub fn contains(self, text: &str, part: &str) -> String {
        match self {
            Self::Sqlite => format!("instr({text}, {part}) > 0"),
            Self::Postgres => format!("strpos({text}, {part}) > 0"),
        }
    }

    /// A query for the elements of a JSON array, which is the parameter, each of which is an array of integers: the
    /// element's number as `position`, and its integers as these columns.
    pub fn select_elements(self, parameter: &str, columns: &[&str]) -> String {
        let (position, elements) = match self {
            Self::Sqlite => ("key", format!("json_each({parameter})")),
            Self::Postgres => (
                "ordinality - 1",
                format!(
                    "jsonb_array_elements({parameter}::jsonb)
                     with ordinality as element (value, ordinality)"
                ),
            ),
        };
        let mut sql = format!("select {position} as position");
        for (index, column) in columns.iter().enumerate() {
            sql += &format!(", cast(value ->> {index} as bigint) as {column}");
        }
        sql + " from " + &elements
    }
}

impl Source<'_> {
    /// The kind of the database.
    pub fn dialect(&self) -> Dialect {
        match self {
            Self::Sqlite(_) | Self::SqlitePool(_) => Dialect::Sqlite,
            Self::Postgres(_) | Self::PostgresPool(_) => Dialect::Postgres,
        }
    }
}
