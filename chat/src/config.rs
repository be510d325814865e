//! The configuration that a [`crate::Chat`] is opened with.

use std::path::PathBuf;
use std::time::Duration;

use crate::Clock;
#[cfg(test)]
use crate::faults;

/// Where the scanner clamd listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scanner {
    /// At a host and a port.
    Tcp(String),
    /// At the path of a socket.
    Socket(PathBuf),
}

/// The configuration of a [`crate::Chat`].
#[derive(Clone, Debug)]
pub struct Config {
    /// The directory of the database, the archives and the lock file. It is created if it does not
    /// exist, with the file mode creation mask of the process.
    pub data_dir: PathBuf,
    /// The URL of the database, such as `sqlite:PATH` or `postgres://HOST/NAME`. Default: `webchat.db` in the data directory.
    pub database: Option<String>,
    /// The same database without a pooler in between. Default: `database`.
    pub database_direct: Option<String>,
    /// The directory of the archives, which all nodes of a database reach. Default: `archive` in the
    /// data directory, which only this node reaches.
    pub shared_archive: Option<PathBuf>,
    /// The directory of the files, which all nodes of a database reach. Default: `files` in the data
    /// directory, which only this node reaches.
    pub shared_files: Option<PathBuf>,
    /// The name of this node in logs.
    pub node: String,
    /// How long a room stays open without a new message.
    pub timeout: Duration,
    /// Whether a room is archived before it is deleted.
    pub archive: bool,
    /// How many bytes of recent messages to keep in memory for each followed room. A follower that
    /// is further behind reads the database.
    pub ring_bytes: usize,
    /// How long a direct chat stays open without a new message.
    pub direct_timeout: Duration,
    /// The minimum length of a password, in characters.
    pub password_min: usize,
    /// The key that signs tokens. Default: a key file in the data directory, created at the first
    /// start.
    pub jwt_key: Option<String>,
    /// How long a session lasts.
    pub jwt_lifetime: Duration,
    /// Whether people may send files.
    pub files: bool,
    /// The most bytes of a file.
    pub file_max: u64,
    /// The most bytes of the files of a room together.
    pub room_files: u64,
    /// The most bytes of the files of all rooms together.
    pub all_files: u64,
    /// How many bytes of the disk stay free: below them files are refused, and below a tenth of them
    /// messages.
    pub free_space: u64,
    /// Who is asked whether a file is harmful, if anyone.
    pub scanner: Option<Scanner>,
    /// The most bytes of a file that the scanner looks at.
    pub scan_max: u64,
    /// The most bytes that the texts of a room may have.
    pub room_messages: u64,
    /// The clock for all deadlines.
    pub clock: Clock,
    /// Faults to inject into the database.
    #[cfg(test)]
    pub(crate) faults: faults::Faults,
}

impl Config {
    /// The directory of the archives.
    pub(crate) fn archive_directory(&self) -> PathBuf {
        let own = || self.data_dir.join("archive");
        self.shared_archive.clone().unwrap_or_else(own)
    }

    /// The directory of the files.
    pub(crate) fn files_directory(&self) -> PathBuf {
        let own = || self.data_dir.join("files");
        self.shared_files.clone().unwrap_or_else(own)
    }

    /// The default configuration, with the data in `data_dir`.
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self {
            data_dir: data_dir.into(),
            database: None,
            database_direct: None,
            shared_archive: None,
            shared_files: None,
            node: "webchat".to_owned(),
            timeout: Duration::from_secs(24 * 60 * 60),
            archive: true,
            ring_bytes: 256 * 1024,
            direct_timeout: Duration::MAX,
            password_min: 6,
            jwt_key: None,
            jwt_lifetime: Duration::from_secs(30 * 24 * 60 * 60),
            files: true,
            file_max: 100_000_000,
            room_files: 1_000_000_000,
            all_files: 20_000_000_000,
            free_space: 1_000_000_000,
            scanner: None,
            scan_max: 100_000_000,
            room_messages: 1_000_000_000,
            clock: Clock::default(),
            #[cfg(test)]
            faults: faults::Faults::default(),
        }
    }
}
