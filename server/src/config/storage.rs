//! The flags of what is stored, and how much.

use std::path::PathBuf;

use chat::Scanner;
use clap::Args;

use crate::config::Config;
use crate::config::types::Switch;
use crate::config::values::{self, FlagParser};

/// What is stored, and how much.
#[derive(Clone, Debug, Args)]
pub struct StorageFlags {
    /// Let people send files
    #[arg(
        long,
        env = "WEBCHAT_FILES",
        value_name = "on|off",
        default_value = "on"
    )]
    #[arg(value_parser = FlagParser(values::parse_switch))]
    pub files: Switch,

    /// The largest file
    #[arg(
        long,
        env = "WEBCHAT_FILE_MAX",
        value_name = "SIZE",
        default_value = "100MB"
    )]
    #[arg(value_parser = FlagParser(values::parse_size), allow_hyphen_values = true)]
    pub file_max: u64,

    /// The most bytes of the files of a room together
    #[arg(
        long,
        env = "WEBCHAT_ROOM_FILES",
        value_name = "SIZE",
        default_value = "1GB"
    )]
    #[arg(value_parser = FlagParser(values::parse_size), allow_hyphen_values = true)]
    pub room_files: u64,

    /// The most bytes of the files of all rooms together
    #[arg(
        long,
        env = "WEBCHAT_ALL_FILES",
        value_name = "SIZE",
        default_value = "20GB"
    )]
    #[arg(value_parser = FlagParser(values::parse_size), allow_hyphen_values = true)]
    pub all_files: u64,

    /// The directory of the files, as file:///PATH; nodes of one database must share it [default: files in the data directory]
    #[arg(long, env = "WEBCHAT_FILES_URL", value_name = "URL")]
    #[arg(value_parser = FlagParser(values::parse_directory_of_files))]
    pub files_url: Option<PathBuf>,

    /// Keep this much of the disk free: below it files are refused, and below a tenth of it messages
    #[arg(
        long,
        env = "WEBCHAT_FREE_SPACE",
        value_name = "SIZE",
        default_value = "1GB"
    )]
    #[arg(value_parser = FlagParser(values::parse_size), allow_hyphen_values = true)]
    pub free_space: u64,

    /// Let clamd check each file before anyone can download it: clamd:ADDR:PORT, or clamd:PATH of its socket [default: no file is checked]
    #[arg(long, env = "WEBCHAT_SCAN", value_name = "SCANNER")]
    #[arg(value_parser = FlagParser(values::parse_scanner))]
    pub scan: Option<Scanner>,

    /// With --scan: the largest file, which is what clamd looks at by its StreamMaxLength and MaxFileSize
    #[arg(
        long,
        env = "WEBCHAT_SCAN_MAX",
        value_name = "SIZE",
        default_value = "100MB"
    )]
    #[arg(value_parser = FlagParser(values::parse_size), allow_hyphen_values = true)]
    pub scan_max: u64,

    /// The most text that a room may have
    #[arg(
        long,
        env = "WEBCHAT_ROOM_MESSAGES",
        value_name = "SIZE",
        default_value = "1GB"
    )]
    #[arg(value_parser = FlagParser(values::parse_size), allow_hyphen_values = true)]
    pub room_messages: u64,
}

impl Config {
    /// Whether people may send files. The nodes of a database take none unless they share a directory
    /// for them: each would have files that the others cannot find.
    pub fn takes_files(&self) -> bool {
        self.storage.files == Switch::On && !self.lacks_shared_files()
    }

    /// Logs that people cannot send files although they are to be able to.
    pub fn warn_of_missing_files_url(&self) {
        if self.storage.files == Switch::On && !self.takes_files() {
            tracing::warn!(
                "this server takes no files: nodes of one database need a directory that they share, \
                 --files-url file:///PATH"
            );
        }
    }

    /// Whether this may be one of several nodes, which share no directory of files.
    fn lacks_shared_files(&self) -> bool {
        let is_shared = self.database.as_deref().is_some_and(chat::is_postgres);
        let is_alone = self.archive == Switch::On && self.archive_url.is_none();
        is_shared && !is_alone && self.storage.files_url.is_none()
    }
}
