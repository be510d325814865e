//! Brings the database to the schema of this version.
//!
//! A migration whose name ends in `_rolling` leaves everything in place that the servers of earlier
//! versions read and write, so they go on beside it. Any other one is for servers that know it.
//!
//! # Guarantees
//! - Servers that start at the same time migrate one after the other, and a migration that fails
//!   changes nothing.
//! - A server never uses a database with a migration that is for later ones only.
//! - A server does not run such a migration while others use the database.

use sqlx::migrate::Migrator;
use sqlx::{PgConnection, PgPool};

use super::location::PostgresLocation;
use super::membership::Membership;
use crate::Error;
use crate::store::sql::Source;
use crate::store::version::{later_version, refuse_later_entries};

/// Begins the transaction of all migrations, after those of other servers.
const BEGIN: &str =
    "set local statement_timeout = 0; set local idle_in_transaction_session_timeout = 0;
    set local client_min_messages = warning;
    select pg_advisory_xact_lock(hashtextextended('webchat migration ' || current_schema(), 0))";

/// How the name of a migration ends beside which servers of earlier versions go on.
const ROLLING: &str = " rolling";

/// Migrates the database. Without a membership no server uses it.
pub(crate) async fn run(
    write: &PgPool,
    location: &PostgresLocation,
    membership: Option<&Membership>,
) -> Result<(), Error> {
    let migrator = migrator(location);
    let mut tx = write.begin().await?;
    sqlx::raw_sql(BEGIN).execute(&mut *tx).await?;
    let applied = load_applied(&mut tx).await?;
    let later = applied
        .iter()
        .find(|migration| !migrator.version_exists(migration.number) && !migration.is_rolling());
    if let Some(later) = later {
        return Err(later_version(&format!("migration {}", later.number)));
    }
    let breaking = migrator
        .iter()
        .filter(|migration| !migration.description.ends_with(ROLLING))
        .map(|migration| migration.version)
        .find(|number| applied.iter().all(|applied| applied.number != *number));
    let run = migrator.run_direct(None, &mut *tx, false);
    match (membership, breaking) {
        (Some(membership), Some(number)) if !applied.is_empty() => {
            let migrated = membership.alone(run).await?;
            migrated.ok_or_else(|| others_would_break(number))??;
        }
        _ => run.await?,
    }
    tx.commit().await?;
    refuse_later_entries(Source::PostgresPool(write)).await
}

/// The migrations of this version.
fn migrator(location: &PostgresLocation) -> Migrator {
    let mut migrator = sqlx::migrate!("src/store/postgres/migrations");
    // Both are seen to here, and the lock would be one of the connection.
    migrator.set_ignore_missing(true).set_locking(false);
    #[cfg(test)]
    location.faults().add_migrations(&mut migrator);
    #[cfg(not(test))]
    let _ = location;
    migrator
}

/// A migration that the database has.
#[derive(Debug)]
struct Applied {
    number: i64,
    name: String,
}

impl Applied {
    fn is_rolling(&self) -> bool {
        self.name.ends_with(ROLLING)
    }
}

async fn load_applied(connection: &mut PgConnection) -> Result<Vec<Applied>, Error> {
    let sql = "select to_regclass('_sqlx_migrations') is not null";
    let has_table: bool = sqlx::query_scalar(sql).fetch_one(&mut *connection).await?;
    if !has_table {
        return Ok(Vec::new());
    }
    let sql = "select version, description from _sqlx_migrations order by version";
    let rows: Vec<(i64, String)> = sqlx::query_as(sql).fetch_all(connection).await?;
    let applied = rows
        .into_iter()
        .map(|(number, name)| Applied { number, name });
    Ok(applied.collect())
}

fn others_would_break(number: i64) -> Error {
    Error::fault(format!(
        "other servers use this database, and migration {number} of this version is not for servers \
         of an earlier one: stop all servers, start one of this version, and then the others"
    ))
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use crate::faults::Faults;
    use crate::testing::{TestChat, soon};
    use crate::{Chat, Config, Error, FollowEvent, Person};
    use protocol::Start;

    const NEW_TABLE: &str = "create table later (id bigint primary key)";

    /// A database with a node of this release; `None` if the tests are given none.
    async fn open_first() -> Option<TestChat> {
        let first = TestChat::new(|config| config.archive = false).await;
        first.config.database.is_some().then_some(first)
    }

    /// Opens another node, of a release with other migrations.
    async fn open(first: &TestChat, arm: impl FnOnce(&Faults)) -> Result<(Chat, TempDir), Error> {
        let dir = tempfile::tempdir().unwrap();
        let config = Config {
            database: first.config.database.clone(),
            archive: false,
            ..Config::new(dir.path())
        };
        arm(&config.faults);
        Ok((Chat::open(config).await?, dir))
    }

    async fn has_new_table(node: &TestChat) -> bool {
        let store = node.open_store().await;
        let sql = "select count(*) from pg_tables where tablename = 'later'
                   and schemaname = current_schema()";
        let count: i64 = crate::store::sql::query_as(sql)
            .fetch_one(store.read())
            .await
            .unwrap();
        store.close().await;
        count > 0
    }

    #[tokio::test]
    async fn node_goes_on_beside_a_later_release_with_a_rolling_migration() {
        let Some(first) = open_first().await else {
            return;
        };
        let room = first.create_room().await;
        let release = |faults: &Faults| faults.add_migration(2040, "files rolling", NEW_TABLE);
        let (later, _later_dir) = open(&first, release).await.unwrap();
        let (again, _again_dir) = open(&first, |_| {}).await.unwrap();
        let mut followers = Vec::new();
        for node in [&first.chat, &later, &again] {
            let follower = node.follow_room(&Person::Anonymous, &room, Start::Latest);
            followers.push(follower.await.unwrap());
        }
        let message = crate::testing::new_message("hello");
        for (node, id) in [&first.chat, &later, &again].into_iter().zip(1..) {
            let posted = node.post_message(&Person::Anonymous, &room, &message, None);
            assert_eq!(posted.await.unwrap().id, id);
        }
        for follower in &mut followers {
            let mut last = 0;
            while last < 3 {
                let event = soon("the messages", follower.next()).await.unwrap();
                if let FollowEvent::Messages(frames) = event {
                    last = frames.last();
                }
            }
        }
        drop(followers);
        later.close().await;
        again.close().await;
    }

    #[tokio::test]
    async fn later_release_with_another_migration_waits_for_the_end_of_earlier_ones() {
        let Some(first) = open_first().await else {
            return;
        };
        let room = first.create_room().await;
        let release = |faults: &Faults| faults.add_migration(2040, "files", NEW_TABLE);
        let refused = open(&first, release).await.unwrap_err().to_string();
        assert!(
            refused.contains("migration 2040 of this version"),
            "{refused}"
        );
        assert!(refused.contains("stop all servers"), "{refused}");
        assert_eq!(refused.lines().count(), 1, "{refused}");
        assert!(!has_new_table(&first).await);
        assert_eq!(first.post(room, "hello").await.id, 1);
        first.chat.close().await;
        let (later, _later_dir) = open(&first, release).await.unwrap();
        let (beside, _beside_dir) = open(&first, release).await.unwrap();
        let refused = open(&first, |_| {}).await.unwrap_err().to_string();
        let text = "a later version of webchat has written this database, which has migration 2040";
        assert!(refused.starts_with(text), "{refused}");
        later.close().await;
        beside.close().await;
    }

    #[tokio::test]
    async fn migration_that_fails_changes_nothing() {
        let Some(first) = open_first().await else {
            return;
        };
        let room = first.create_room().await;
        let release = |faults: &Faults| {
            faults.add_migration(2040, "files rolling", NEW_TABLE);
            faults.add_migration(2041, "more rolling", "create table room ()");
        };
        assert!(open(&first, release).await.is_err());
        assert!(!has_new_table(&first).await);
        assert_eq!(first.post(room, "hello").await.id, 1);
    }
}
