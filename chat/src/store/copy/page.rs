//! Rows that are read and written together, column by column.

use super::table::{Kind, Table};

/// The values of one column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Values {
    Integers(Vec<Option<i64>>),
    Booleans(Vec<Option<bool>>),
    Texts(Vec<Option<String>>),
}

/// A value of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum KeyPart {
    Integer(i64),
    Text(String),
}

/// The key of a row.
pub(super) type Key = Vec<KeyPart>;

/// Rows of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Page {
    pub columns: Vec<Values>,
}

impl Page {
    /// No rows of a table.
    pub fn new(table: &Table) -> Self {
        let columns = table.columns.iter().map(|column| match column.kind {
            Kind::Integer => Values::Integers(Vec::new()),
            Kind::Boolean => Values::Booleans(Vec::new()),
            Kind::Text => Values::Texts(Vec::new()),
        });
        Self {
            columns: columns.collect(),
        }
    }

    pub fn len(&self) -> usize {
        match self.columns.first() {
            Some(Values::Integers(values)) => values.len(),
            Some(Values::Booleans(values)) => values.len(),
            Some(Values::Texts(values)) => values.len(),
            None => 0,
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The key of the last row. No key has a null or a boolean.
    pub fn last_key(&self, table: &Table) -> Option<Key> {
        let last = self.len().checked_sub(1)?;
        let parts = table.key.iter().map(|&column| match &self.columns[column] {
            Values::Integers(values) => values[last].map(KeyPart::Integer),
            Values::Texts(values) => values[last].clone().map(KeyPart::Text),
            Values::Booleans(values) => {
                values[last].map(|value| KeyPart::Integer(i64::from(value)))
            }
        });
        parts.collect()
    }
}
