//! The types of flags and commands.

use std::path::PathBuf;

use clap::Subcommand;

/// What can be done instead of serving.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Copy the database to a new file, consistent as of one moment; the server may be running
    Backup {
        /// The file to make
        file: PathBuf,
    },
    /// Ask the server that runs here, at --listen, whether it is ready; the exit code is 0 if it is
    Health,
    /// Say who operates this server: operators keep order in every room that is open to everybody
    Admin {
        /// What to do
        #[command(subcommand)]
        deed: Admin,
    },
    /// Put a backup in the place of the database; the server must not be running
    Restore {
        /// The backup
        file: PathBuf,
    },
}

/// What can be done about operators.
#[derive(Clone, Debug, Subcommand)]
pub enum Admin {
    /// Make somebody with an account an operator
    Grant {
        /// The account's username
        username: String,
    },
    /// Make an operator somebody like everybody else
    Revoke {
        /// The account's username
        username: String,
    },
}

/// On or off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Switch {
    /// Do it.
    On,
    /// Leave it.
    Off,
}

/// How log lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For programs: one JSON object a line.
    Json,
}

/// Which certificate is wished for, from whom, and where it is kept.
#[derive(Clone, Debug)]
pub struct AcmeSettings {
    /// The names that the certificate is for.
    pub domains: Vec<String>,
    /// Where the authority may write to, as `mailto:`.
    pub contact: Option<String>,
    /// The address by which the authority is found.
    pub directory: String,
    /// Whom to trust about the authority's own certificate (PEM); those whom browsers trust if it is not given.
    pub root: Option<PathBuf>,
    /// Where account and certificate are kept.
    pub dir: PathBuf,
}
