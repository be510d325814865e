//! A copied database in a file.

use std::fs::File;
use std::path::{Path, PathBuf};

use rusqlite::types::ValueRef;
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, Statement, ToSql};

use super::Origin;
use super::page::{Key, KeyPart, Page, Values};
use super::table::{Described, Table, quote};
use crate::Error;
use crate::store::data_dir;
use crate::store::key_file::{find_key, write_key};
use crate::store::sqlite::{SqliteLocation, SqlitePools};
use crate::store::unfinished_copy;

const IN_USE: &str = "a server uses this database: stop it, and copy again";

/// A database in a file, which no other process can open meanwhile.
#[derive(Debug)]
pub(super) struct SqliteEnd {
    location: SqliteLocation,
    data_dir: PathBuf,
    connection: Option<Connection>,
    data_dir_lock: Option<File>,
}

impl SqliteEnd {
    pub fn new(location: SqliteLocation, data_dir: Option<&Path>) -> Self {
        let parent = location.path().parent();
        let parent = parent.filter(|parent| !parent.as_os_str().is_empty());
        let data_dir = data_dir.or(parent).unwrap_or(Path::new("."));
        Self {
            data_dir: data_dir.to_owned(),
            location,
            connection: None,
            data_dir_lock: None,
        }
    }

    pub fn path(&self) -> &Path {
        self.location.path()
    }

    /// Keeps other processes away from the database, which may not exist yet.
    pub fn lock(&mut self) -> Result<(), Error> {
        if self.data_dir.join("webchat.lock").exists() {
            let locked = data_dir::lock(&self.data_dir);
            self.data_dir_lock = Some(
                locked
                    .map_err(|error| Error::fault(format!("{error}: stop it, and copy again")))?,
            );
        }
        if self.path().exists() {
            self.connection = Some(self.connect()?);
        }
        Ok(())
    }

    /// Opens the database so that no other process can, and none has.
    fn connect(&self) -> Result<Connection, Error> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(self.path(), flags)?;
        let exclude = || {
            connection.pragma_update(None, "locking_mode", "exclusive")?;
            connection.execute_batch("begin exclusive; commit")?;
            // The last transaction, which is durable, comes after all others.
            connection.pragma_update(None, "synchronous", "normal")
        };
        match exclude() {
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => {
                Err(Error::fault(IN_USE))
            }
            outcome => Ok(outcome.map(|()| connection)?),
        }
    }

    fn connection(&self) -> Result<&Connection, Error> {
        let path = || self.path().display();
        let missing = || Error::fault(format!("there is no database at {}", path()));
        self.connection.as_ref().ok_or_else(missing)
    }

    /// The number of this name.
    pub fn number(&self, name: &str) -> Result<Option<i64>, Error> {
        let connection = self.connection()?;
        let sql = "select count(*) from sqlite_master where name = 'meta'";
        let tables: i64 = connection.query_row(sql, [], |row| row.get(0))?;
        if tables == 0 {
            return Ok(None);
        }
        let sql = "select value from meta where name = ?1";
        Ok(connection
            .query_row(sql, [name], |row| row.get(0))
            .optional()?)
    }

    pub fn has_content(&self) -> bool {
        self.connection.is_some()
    }

    /// Brings the database to the schema of this version.
    pub async fn migrate(&mut self) -> Result<(), Error> {
        drop(self.connection.take());
        SqlitePools::open(&self.location).await?.close().await;
        self.connection = Some(self.connect()?);
        Ok(())
    }

    pub fn tables(&self) -> Result<Vec<Table>, Error> {
        let connection = self.connection()?;
        let sql = "select table_info.name, lower(table_info.type), table_info.pk, tables.name
                   from sqlite_master as tables, pragma_table_info(tables.name) as table_info
                   where tables.type = 'table' and tables.name not like 'sqlite\\_%' escape '\\'
                   and tables.name not like '\\_sqlx\\_%' escape '\\'
                   order by tables.name";
        let mut statement = connection.prepare(sql)?;
        let rows = statement.query_map([], |row| {
            let described = Described {
                name: row.get(0)?,
                kind: row.get(1)?,
                key: row.get(2)?,
            };
            Ok((row.get(3)?, described))
        })?;
        Table::group(rows.collect::<Result<Vec<_>, _>>()?)
    }

    pub fn read(&self, table: &Table, after: Option<&Key>, limit: usize) -> Result<Page, Error> {
        let sql = table.select('?', after.is_some(), limit);
        let mut statement = self.connection()?.prepare_cached(&sql)?;
        let key = after.into_iter().flatten().map(|part| match part {
            KeyPart::Integer(number) => number as &dyn ToSql,
            KeyPart::Text(text) => text,
        });
        let key: Vec<_> = key.collect();
        read_rows(&mut statement, &key, table)
    }

    pub fn last_key(&self, table: &Table) -> Result<Option<Key>, Error> {
        let mut statement = self.connection()?.prepare(&table.select_last())?;
        Ok(read_rows(&mut statement, &[], table)?.last_key(table))
    }

    pub fn insert(&mut self, table: &Table, page: &Page) -> Result<(), Error> {
        let connection = self.connection()?;
        let parameters = (1..=table.columns.len()).map(|number| format!("?{number}"));
        let sql = format!(
            "insert into {} ({}) values ({})",
            quote(&table.name),
            table.column_list(),
            parameters.collect::<Vec<_>>().join(", ")
        );
        let tx = connection.unchecked_transaction()?;
        let mut statement = tx.prepare_cached(&sql)?;
        for row in 0..page.len() {
            let values = page.columns.iter().map(|column| match column {
                Values::Integers(values) => &values[row] as &dyn ToSql,
                Values::Booleans(values) => &values[row],
                Values::Texts(values) => &values[row],
            });
            statement.execute(rusqlite::params_from_iter(values))?;
        }
        drop(statement);
        Ok(tx.commit()?)
    }

    /// Notes which content is copied.
    pub fn mark(&self, origin: Origin) -> Result<(), Error> {
        let sql = "insert into meta (name, value) values (?1, ?2), (?3, ?4) on conflict do nothing";
        let (epoch, instance) = (unfinished_copy::EPOCH, unfinished_copy::INSTANCE);
        let values = (epoch, origin.epoch, instance, origin.instance);
        self.connection()?.execute(sql, values)?;
        Ok(())
    }

    pub fn meta(&self) -> Result<Vec<(String, i64)>, Error> {
        let sql = "select name, value from meta order by name";
        let mut statement = self.connection()?.prepare(sql)?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    pub fn signing_key(&self) -> Result<Option<String>, Error> {
        find_key(&self.data_dir)
    }

    #[cfg(test)]
    pub fn execute(&self, sql: &str) {
        self.connection().unwrap().execute(sql, []).unwrap();
    }

    pub fn close(&mut self) -> Result<(), Error> {
        match self.connection.take().map(Connection::close) {
            Some(Err((_, error))) => Err(error.into()),
            Some(Ok(())) | None => Ok(()),
        }
    }

    pub fn finish(&self, meta: &[(String, i64)], key: Option<&str>) -> Result<(), Error> {
        if let Some(key) = key {
            write_key(&self.data_dir, key)?;
        }
        let connection = self.connection()?;
        connection.pragma_update(None, "synchronous", "full")?;
        let tx = connection.unchecked_transaction()?;
        tx.execute("delete from meta", [])?;
        for (name, value) in meta {
            let sql = "insert into meta (name, value) values (?1, ?2)";
            tx.execute(sql, (name, value))?;
        }
        Ok(tx.commit()?)
    }
}

fn read_rows(
    statement: &mut Statement<'_>,
    key: &[&dyn ToSql],
    table: &Table,
) -> Result<Page, Error> {
    let mut page = Page::new(table);
    let mut rows = statement.query(key)?;
    while let Some(row) = rows.next()? {
        for (position, values) in page.columns.iter_mut().enumerate() {
            match (row.get_ref(position)?, values) {
                (ValueRef::Null, Values::Integers(values)) => values.push(None),
                (ValueRef::Null, Values::Booleans(values)) => values.push(None),
                (ValueRef::Null, Values::Texts(values)) => values.push(None),
                (ValueRef::Integer(number), Values::Integers(values)) => values.push(Some(number)),
                (ValueRef::Integer(number @ 0..=1), Values::Booleans(values)) => {
                    values.push(Some(number == 1));
                }
                (ValueRef::Text(text), Values::Texts(values)) => {
                    let text = std::str::from_utf8(text).map_err(Error::fault)?;
                    values.push(Some(text.to_owned()));
                }
                (value, _) => {
                    return Err(Error::fault(format!(
                        "the column {} of {} has a value of the type {}",
                        table.columns[position].name,
                        table.name,
                        value.data_type()
                    )));
                }
            }
        }
    }
    Ok(page)
}
