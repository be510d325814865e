//! Brings the database to the schema of this version.
//!
//! # Guarantees
//! - A database that a later version has written is refused before anything is read or written.

use protocol::client_id;
use sqlx::SqlitePool;

use crate::Error;
use crate::store::sql::Source;
use crate::store::version::{refuse_later_entries, refuse_later_version};

/// How many old idempotency keys are converted in one transaction.
const BATCH: i64 = 1_000;

/// Migrates the database.
pub(super) async fn run(write: &SqlitePool) -> Result<(), Error> {
    let migrated = sqlx::migrate!("src/store/sqlite/migrations")
        .run(write)
        .await;
    refuse_later_version(migrated)?;
    refuse_later_entries(Source::SqlitePool(write)).await?;
    convert_idempotency_keys(write).await
}

/// Replaces the idempotency keys of old messages by their digests. There are none after the first
/// start of this version.
async fn convert_idempotency_keys(write: &SqlitePool) -> Result<(), Error> {
    loop {
        let mut tx = write.begin().await?;
        let sql = "select message, idempotency_key from old_idempotency_key limit $1";
        let keys: Vec<(i64, String)> = sqlx::query_as(sql).bind(BATCH).fetch_all(&mut *tx).await?;
        if keys.is_empty() {
            return Ok(());
        }
        for (message, idempotency_key) in keys {
            sqlx::query("update message set client_id = $2 where key = $1")
                .bind(message)
                .bind(client_id(&idempotency_key))
                .execute(&mut *tx)
                .await?;
            sqlx::query("delete from old_idempotency_key where message = $1")
                .bind(message)
                .execute(&mut *tx)
                .await?;
        }
        tx.commit().await?;
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::TestChat;
    use crate::{Chat, Error};

    /// Executes a statement on the database of a closed chat, and tries to open it.
    async fn reopen_after(sql: &'static str) -> Result<Chat, Error> {
        let test = TestChat::in_file(|_| {}).await;
        let room = test.create_room().await;
        test.post(room, "hello").await;
        test.chat.close().await;
        let database = rusqlite::Connection::open(test.config.data_dir.join("webchat.db")).unwrap();
        database.execute(sql, []).unwrap();
        drop(database);
        Chat::open(test.config.clone()).await
    }

    #[tokio::test]
    async fn database_of_a_later_version_is_refused_in_one_sentence() {
        let later_migration = "insert into _sqlx_migrations
            (version, description, success, checksum, execution_time)
            values (2040, 'files', true, x'00', 0)";
        let later_entry = "update message set kind = 3";
        for (sql, what) in [
            (later_migration, "which has migration 2040"),
            (later_entry, "which has entries of kind 3"),
        ] {
            let error = reopen_after(sql).await.unwrap_err().to_string();
            assert!(error.starts_with("a later version of webchat has written"));
            assert!(error.contains(what), "{error}");
            assert_eq!(error.lines().count(), 1, "{error}");
        }
        assert!(reopen_after("update message set kind = 2").await.is_ok());
    }
}
