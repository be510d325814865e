//! The store in `PostgreSQL`: the connections, and what the writer loads and appends.

mod appended;
mod attempts;
mod commit_count;
mod loaded;
mod location;
mod log;
mod membership;
#[cfg(test)]
mod membership_tests;
pub(super) mod migrate;
mod new_entries;
mod nodes;
mod notify;
mod pool;
mod vacuum;
mod write_lock;

pub(crate) use self::commit_count::CommitCount;
pub(crate) use self::location::PostgresLocation;
pub(crate) use self::log::PostgresLog;
pub(crate) use self::membership::Membership;
pub(crate) use self::new_entries::{EntryRange, RANGE_MAX};
pub(crate) use self::nodes::{NodeNews, NumberedText, PresentNames, RINGS_MAX, Renewal};
pub(crate) use self::notify::{NotificationListener, notify};
pub(crate) use self::pool::{PostgresPools, PostgresPools as NodeStore};
pub(crate) use self::vacuum::vacuum;
