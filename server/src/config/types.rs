//! The types of flags.

use std::path::PathBuf;

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
