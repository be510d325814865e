//! The types of flags and commands.

use std::path::PathBuf;

use clap::Subcommand;

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

/// On or off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Switch {
    /// The feature is enabled.
    On,
    /// The feature is disabled.
    Off,
}

/// The format of log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// Readable text.
    Text,
    /// One JSON object a line.
    Json,
}

/// Which certificate to request by ACME, from which authority, and where to store it.
#[derive(Clone, Debug)]
pub struct AcmeSettings {
    /// The domains of the certificate.
    pub domains: Vec<String>,
    /// The contact address for the authority, as a `mailto:` URL.
    pub contact: Option<String>,
    /// The directory URL of the authority.
    pub directory: String,
    /// The root certificates (PEM) that verify the authority's own certificate; without it, the
    /// roots that browsers trust.
    pub root: Option<PathBuf>,
    /// The folder that stores the ACME account and the certificate.
    pub dir: PathBuf,
}
