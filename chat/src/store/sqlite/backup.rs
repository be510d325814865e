//! A copy of everything, and putting it back.
//!
//! A backup is one file, consistent as of one moment, taken while the server runs. A restored database gets a new epoch:
//! clients whose cursors lie in the future that was lost are told so, and read everything again.

use std::path::Path;

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode};
use sqlx::{ConnectOptions, Connection};

use crate::store::DatabaseLocation;
use crate::{Config, Error, store};

/// Copies the database of `config` to a new file.
///
/// # Errors
/// A fault that says what is wrong: there is no database, or there is something at `file` already.
pub async fn back_up_database(config: &Config, file: &Path) -> Result<(), Error> {
    let place = DatabaseLocation::of(config)?;
    if file.exists() {
        return Err(Error::fault(format!("{} exists already", file.display())));
    }
    let mut source = place
        .options()
        .create_if_missing(false)
        .read_only(true)
        .connect()
        .await?;
    let beside = beside(file);
    let _ = std::fs::remove_file(&beside);
    let target = beside
        .to_str()
        .ok_or_else(|| Error::fault("the file's name is not UTF-8"))?;
    sqlx::query("vacuum into $1")
        .bind(target)
        .execute(&mut source)
        .await?;
    source.close().await?;
    std::fs::File::open(&beside)?.sync_all()?;
    std::fs::rename(&beside, file)?;
    store::sync_parent(file)
}

/// Puts a backup in the place of the database of `config`, under a new epoch. No server may be using it.
///
/// # Errors
/// A fault that says what is wrong: a server is running, or the file is not a whole backup.
pub async fn restore_database(config: &Config, file: &Path) -> Result<(), Error> {
    std::fs::create_dir_all(&config.data_dir)?;
    let _lock = store::data_dir::lock(&config.data_dir)?;
    let place = DatabaseLocation::of(config)?;
    let beside = beside(place.path());
    std::fs::copy(file, &beside)?;
    let checked = renew(&beside).await;
    if checked.is_err() {
        std::fs::remove_file(&beside)?;
    }
    checked?;
    std::fs::File::open(&beside)?.sync_all()?;
    // The log of the old database must not be applied to the new one.
    for suffix in ["-wal", "-shm"] {
        let mut name = place.path().as_os_str().to_owned();
        name.push(suffix);
        match std::fs::remove_file(name) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
    }
    std::fs::rename(&beside, place.path())?;
    store::sync_parent(place.path())
}

/// Checks that a copy is whole and webchat's, and gives it a new epoch.
async fn renew(file: &Path) -> Result<(), Error> {
    let options = SqliteConnectOptions::new()
        .filename(file)
        .journal_mode(SqliteJournalMode::Delete);
    let not_ours = |error| Error::fault(format!("this is not a backup of webchat: {error}"));
    let mut copy = options.connect().await.map_err(not_ours)?;
    check(&mut copy).await?;
    let epoch = i64::from(getrandom::u32()?);
    let renewed = sqlx::query("update meta set value = $1 where name = 'epoch'")
        .bind(epoch)
        .execute(&mut copy)
        .await;
    if renewed.map_err(not_ours)?.rows_affected() != 1 {
        return Err(Error::fault(
            "this is not a backup of webchat: it has no epoch",
        ));
    }
    copy.close().await?;
    Ok(())
}

async fn check(copy: &mut SqliteConnection) -> Result<(), Error> {
    let found: String = sqlx::query_scalar("pragma integrity_check")
        .fetch_one(copy)
        .await?;
    if found == "ok" {
        Ok(())
    } else {
        Err(Error::fault(format!("the backup is damaged: {found}")))
    }
}

fn beside(file: &Path) -> std::path::PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".tmp");
    name.into()
}

#[cfg(test)]
mod tests {
    use protocol::{Cursor, Start};

    use super::*;
    use crate::testing::TestChat;
    use crate::{FollowEvent, MessagesPage};

    #[tokio::test]
    async fn a_backup_taken_while_serving_is_restored_under_a_new_epoch() {
        let mut test = TestChat::new(|_| {}).await;
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
            "not while somebody serves"
        );
        let cursor = Cursor {
            epoch: test.chat.0.epoch,
            seq: 2,
        };
        test.chat.close().await;
        restore_database(&test.config, &file).await.unwrap();
        test.reopen().await;
        assert_eq!(
            test.chat
                .list_messages(&crate::Person::Anonymous, &room, MessagesPage::default())
                .await
                .unwrap(),
            [kept]
        );
        test.post(room, "anew").await;
        let mut follow = test
            .chat
            .follow_room(&crate::Person::Anonymous, &room, Start::Cursor(cursor))
            .await
            .unwrap();
        assert!(matches!(follow.next().await.unwrap(), FollowEvent::Reset));
    }

    #[tokio::test]
    async fn what_is_not_a_backup_is_refused_and_harms_nothing() {
        let mut test = TestChat::new(|_| {}).await;
        let room = test.create_room().await;
        test.post(room, "precious").await;
        test.chat.close().await;
        let file = test.config.data_dir.join("odd");
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
                .find_room(&crate::Person::Anonymous, &room)
                .await
                .unwrap()
                .message_count,
            1
        );
    }
}
