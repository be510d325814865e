//! Faults that tests inject: interrupted statements and failed commits of `SQLite`, and panics of
//! background tasks.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use rand::RngExt;
use sqlx::sqlite::SqlitePoolOptions;
use tokio::sync::watch;

/// After how many instructions of its virtual machine `SQLite` calls the progress handler.
const INSTRUCTIONS: i32 = 20;

/// The odds of a fault: one in this many, or never at 0. Off until armed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Faults(Arc<Odds>);

#[derive(Debug, Default)]
struct Odds {
    instructions: AtomicU32,
    commits: AtomicU32,
    happened: AtomicU32,
    /// The tasks to panic.
    panics: watch::Sender<HashSet<&'static str>>,
}

impl Faults {
    /// Makes a background task panic once, at its next await.
    pub fn panic_in(&self, task: &'static str) {
        self.0.panics.send_modify(|panics| {
            panics.insert(task);
        });
    }

    /// Panics when [`Faults::panic_in`] asks this task to.
    pub async fn panic_when_asked(&self, task: &'static str) {
        let mut asked = self.0.panics.subscribe();
        // The sender is in `self`, so the wait cannot fail.
        let _ = asked.wait_for(|panics| panics.contains(task)).await;
        self.0.panics.send_if_modified(|panics| {
            panics.remove(task);
            false
        });
        panic!("a test asked {task} to panic");
    }

    /// Panics if [`Faults::panic_in`] has asked for it.
    pub fn panic_if_asked(&self, place: &'static str) {
        let mut is_asked = false;
        self.0.panics.send_if_modified(|panics| {
            is_asked = panics.remove(place);
            false
        });
        assert!(!is_asked, "a test asked {place} to panic");
    }

    /// Interrupts a statement at one in `instructions` calls of the progress handler, and fails one
    /// in `commits` commits.
    pub fn arm(&self, instructions: u32, commits: u32) {
        self.0.instructions.store(instructions, Ordering::Relaxed);
        self.0.commits.store(commits, Ordering::Relaxed);
    }

    /// How many faults have happened.
    pub fn happened(&self) -> u32 {
        self.0.happened.load(Ordering::Relaxed)
    }

    /// Injects faults into every connection of a pool.
    pub fn happen_in(&self, pool: SqlitePoolOptions) -> SqlitePoolOptions {
        let odds = self.0.clone();
        pool.after_connect(move |connection, _| {
            let (statements, commits) = (odds.clone(), odds.clone());
            Box::pin(async move {
                let mut handle = connection.lock_handle().await?;
                handle.set_progress_handler(INSTRUCTIONS, move || {
                    statements.spare(&statements.instructions)
                });
                handle.set_commit_hook(move || commits.spare(&commits.commits));
                Ok(())
            })
        })
    }

    /// Injects faults into one connection.
    pub fn happen_on(&self, connection: &rusqlite::Connection) -> rusqlite::Result<()> {
        let (statements, commits) = (self.0.clone(), self.0.clone());
        connection.progress_handler(
            INSTRUCTIONS,
            Some(move || !statements.spare(&statements.instructions)),
        )?;
        connection.commit_hook(Some(move || !commits.spare(&commits.commits)))
    }
}

impl Odds {
    /// Whether no fault happens this time.
    fn spare(&self, one_in: &AtomicU32) -> bool {
        let one_in = one_in.load(Ordering::Relaxed);
        let spare = one_in == 0 || rand::rng().random_range(0..one_in) != 0;
        self.happened
            .fetch_add(u32::from(!spare), Ordering::Relaxed);
        spare
    }
}
