//! A copy of a whole database into an empty one, of the same or of another kind.
//!
//! Rows are copied in the order of their keys, and each batch is one transaction. So the greatest key
//! of each table of the target says where an interrupted copy goes on. The epoch is copied last,
//! after all rows were compared.
//!
//! # Guarantees
//! - No server uses either database meanwhile.
//! - A target without the epoch is refused by every server. One that has it is complete: it has the
//!   rows of the source, by their numbers and by digests of their content.
//! - A batch is all that is in memory.

mod digest;
mod end;
mod page;
mod postgres;
mod sqlite;
mod table;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

use self::digest::TableDigest;
use self::end::End;
use self::table::Table;
use crate::Error;

/// How many rows are read and written at once.
const BATCH: usize = 1_000;

/// Tables that describe one database, and not its content. Unlogged tables are not copied either.
const NOT_COPIED: [&str; 2] = ["log_position", "node_commits"];

/// The table whose rows make the copy complete.
const META: &str = "meta";

/// The table that is a file beside a database in a file.
const SIGNING_KEY: &str = "signing_key";

/// One of the two databases.
#[derive(Clone, Debug)]
pub struct CopyEnd {
    /// Its URL.
    pub url: String,
    /// The data directory, if it is not that of the database's file.
    pub data_dir: Option<PathBuf>,
}

/// A table that was copied.
#[derive(Clone, Debug)]
pub struct CopiedTable {
    /// The name of the table.
    pub name: String,
    /// How many rows it has.
    pub rows: u64,
}

/// Copies the database `from` into the database `to`, and compares them.
///
/// # Errors
/// A fault that names the cause: a database that is used or out of reach, a target that is not empty,
/// or a table that differs.
pub async fn copy_database(from: &CopyEnd, to: &CopyEnd) -> Result<Vec<CopiedTable>, Error> {
    let mut source = End::connect(from)
        .await
        .map_err(|error| of("source", &error))?;
    if source.is_the_database_of(to)? {
        return Err(same());
    }
    source.lock().await.map_err(|error| of("source", &error))?;
    let origin = source
        .check_source()
        .await
        .map_err(|error| of("source", &error))?;
    let mut target = End::connect(to)
        .await
        .map_err(|error| of("target", &error))?;
    if source.identity().await? == target.identity().await? {
        return Err(same());
    }
    prepare(&mut target, origin)
        .await
        .map_err(|error| of("target", &error))?;
    let tables = shared_tables(&mut source, &mut target).await?;
    let marked = target.begin_copy(origin, &tables).await;
    marked.map_err(|error| of("target", &error))?;
    let key = source.signing_key().await?;
    if let Some(key) = &key {
        let checked = target.check_signing_key(key).await;
        checked.map_err(|error| of("target", &error))?;
    }
    let mut copied = Vec::new();
    for table in &tables {
        copy_rows(&mut source, &mut target, table).await?;
    }
    for table in tables {
        let rows = compare(&mut source, &mut target, &table).await?;
        copied.push(CopiedTable {
            name: table.name,
            rows,
        });
    }
    let meta = source.meta().await?;
    target.finish_copy(&meta, key.as_deref()).await?;
    if target.meta().await? != meta {
        return Err(difference(META));
    }
    copied.push(CopiedTable {
        name: META.to_owned(),
        rows: meta.len() as u64,
    });
    target.close().await?;
    source.close().await?;
    Ok(copied)
}

/// Brings the target to the schema of this version, and keeps servers away from it. A database with a
/// content of its own is refused before it is changed.
async fn prepare(target: &mut End, origin: Origin) -> Result<(), Error> {
    target.lock().await?;
    target.refuse_content(origin).await?;
    target.migrate().await
}

/// Which content a database has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Origin {
    epoch: i64,
    instance: i64,
}

fn of(end: &str, error: &Error) -> Error {
    Error::fault(format!("the {end}: {error}"))
}

fn same() -> Error {
    Error::fault("the source and the target are the same database")
}

fn difference(table: &str) -> Error {
    Error::fault(format!(
        "the table {table} differs between the source and the target, so the copy is not complete. \
         If a server has used the source since the copy began, empty the target and copy again"
    ))
}

/// The tables that are copied row by row.
async fn shared_tables(source: &mut End, target: &mut End) -> Result<Vec<Table>, Error> {
    let has_key_file = source.is_file() || target.is_file();
    let targets = target.tables().await?;
    let mut shared = Vec::new();
    for table in source.tables().await? {
        let name = table.name.as_str();
        let is_special =
            NOT_COPIED.contains(&name) || name == META || (name == SIGNING_KEY && has_key_file);
        if is_special {
            continue;
        }
        // A schema of PostgreSQL may have tables of other programs.
        let Some(other) = targets.iter().find(|other| other.name == name) else {
            continue;
        };
        if *other != table {
            return Err(Error::fault(format!(
                "the table {name} has other columns in the target than in the source"
            )));
        }
        shared.push(table);
    }
    Ok(shared)
}

/// Copies the rows of a table that are not copied yet.
async fn copy_rows(source: &mut End, target: &mut End, table: &Table) -> Result<(), Error> {
    let mut after = target.last_key(table).await?;
    let mut count = 0;
    loop {
        let page = source.read(table, after.as_ref(), BATCH).await?;
        if page.is_empty() {
            break;
        }
        target.insert(table, &page).await?;
        count += page.len();
        tracing::debug!("copied {count} rows of {}", table.name);
        after = page.last_key(table);
    }
    tracing::info!("copied {count} rows of {}", table.name);
    Ok(())
}

/// Compares a table of both databases. Returns how many rows it has.
async fn compare(source: &mut End, target: &mut End, table: &Table) -> Result<u64, Error> {
    let (here, there) = tokio::join!(digest_of(source, table), digest_of(target, table));
    let (here, there) = (here?, there?);
    if here == there {
        Ok(here.rows())
    } else {
        Err(difference(&table.name))
    }
}

async fn digest_of(end: &mut End, table: &Table) -> Result<TableDigest, Error> {
    let mut digest = digest::Digest::default();
    let mut after = None;
    loop {
        let page = end.read(table, after.as_ref(), BATCH).await?;
        if page.is_empty() {
            return Ok(digest.finish());
        }
        digest.add(&page);
        after = page.last_key(table);
    }
}
