//! The number of transactions that this server has committed. Each of them also writes its number, so
//! a number in the database that is smaller than the one here says that commits are missing.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// The number of transactions that this server has committed, and the number by which the database
/// knows the server. It is cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct CommitCount(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    node: i64,
    /// The number of the newest transaction, whether or not it was committed.
    begun: AtomicI64,
    /// The number of the newest transaction that was committed.
    commits: AtomicI64,
}

impl CommitCount {
    /// The count of a server that has committed nothing.
    pub fn new() -> Result<Self, getrandom::Error> {
        Ok(Self(Arc::new(Inner {
            node: getrandom::u64()?.cast_signed(),
            begun: AtomicI64::new(0),
            commits: AtomicI64::new(0),
        })))
    }

    pub fn node(&self) -> i64 {
        self.0.node
    }

    /// The number of the newest transaction that is known to be committed.
    pub fn get(&self) -> i64 {
        self.0.commits.load(Ordering::SeqCst)
    }

    /// The statement that belongs into a transaction before its commit, with the number to pass to
    /// [`CommitCount::note`] after it. One transaction at a time of this server is between both. If
    /// it is not known whether a transaction was committed, the next one has another number.
    pub fn next(&self) -> (String, i64) {
        let commits = self.0.begun.fetch_add(1, Ordering::SeqCst) + 1;
        let sql = format!(
            "update node_commits set commits = {commits} where node = {}",
            self.node()
        );
        (sql, commits)
    }

    /// Notes that the transaction with this number was committed.
    pub fn note(&self, commits: i64) {
        self.0.commits.store(commits, Ordering::SeqCst);
    }
}
