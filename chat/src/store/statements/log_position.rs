//! Whether the database still has what was committed to it: it may have been restored from a backup,
//! or a standby may have taken over that had not received everything.
//!
//! The write-ahead log of a standby or of a backup is a beginning of the one before. So if the last
//! commit of each server is there, all are. Each server compares its own; the last
//! commit of a server that was killed is unknown.
//!
//! # Guarantees
//! - The epoch changes if the database was restored from a dump or to an earlier point, if a commit
//!   of a running server is missing, and if a standby takes over and commits of a server that was
//!   killed may be missing.
//! - The epoch stays if a standby takes over and all servers find their last commits.
//! - An ordinary role may run all statements.
//!
//! # Not here
//! - What readers hear: `nodes::history_watch`.

use std::time::{Duration, Instant};

use tokio::time::timeout;

use crate::Error;
use crate::store::sql::{FromRow, Row, query, query_as};
use crate::store::{Reader, Store, WriteTransaction};

/// How long servers may take to find their last commits after a standby has taken over.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long a server that ends waits for the database.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(1);

/// After how long without a sign of life a server counts as ended, in milliseconds. All that it has
/// committed is older.
const DEAD_AFTER_MS: i64 = 6_000;

/// Where the database is, as a row named `here`.
const HERE: &str = "with here as (select
    (select system_identifier from pg_control_system()) as system_identifier,
    (select oid::bigint from pg_database where datname = current_database()) as database,
    'log_position'::regclass::oid::bigint as relation,
    ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::bigint as timeline)";

/// What a server compares.
#[derive(Debug)]
struct Position {
    /// `None` before the first server.
    epoch: Option<i64>,
    /// The number of the history that the database writes: another one after each takeover of a
    /// standby, and after each recovery to a point in time.
    timeline: i64,
    /// Whether the database is on the same server, and no dump was restored since.
    is_same_database: bool,
    /// The timeline of which all servers have found their last commits; `None` before the first
    /// server.
    checked_timeline: Option<i64>,
    /// How many commits of this server there are; `None` if it is not known.
    commits: Option<i64>,
    /// How many other servers have yet to find their last commits in this timeline.
    unchecked: i64,
}

impl FromRow for Position {
    fn from_row(row: &Row) -> sqlx::Result<Self> {
        Ok(Self {
            epoch: row.try_get("epoch")?,
            timeline: row.try_get("timeline")?,
            is_same_database: row.try_get("is_same_database")?,
            checked_timeline: row.try_get("checked_timeline")?,
            commits: row.try_get("commits")?,
            unchecked: row.try_get("unchecked")?,
        })
    }
}

async fn load(reader: &mut dyn Reader, node: i64) -> Result<Position, Error> {
    let sql = format!(
        "{HERE} select epoch.value as epoch, here.timeline, stored.timeline as checked_timeline,
             (here.system_identifier, here.database, here.relation) is not distinct from
             (stored.system_identifier, stored.database, stored.relation) as is_same_database,
             own.commits, (select count(*) from node_commits as other
                 where other.node <> $1 and other.timeline <> here.timeline) as unchecked
         from here left join meta as epoch on epoch.name = 'epoch'
         left join log_position as stored on true
         left join node_commits as own on own.node = $1"
    );
    let position = query_as(sqlx::AssertSqlSafe(sql)).bind(node);
    Ok(position.fetch_one(reader.connection()).await?)
}

/// Begins to compare, before the first request. A database that goes on from an unknown state gets a
/// new epoch.
pub(crate) async fn join(store: &Store) -> Result<(), Error> {
    let Some(commits) = store.commit_count() else {
        return Ok(());
    };
    let mut tx = store.begin().await?;
    let position = load(&mut tx, commits.node()).await?;
    let is_known =
        position.is_same_database && position.checked_timeline == Some(position.timeline);
    if position.checked_timeline.is_some() && !is_known {
        tracing::warn!(
            "the database was restored, or a standby has taken over: clients read their rooms again"
        );
        draw_epoch(&mut tx).await?;
    }
    save(&mut tx).await?;
    register(&mut tx, commits.node(), commits.get()).await?;
    tx.commit().await?;
    Ok(())
}

/// Ends in order: all commits of this server are older than this one.
pub(crate) async fn leave(store: &Store) {
    let Some(commits) = store.commit_count() else {
        return;
    };
    let delete = query("delete from node_commits where node = $1").bind(commits.node());
    match timeout(ANSWER_TIMEOUT, delete.execute(store.write())).await {
        Ok(Ok(_)) => {}
        Ok(Err(error)) => tracing::debug!(%error, "the server ends without leaving the others"),
        Err(_) => tracing::debug!("the server ends without leaving the others"),
    }
}

/// What a server remembers between two looks.
#[derive(Clone, Debug, Default)]
pub(crate) struct HistoryCheck {
    /// Since when the timeline has been another one.
    changed_at: Option<Instant>,
}

/// What a server does after a look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// All commits are there.
    Complete,
    /// This server has another epoch than the database.
    EpochChanged(u32),
    /// Commits are missing, or may be.
    Incomplete,
    /// The commits of this server are there, and others have to look.
    Unchecked,
    /// The commits of all servers are there.
    Checked,
}

impl HistoryCheck {
    /// Looks whether all commits are there. Returns the epoch if it is no longer `epoch`.
    pub async fn run(&mut self, store: &Store, epoch: u32) -> Result<Option<u32>, Error> {
        let Some(commits) = store.commit_count() else {
            return Ok(None);
        };
        // A commit that comes in between makes the number in the database greater.
        let committed = commits.get();
        let position = load(&mut store.reader().await?, commits.node()).await?;
        match self.judge(&position, epoch, committed) {
            Verdict::Complete => {
                stay_alive(store, commits.node()).await?;
                Ok(None)
            }
            Verdict::EpochChanged(epoch) => {
                let mut tx = store.begin().await?;
                register(&mut tx, commits.node(), commits.get()).await?;
                tx.commit().await?;
                Ok(Some(epoch))
            }
            Verdict::Incomplete => renew_epoch(store, epoch).await,
            Verdict::Unchecked => {
                let mut tx = store.begin().await?;
                register(&mut tx, commits.node(), commits.get()).await?;
                tx.commit().await?;
                Ok(None)
            }
            Verdict::Checked => {
                let mut tx = store.begin().await?;
                register(&mut tx, commits.node(), commits.get()).await?;
                save(&mut tx).await?;
                tx.commit().await?;
                tracing::info!("a standby has taken over with all commits");
                Ok(None)
            }
        }
    }

    fn judge(&mut self, position: &Position, epoch: u32, committed: i64) -> Verdict {
        let stored = position.epoch.and_then(|stored| u32::try_from(stored).ok());
        if let Some(stored) = stored.filter(|stored| *stored != epoch) {
            self.changed_at = None;
            return Verdict::EpochChanged(stored);
        }
        let is_checked = position.checked_timeline == Some(position.timeline);
        let has_lost = match position.commits {
            Some(commits) => commits < committed,
            // Others remove the row of a server that stands still for a while.
            None => !is_checked,
        };
        if has_lost || !position.is_same_database {
            self.changed_at = None;
            return Verdict::Incomplete;
        }
        if is_checked {
            self.changed_at = None;
            return match position.commits {
                Some(_) => Verdict::Complete,
                None => Verdict::Unchecked,
            };
        }
        let changed_at = *self.changed_at.get_or_insert_with(Instant::now);
        if position.unchecked == 0 {
            Verdict::Checked
        } else if changed_at.elapsed() < PATIENCE {
            Verdict::Unchecked
        } else {
            Verdict::Incomplete
        }
    }
}

/// Gives the database a new epoch, unless another server has. Returns the epoch.
async fn renew_epoch(store: &Store, epoch: u32) -> Result<Option<u32>, Error> {
    let Some(commits) = store.commit_count() else {
        return Ok(None);
    };
    let mut tx = store.begin().await?;
    let position = load(&mut tx, commits.node()).await?;
    if position.epoch == Some(i64::from(epoch)) {
        draw_epoch(&mut tx).await?;
        save(&mut tx).await?;
    }
    register(&mut tx, commits.node(), commits.get()).await?;
    let position = load(&mut tx, commits.node()).await?;
    tx.commit().await?;
    Ok(position.epoch.and_then(|stored| u32::try_from(stored).ok()))
}

/// Gives the database another epoch, if it has one.
async fn draw_epoch(tx: &mut WriteTransaction) -> Result<(), Error> {
    query("update meta set value = $1 where name = 'epoch'")
        .bind(i64::from(getrandom::u32()?))
        .execute(tx.connection())
        .await?;
    // The others know by the epoch that there is nothing to compare.
    query("delete from node_commits")
        .execute(tx.connection())
        .await?;
    Ok(())
}

/// Stores where the database is, and that its content counts from here on.
async fn save(tx: &mut WriteTransaction) -> Result<(), Error> {
    let sql = format!(
        "{HERE} insert into log_position (id, system_identifier, database, relation, timeline)
         select 1, system_identifier, database, relation, timeline from here
         on conflict (id) do update set system_identifier = excluded.system_identifier,
             database = excluded.database, relation = excluded.relation,
             timeline = excluded.timeline"
    );
    let saved = query(sqlx::AssertSqlSafe(sql)).execute(tx.connection());
    saved.await?;
    Ok(())
}

/// Stores that this server has found so many commits.
async fn register(tx: &mut WriteTransaction, node: i64, commits: i64) -> Result<(), Error> {
    let sql = format!(
        "{HERE} insert into node_commits (node, commits, timeline, alive_at)
         select $1, $2, timeline, (extract(epoch from clock_timestamp()) * 1000)::bigint from here
         on conflict (node) do update set timeline = excluded.timeline,
             alive_at = excluded.alive_at"
    );
    let saved = query(sqlx::AssertSqlSafe(sql)).bind(node).bind(commits);
    saved.execute(tx.connection()).await?;
    Ok(())
}

/// Says every second that this server is alive, and forgets those that are not.
async fn stay_alive(store: &Store, node: i64) -> Result<(), Error> {
    let sql = "with now as (select (extract(epoch from clock_timestamp()) * 1000)::bigint as ms),
               dead as (delete from node_commits where alive_at < (select ms from now) - $2)
               update node_commits set alive_at = (select ms from now)
               where node = $1";
    let lived = query(sql).bind(node).bind(DEAD_AFTER_MS);
    lived.execute(store.write()).await?;
    Ok(())
}
