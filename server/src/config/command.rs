//! The commands other than serving.

use std::path::PathBuf;

use clap::Subcommand;

use crate::config::values::{self, FlagParser};

/// A command other than serving.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Copy the database to a new file; the server may be running
    ///
    /// The copy is a consistent snapshot. An existing file is never overwritten.
    Backup {
        /// The file to create
        file: PathBuf,
    },
    /// Copy a database into another one, of the same or of another kind; no server may be running
    ///
    /// Moves everything between sqlite:PATH and postgres://USER:PASSWORD@HOST/NAME, and compares both.
    /// All cursors, sessions and invitations stay valid. The target must be empty. A copy that was
    /// interrupted goes on when the same command is run again. The data directory of a SQLite file,
    /// which has the key that signs tokens, is the directory of the file unless --data-dir is given.
    Copy {
        /// The database to copy
        #[arg(
            long,
            env = "WEBCHAT_COPY_FROM",
            value_name = "URL",
            hide_env_values = true
        )]
        #[arg(value_parser = FlagParser(values::parse_database_url))]
        from: String,
        /// The empty database to copy into
        #[arg(
            long,
            env = "WEBCHAT_COPY_TO",
            value_name = "URL",
            hide_env_values = true
        )]
        #[arg(value_parser = FlagParser(values::parse_database_url))]
        to: String,
    },
    /// Check the archives of rooms that have ended
    Archive {
        /// What to do
        #[command(subcommand)]
        task: ArchiveTask,
    },
    /// Check whether the server at --listen is ready; the exit code is 0 if it is, and 1 otherwise
    Health,
    /// Grant or revoke the operator role
    ///
    /// Operators moderate every public room.
    Admin {
        /// The change
        #[command(subcommand)]
        change: OperatorChange,
    },
    /// Replace the database by a backup; the server must not be running
    Restore {
        /// The backup to read
        file: PathBuf,
    },
}

/// What to do with an archive.
#[derive(Clone, Debug, Subcommand)]
pub enum ArchiveTask {
    /// Check that an archive is whole: its lines, and the bytes of its files
    ///
    /// Compares the lines with the numbers and the SHA-256 of the last line, and each file in the
    /// directory ID/ beside the archive with its size and SHA-256. A ZIP file of a room has to be
    /// unpacked first. Prints what is wrong, one thing a line. The exit code is 0 if the archive is
    /// whole, and 1 if it is not or cannot be read.
    Verify {
        /// The archive, ID.jsonl
        file: PathBuf,
    },
}

/// A change of the operator role.
#[derive(Clone, Debug, Subcommand)]
pub enum OperatorChange {
    /// Make an account an operator
    Grant {
        /// The username of the account
        username: String,
    },
    /// Take the operator role from an account
    Revoke {
        /// The username of the account
        username: String,
    },
}
