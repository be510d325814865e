//! What a chat is opened with.

use std::path::PathBuf;
use std::time::Duration;

use crate::Clock;
#[cfg(test)]
use crate::faults;

/// What a [`Chat`] is opened with.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where the database, the archives and the lock are; made if missing.
    pub data_dir: PathBuf,
    /// The database, as `sqlite:PATH`; in the data directory if it is not given.
    pub database: Option<String>,
    /// How long a room may stay without a new message.
    pub timeout: Duration,
    /// Whether a room is archived before it is deleted.
    pub archive: bool,
    /// How many bytes of recent messages each followed room keeps at hand; who is further behind reads the database.
    pub ring_bytes: usize,
    /// How long a conversation of two may stay without a new message.
    pub direct_timeout: Duration,
    /// How short a password may be, in characters.
    pub password_min: usize,
    /// What tokens are signed with; a key in the data directory, made when first needed, if it is not given.
    pub jwt_key: Option<String>,
    /// How long somebody stays signed in.
    pub jwt_lifetime: Duration,
    /// The clock that rooms live by.
    pub clock: Clock,
    /// What goes wrong in the database.
    #[cfg(test)]
    pub(crate) faults: faults::Faults,
}

impl Config {
    /// A configuration with the data in `data_dir` and everything else as by default.
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self {
            data_dir: data_dir.into(),
            database: None,
            timeout: Duration::from_secs(24 * 60 * 60),
            archive: true,
            ring_bytes: 256 * 1024,
            direct_timeout: Duration::MAX,
            password_min: 6,
            jwt_key: None,
            jwt_lifetime: Duration::from_secs(30 * 24 * 60 * 60),
            clock: Clock::default(),
            #[cfg(test)]
            faults: faults::Faults::default(),
        }
    }
}
