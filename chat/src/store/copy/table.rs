//! The tables of a database, as both kinds describe them.

use crate::Error;

/// The type of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Integer,
    Boolean,
    Text,
}

impl Kind {
    /// The type with this name in either kind of database.
    pub fn of(table: &str, column: &str, name: &str) -> Result<Self, Error> {
        match name {
            "bigint" | "integer" | "smallint" => Ok(Self::Integer),
            "boolean" => Ok(Self::Boolean),
            "text" => Ok(Self::Text),
            _ => Err(Error::fault(format!(
                "the column {column} of {table} has the type {name}, which cannot be copied"
            ))),
        }
    }

    /// Its name in `PostgreSQL`.
    pub fn in_postgres(self) -> &'static str {
        match self {
            Self::Integer => "bigint",
            Self::Boolean => "boolean",
            Self::Text => "text",
        }
    }
}

/// A column of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Column {
    pub name: String,
    pub kind: Kind,
}

/// A table: its columns by their names, and its primary key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Table {
    pub name: String,
    pub columns: Vec<Column>,
    /// The columns of the key, in its order, by their positions in `columns`.
    pub key: Vec<usize>,
}

/// A column as a database describes it, with its position in the primary key, from 1, or 0.
#[derive(Clone, Debug)]
pub(super) struct Described {
    pub name: String,
    pub kind: String,
    pub key: i64,
}

impl Table {
    /// The table with these columns.
    fn new(name: &str, mut described: Vec<Described>) -> Result<Self, Error> {
        described.sort_by(|a, b| a.name.cmp(&b.name));
        let mut key: Vec<_> = described
            .iter()
            .enumerate()
            .filter(|(_, column)| column.key > 0)
            .map(|(position, column)| (column.key, position))
            .collect();
        key.sort_unstable();
        let columns = described.into_iter().map(|column| {
            Ok(Column {
                kind: Kind::of(name, &column.name, &column.kind)?,
                name: column.name,
            })
        });
        Ok(Self {
            columns: columns.collect::<Result<_, Error>>()?,
            key: key.into_iter().map(|(_, position)| position).collect(),
            name: name.to_owned(),
        })
    }

    /// The tables of columns that stand together, each with the name of its table.
    pub fn group(
        columns: impl IntoIterator<Item = (String, Described)>,
    ) -> Result<Vec<Self>, Error> {
        let mut tables: Vec<(String, Vec<Described>)> = Vec::new();
        for (table, column) in columns {
            match tables.last_mut() {
                Some((last, columns)) if *last == table => columns.push(column),
                _ => tables.push((table, vec![column])),
            }
        }
        let tables = tables.into_iter();
        tables
            .map(|(name, columns)| Self::new(&name, columns))
            .collect()
    }

    /// The names of all columns, as in a statement.
    pub fn column_list(&self) -> String {
        let names = self.columns.iter().map(|column| quote(&column.name));
        names.collect::<Vec<_>>().join(", ")
    }

    /// The statement that reads rows in the order of the key, after a key if there is one.
    pub fn select(&self, parameter: char, has_start: bool, limit: usize) -> String {
        let mut sql = format!("select {} from {}", self.column_list(), quote(&self.name));
        let names = self.key_names();
        if has_start {
            let parameters = (1..=names.len()).map(|number| format!("{parameter}{number}"));
            let parameters = parameters.collect::<Vec<_>>().join(", ");
            sql += &format!(" where ({}) > ({parameters})", names.join(", "));
        }
        sql + &format!(" order by {} limit {limit}", names.join(", "))
    }

    /// The statement that reads the row with the greatest key.
    pub fn select_last(&self) -> String {
        let order = self.key_names().join(" desc, ");
        format!(
            "select {} from {} order by {order} desc limit 1",
            self.column_list(),
            quote(&self.name)
        )
    }

    fn key_names(&self) -> Vec<String> {
        let names = self
            .key
            .iter()
            .map(|&position| &self.columns[position].name);
        names.map(|name| quote(name)).collect()
    }
}

/// A name as in a statement.
pub(super) fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
