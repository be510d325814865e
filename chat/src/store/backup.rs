//! Backup and restore of the database.
//!
//! # Guarantees
//! - A backup is one file with the state of one moment, taken while the server runs.
//! - A restored database has a new epoch, so that clients whose cursors are newer than the backup
//!   read everything again.

use std::fs::File;
use std::path::{Path, PathBuf};

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode};
use sqlx::{ConnectOptions, Connection};

use super::location::DatabaseLocation;
use super::sqlite::SqliteLocation;
use crate::{Config, Error, store};

/// Copies the database of `config` to a new file.
///
/// # Errors
/// A fault that names the cause: there is no database, or `file` exists.
pub async fn back_up_database(config: &Config, file: &Path) -> Result<(), Error> {
    let location = location_of(config)?;
    if file.exists() {
        return Err(Error::fault(format!("{} exists already", file.display())));
    }
    let mut source = location
        .options()
        .create_if_missing(false)
        .read_only(true)
        .connect()
        .await?;
    let temporary = temporary_path(file);
    let _ = std::fs::remove_file(&temporary);
    let target = temporary
        .to_str()
        .ok_or_else(|| Error::fault("the file's name is not UTF-8"))?;
    sqlx::query("vacuum into $1")
        .bind(target)
        .execute(&mut source)
        .await?;
    source.close().await?;
    File::open(&temporary)?.sync_all()?;
    std::fs::rename(&temporary, file)?;
    store::sync_parent(file)
}

/// Replaces the database of `config` by a backup, with a new epoch. No server may be using it.
///
/// # Errors
/// A fault that names the cause: a server is running, or the file is not a complete backup.
pub async fn restore_database(config: &Config, file: &Path) -> Result<(), Error> {
    std::fs::create_dir_all(&config.data_dir)?;
    let _lock = store::data_dir::lock(&config.data_dir)?;
    let location = location_of(config)?;
    let temporary = temporary_path(location.path());
    copy_content(file, &temporary)?;
    let prepared = prepare_copy(&temporary).await;
    if prepared.is_err() {
        std::fs::remove_file(&temporary)?;
    }
    prepared?;
    File::open(&temporary)?.sync_all()?;
    remove_write_ahead_log(location.path())?;
    std::fs::rename(&temporary, location.path())?;
    store::sync_parent(location.path())
}

/// The file of the database.
///
/// # Errors
/// The database is on a server, which has tools of its own.
fn location_of(config: &Config) -> Result<SqliteLocation, Error> {
    match DatabaseLocation::of(config)? {
        DatabaseLocation::Sqlite(location) => Ok(*location),
        DatabaseLocation::Postgres(_) => Err(Error::fault(
            "the database is on a PostgreSQL server; back it up and restore it with pg_dump and \
             pg_restore, as docs/operating.md describes",
        )),
    }
}

/// Copies a file without its mode, which may let other users read it.
fn copy_content(from: &Path, to: &Path) -> std::io::Result<u64> {
    let mut from = File::open(from)?;
    let _ = std::fs::remove_file(to);
    std::io::copy(&mut from, &mut File::create(to)?)
}

/// Removes the write-ahead log of the old database, which must not be applied to the new one.
fn remove_write_ahead_log(database: &Path) -> Result<(), Error> {
    for suffix in ["-wal", "-shm"] {
        let mut name = database.as_os_str().to_owned();
        name.push(suffix);
        match std::fs::remove_file(name) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
    }
    Ok(())
}

/// Checks that a copy is a complete database of webchat, and gives it a new epoch.
async fn prepare_copy(file: &Path) -> Result<(), Error> {
    let options = SqliteConnectOptions::new()
        .filename(file)
        .journal_mode(SqliteJournalMode::Delete);
    let not_a_backup = |error| Error::fault(format!("this is not a backup of webchat: {error}"));
    let mut copy = options.connect().await.map_err(not_a_backup)?;
    check_integrity(&mut copy).await?;
    let epoch = i64::from(getrandom::u32()?);
    let updated = sqlx::query("update meta set value = $1 where name = 'epoch'")
        .bind(epoch)
        .execute(&mut copy)
        .await;
    if updated.map_err(not_a_backup)?.rows_affected() != 1 {
        return Err(Error::fault(
            "this is not a backup of webchat: it has no epoch",
        ));
    }
    copy.close().await?;
    Ok(())
}

async fn check_integrity(copy: &mut SqliteConnection) -> Result<(), Error> {
    let found: String = sqlx::query_scalar("pragma integrity_check")
        .fetch_one(copy)
        .await?;
    if found == "ok" {
        Ok(())
    } else {
        Err(Error::fault(format!("the backup is damaged: {found}")))
    }
}

/// The name under which a file is written before it is renamed to `file`.
fn temporary_path(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".tmp");
    name.into()
}

#[cfg(test)]
mod tests {
    use protocol::{Cursor, Start};

    use super::*;
    use crate::testing::TestChat;
    use crate::{FollowEvent, MessagesPage, Person};

    #[tokio::test]
    async fn backup_of_a_running_server_is_restored_under_a_new_epoch() {
        let mut test = TestChat::in_file(|_| {}).await;
        let room = test.create_room().await;
        let kept = test.post(room, "kept").await;
        let file = test.config.data_dir.join("copy");
        back_up_database(&test.config, &file).await.unwrap();
        assert!(
            back_up_database(&test.config, &file).await.is_err(),
            "a backup never overwrites"
        );
        test.post(room, "lost").await;
        assert!(
            restore_database(&test.config, &file).await.is_err(),
            "a restore needs a stopped server"
        );
        let cursor = Cursor {
            epoch: test.chat.0.epoch.get(),
            seq: 2,
        };
        test.chat.close().await;
        restore_database(&test.config, &file).await.unwrap();
        test.reopen().await;
        assert_eq!(
            test.chat
                .list_messages(&Person::Anonymous, &room, MessagesPage::default())
                .await
                .unwrap(),
            [kept]
        );
        test.post(room, "new").await;
        let mut follower = test
            .chat
            .follow_room(&Person::Anonymous, &room, Start::Cursor(cursor))
            .await
            .unwrap();
        assert!(matches!(follower.next().await.unwrap(), FollowEvent::Reset));
    }

    #[tokio::test]
    async fn file_that_is_no_backup_is_refused_and_changes_nothing() {
        let mut test = TestChat::in_file(|_| {}).await;
        let room = test.create_room().await;
        test.post(room, "precious").await;
        test.chat.close().await;
        let file = test.config.data_dir.join("other");
        for content in [&b""[..], b"not a database", &[0; 10_000]] {
            std::fs::write(&file, content).unwrap();
            assert!(restore_database(&test.config, &file).await.is_err());
        }
        assert!(
            restore_database(&test.config, Path::new("/nowhere"))
                .await
                .is_err()
        );
        test.reopen().await;
        assert_eq!(
            test.chat
                .find_room(&Person::Anonymous, &room)
                .await
                .unwrap()
                .message_count,
            1
        );
    }
}
