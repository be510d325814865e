//! The configuration: command-line flags and environment variables.
//!
//! # Guarantees
//! `--help` is the reference. What cannot be used is refused at start, in one line that names the
//! flags.

mod combinations;
pub mod command;
mod database;
pub mod env_file;
pub mod parse;
mod secrets;
mod shown;
mod storage;
#[cfg(test)]
mod tests;
pub mod types;
mod values;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Parser;
use ipnet::IpNet;
use openidconnect::IssuerUrl;
use rustls_acme::acme::LETS_ENCRYPT_PRODUCTION_DIRECTORY as LETS_ENCRYPT;
use texts::Language;

use crate::config::command::Command;
use crate::config::storage::StorageFlags;
use crate::config::types::{AcmeSettings, LogFormat, Switch};
use crate::config::values::FlagParser;

/// Real-time chat rooms in one self-hosted binary: share a link and talk. A room without new
/// messages is archived and deleted.
#[derive(Clone, Debug, Parser)]
#[command(
    name = "webchat",
    version,
    after_help = "A DURATION is written like 1h30m, 1.5h, 300ms or '2days 4h'."
)]
pub struct Config {
    /// The command to run instead of serving
    #[command(subcommand)]
    pub command: Option<Command>,

    /// Archive and delete a room with no new message for longer than this
    #[arg(
        long,
        env = "WEBCHAT_TIMEOUT",
        value_name = "DURATION",
        default_value = "24h"
    )]
    #[arg(value_parser = FlagParser(values::parse_duration), allow_hyphen_values = true)]
    pub timeout: Duration,

    /// The IP address and port to listen on; port 0 selects a free port, which the log names
    #[arg(long, env = "WEBCHAT_LISTEN", value_name = "ADDR:PORT", global = true)]
    #[arg(default_value = "127.0.0.1:8080", value_parser = FlagParser(values::parse_address))]
    pub listen: SocketAddr,

    /// Serve only HTTPS, with the certificate chain in this PEM file; SIGHUP reloads the file
    #[arg(long, env = "WEBCHAT_TLS_CERT", value_name = "FILE")]
    pub tls_cert: Option<PathBuf>,

    /// The private key of --tls-cert, as a PEM file
    #[arg(long, env = "WEBCHAT_TLS_KEY", value_name = "FILE")]
    pub tls_key: Option<PathBuf>,

    /// Serve only HTTPS, with a certificate for this domain that webchat requests and renews
    ///
    /// Repeat the flag for several domains. The protocol is ACME with the challenge TLS-ALPN-01:
    /// the authority (by default Let's Encrypt) connects to port 443 of each domain. By using the
    /// flag you accept the authority's terms. The ACME account and the certificate are stored in
    /// acme/ in the data directory.
    #[arg(
        long,
        env = "WEBCHAT_ACME",
        value_name = "DOMAIN",
        value_delimiter = ','
    )]
    #[arg(value_parser = FlagParser(values::parse_domain))]
    pub acme: Vec<String>,

    /// With --acme: your mail address, for notices of the authority
    #[arg(long, env = "WEBCHAT_ACME_CONTACT", value_name = "MAILTO")]
    #[arg(value_parser = FlagParser(values::parse_contact))]
    pub acme_contact: Option<String>,

    /// With --acme: the directory URL of the authority
    #[arg(long, env = "WEBCHAT_ACME_DIRECTORY", value_name = "URL", default_value = LETS_ENCRYPT)]
    #[arg(value_parser = FlagParser(values::parse_directory_url))]
    pub acme_directory: String,

    /// With --acme: verify the authority's own certificate by the root certificates in this PEM
    /// file only [default: the roots that browsers trust]
    #[arg(long, env = "WEBCHAT_ACME_ROOT", value_name = "FILE")]
    pub acme_root: Option<PathBuf>,

    /// With HTTPS: a second address, where plain HTTP is redirected to https://
    #[arg(long, env = "WEBCHAT_REDIRECT", value_name = "ADDR:PORT")]
    #[arg(value_parser = FlagParser(values::parse_address))]
    pub redirect: Option<SocketAddr>,

    /// Serve numbers for Prometheus at http://ADDR:PORT/metrics, to everybody who reaches that address
    #[arg(long, env = "WEBCHAT_METRICS", value_name = "ADDR:PORT")]
    #[arg(value_parser = FlagParser(values::parse_address))]
    pub metrics: Option<SocketAddr>,

    /// The directory for the database, archives, keys and certificates
    #[arg(
        long,
        env = "WEBCHAT_DATA_DIR",
        value_name = "DIR",
        default_value = "./webchat-data"
    )]
    #[arg(global = true)]
    pub data_dir: PathBuf,

    /// The database, as sqlite:PATH or postgres://USER:PASSWORD@HOST/NAME [default: webchat.db in the data directory]
    #[arg(long, env = "WEBCHAT_DATABASE", value_name = "URL", global = true)]
    #[arg(value_parser = FlagParser(values::parse_database_url), hide_env_values = true)]
    pub database: Option<String>,

    /// The same PostgreSQL database without a pooler in between, for connections that listen or hold a lock [default: that of --database]
    #[arg(long, env = "WEBCHAT_DATABASE_DIRECT", value_name = "URL")]
    #[arg(value_parser = FlagParser(values::parse_postgres_url), hide_env_values = true)]
    pub database_direct: Option<String>,

    /// The name of this node among those of one database, in logs and in the database's list of connections [default: the address of --listen]
    #[arg(long, env = "WEBCHAT_NODE", value_name = "NAME")]
    #[arg(value_parser = FlagParser(values::parse_node))]
    pub node: Option<String>,

    /// The directory of the archives that all nodes of a database share, as file:///PATH [default: archive in the data directory]
    #[arg(long, env = "WEBCHAT_ARCHIVE_URL", value_name = "URL")]
    #[arg(value_parser = FlagParser(values::parse_archive_url))]
    pub archive_url: Option<PathBuf>,

    /// Archive and delete direct messages between two accounts after this long without a new one [default: never]
    #[arg(long, env = "WEBCHAT_DIRECT_TIMEOUT", value_name = "DURATION")]
    #[arg(value_parser = FlagParser(values::parse_duration), allow_hyphen_values = true)]
    pub direct_timeout: Option<Duration>,

    /// The minimum length of a password, in characters: 1 to 128
    #[arg(
        long,
        env = "WEBCHAT_PASSWORD_MIN",
        value_name = "NUMBER",
        default_value = "6"
    )]
    #[arg(value_parser = FlagParser(|text| values::parse_number::<u16>(text, 1, 128)))]
    pub password_min: u16,

    /// The key that signs tokens, of at least 16 bytes [default: a generated key, stored in the data
    /// directory]
    #[arg(long, env = "JWT_KEY", value_name = "KEY", hide_env_values = true)]
    #[arg(value_parser = FlagParser(secrets::parse_key))]
    pub jwt_key: Option<String>,

    /// A file with the key that signs tokens
    #[arg(long, env = "JWT_KEY_FILE", value_name = "FILE")]
    #[arg(value_parser = FlagParser(secrets::read_key))]
    pub jwt_key_file: Option<String>,

    /// How long a session lasts, in minutes
    #[arg(long, env = "JWT_EXP", value_name = "MINUTES", default_value = "43200")]
    #[arg(value_parser = FlagParser(|text| values::parse_number::<u32>(text, 1, u32::MAX)))]
    pub jwt_exp: u32,

    /// Let people also sign in by the OpenID Connect provider with this issuer URL
    #[arg(long, env = "WEBCHAT_OIDC_ISSUER", value_name = "URL")]
    #[arg(value_parser = FlagParser(values::parse_issuer))]
    pub oidc_issuer: Option<IssuerUrl>,

    /// This server's client ID at the provider
    #[arg(long, env = "WEBCHAT_OIDC_CLIENT_ID", value_name = "ID")]
    #[arg(value_parser = FlagParser(values::parse_non_empty))]
    pub oidc_client_id: Option<String>,

    /// This server's client secret at the provider [default: none, for a public client]
    #[arg(
        long,
        env = "WEBCHAT_OIDC_CLIENT_SECRET",
        value_name = "SECRET",
        hide_env_values = true
    )]
    #[arg(value_parser = FlagParser(values::parse_non_empty))]
    pub oidc_client_secret: Option<String>,

    /// A file with this server's client secret at the provider
    #[arg(long, env = "WEBCHAT_OIDC_CLIENT_SECRET_FILE", value_name = "FILE")]
    #[arg(value_parser = FlagParser(secrets::read_secret))]
    pub oidc_client_secret_file: Option<String>,

    /// The provider's name on the sign-in page, 1 to 40 characters [default: the issuer's host]
    #[arg(long, env = "WEBCHAT_OIDC_NAME", value_name = "NAME")]
    #[arg(value_parser = FlagParser(values::parse_provider_name))]
    pub oidc_name: Option<String>,

    /// This server's URL, to which the provider sends browsers back [default: the address that the
    /// browser used]
    #[arg(long, env = "WEBCHAT_PUBLIC_URL", value_name = "URL")]
    #[arg(value_parser = FlagParser(values::parse_site_url))]
    pub public_url: Option<String>,

    /// End a stream of the lobby after this long without a message
    #[arg(
        long,
        env = "WEBCHAT_STREAM_TIMEOUT",
        value_name = "DURATION",
        default_value = "5m"
    )]
    #[arg(value_parser = FlagParser(values::parse_duration), allow_hyphen_values = true)]
    pub stream_timeout: Duration,

    /// What is stored, and how much.
    #[command(flatten)]
    pub storage: StorageFlags,

    /// The language of pages and refusals for clients that accept none of the server's languages
    #[arg(
        long,
        env = "WEBCHAT_LANGUAGE",
        value_name = "TAG",
        default_value = "en"
    )]
    #[arg(value_parser = FlagParser(values::parse_language))]
    pub language: Language,

    /// Limit how often a person, an address and a room can write; `off` is meant for load tests
    #[arg(
        long,
        env = "WEBCHAT_RATE_LIMIT",
        value_name = "on|off",
        default_value = "on"
    )]
    #[arg(value_parser = FlagParser(values::parse_switch))]
    pub rate_limit: Switch,

    /// Trust the headers X-Forwarded-For and X-Forwarded-Proto of these proxies: addresses or
    /// networks, separated by commas [default: none]
    #[arg(
        long,
        env = "WEBCHAT_TRUSTED_PROXIES",
        value_name = "NETWORKS",
        value_delimiter = ','
    )]
    #[arg(value_parser = FlagParser(values::parse_network))]
    pub trusted_proxies: Vec<IpNet>,

    /// Archive a room before deleting it
    #[arg(
        long,
        env = "WEBCHAT_ARCHIVE",
        value_name = "on|off",
        default_value = "on"
    )]
    #[arg(value_parser = FlagParser(values::parse_switch))]
    pub archive: Switch,

    /// At shutdown, wait at most this long for running requests
    #[arg(
        long,
        env = "WEBCHAT_DRAIN",
        value_name = "DURATION",
        default_value = "10s"
    )]
    #[arg(value_parser = FlagParser(values::parse_duration), allow_hyphen_values = true)]
    pub drain: Duration,

    /// The format of log lines: text, or one JSON object a line
    #[arg(
        long,
        env = "WEBCHAT_LOG_FORMAT",
        value_name = "text|json",
        default_value = "text"
    )]
    #[arg(value_parser = FlagParser(values::parse_log_format))]
    pub log_format: LogFormat,

    /// The log level: error, warn, info, debug or trace, or a filter like info,server=debug
    #[arg(
        long,
        env = "WEBCHAT_LOG",
        value_name = "LEVEL",
        default_value = "info"
    )]
    #[arg(value_parser = FlagParser(values::parse_log_filter))]
    pub log: String,

    /// Whether the data directory is not the default.
    #[arg(skip)]
    has_data_dir: bool,

    /// The flags with a secret whose values the list of processes shows.
    #[arg(skip)]
    visible_secrets: Vec<String>,
}

/// The files of a certificate.
#[derive(Clone, Copy, Debug)]
pub struct CertificateFiles<'a> {
    /// The certificate chain (PEM).
    pub cert: &'a Path,
    /// The private key (PEM).
    pub key: &'a Path,
}

impl Config {
    /// The configuration of the rooms.
    pub fn chat(&self) -> chat::Config {
        chat::Config {
            database: self.database.clone(),
            database_direct: self.database_direct.clone(),
            shared_archive: self.archive_url.clone(),
            shared_files: self.storage.files_url.clone(),
            files: self.takes_files(),
            file_max: self.storage.file_max,
            room_files: self.storage.room_files,
            all_files: self.storage.all_files,
            node: self.node_name(),
            timeout: self.timeout,
            archive: self.archive == Switch::On,
            direct_timeout: self.direct_timeout.unwrap_or(Duration::MAX),
            password_min: self.password_min.into(),
            free_space: self.storage.free_space,
            scanner: self.storage.scan.clone(),
            scan_max: self.storage.scan_max,
            room_messages: self.storage.room_messages,
            jwt_key: self.signing_key().map(str::to_owned),
            jwt_lifetime: Duration::from_secs(u64::from(self.jwt_exp) * 60),
            ..chat::Config::new(&self.data_dir)
        }
    }

    /// The name of this node.
    pub(crate) fn node_name(&self) -> String {
        let listen = || self.listen.to_string();
        self.node.clone().unwrap_or_else(listen)
    }

    /// The data directory, if one was given.
    pub fn chosen_data_dir(&self) -> Option<PathBuf> {
        self.has_data_dir.then(|| self.data_dir.clone())
    }

    /// The key that signs tokens, if one is configured.
    fn signing_key(&self) -> Option<&str> {
        self.jwt_key.as_deref().or(self.jwt_key_file.as_deref())
    }

    /// This server's client secret at the provider, if one is configured.
    pub fn client_secret(&self) -> Option<&str> {
        let secret = self.oidc_client_secret.as_deref();
        secret.or(self.oidc_client_secret_file.as_deref())
    }

    /// Checks that the file of the database can be written.
    ///
    /// # Errors
    /// One line with the flag, the value and an example.
    fn check_database(&self) -> Result<(), String> {
        let (url, flag) = match (&self.command, &self.database) {
            (Some(Command::Copy { to, .. }), _) if !chat::is_postgres(to) => (to, "--to"),
            (_, Some(url)) => (url, "--database"),
            (_, None) => return Ok(()),
        };
        let checked = database::check(url, &self.data_dir);
        checked.map_err(|reason| format!("{} for '{flag} <URL>' {reason}", shown::show_url(url)))
    }

    /// The files of the certificate, if HTTPS uses files.
    pub fn certificate_files(&self) -> Option<CertificateFiles<'_>> {
        Some(CertificateFiles {
            cert: self.tls_cert.as_deref()?,
            key: self.tls_key.as_deref()?,
        })
    }

    /// The certificate to request, if HTTPS uses ACME.
    pub fn acme_settings(&self) -> Option<AcmeSettings> {
        let settings = || AcmeSettings {
            domains: self.acme.clone(),
            contact: self.acme_contact.clone(),
            directory: self.acme_directory.clone(),
            root: self.acme_root.clone(),
            dir: self.data_dir.join("acme"),
        };
        (!self.acme.is_empty()).then(settings)
    }
}
