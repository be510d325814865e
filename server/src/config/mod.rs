//! The command line and the environment: what an operator can say.
//!
//! Promises: the help text is the reference; what does not go together is refused at start-up, in one line that names the
//! flags. Leaves to others: what a single value may be (`value`).

pub mod types;
mod values;

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Parser;
use clap::error::ErrorKind;
use ipnet::IpNet;
use openidconnect::IssuerUrl;
use rustls_acme::acme::LETS_ENCRYPT_PRODUCTION_DIRECTORY as LETS_ENCRYPT;

use crate::config::types::{AcmeSettings, Command, LogFormat, Switch};
use crate::config::values::Said;

/// Real-time chat rooms in one self-hosted binary. Share a link, talk, and when the room falls quiet it archives itself
/// and is gone.
#[derive(Clone, Debug, Parser)]
#[command(
    name = "webchat",
    version,
    after_help = "A DURATION is written like 1h30m, 1.5h, 300ms or '2days 4h'."
)]
pub struct Config {
    /// What to do instead of serving
    #[command(subcommand)]
    pub command: Option<Command>,

    /// Archive and delete a room with no new message for longer than this
    #[arg(
        long,
        env = "WEBCHAT_TIMEOUT",
        default_value = "24h",
        value_name = "DURATION"
    )]
    #[arg(value_parser = Said(values::duration), allow_hyphen_values = true)]
    pub timeout: Duration,

    /// Listen here; port 0 picks a free one, and the log says which
    #[arg(
        long,
        env = "WEBCHAT_LISTEN",
        default_value = "127.0.0.1:8080",
        value_name = "ADDR:PORT"
    )]
    #[arg(value_parser = Said(values::address), global = true)]
    pub listen: SocketAddr,

    /// Serve HTTPS with the certificate in this file (PEM, with its chain), and no plain HTTP; SIGHUP reads it again
    #[arg(long, env = "WEBCHAT_TLS_CERT", value_name = "FILE")]
    pub tls_cert: Option<PathBuf>,

    /// The certificate's private key (PEM)
    #[arg(long, env = "WEBCHAT_TLS_KEY", value_name = "FILE")]
    pub tls_key: Option<PathBuf>,

    /// Serve HTTPS with a certificate for this domain, which webchat gets by itself and renews; may be given more than once
    ///
    /// By ACME (Let's Encrypt), which connects to port 443 of the domain (TLS-ALPN-01). To use it is to agree to the
    /// authority's terms. What it gives is kept in the data directory, in acme/.
    #[arg(long, env = "WEBCHAT_ACME", value_name = "DOMAIN", value_delimiter = ',', value_parser = Said(values::domain))]
    pub acme: Vec<String>,

    /// With --acme: where the authority may write to
    #[arg(long, env = "WEBCHAT_ACME_CONTACT", value_name = "MAILTO", value_parser = Said(values::contact))]
    pub acme_contact: Option<String>,

    /// With --acme: the authority
    #[arg(long, env = "WEBCHAT_ACME_DIRECTORY", value_name = "URL", default_value = LETS_ENCRYPT)]
    #[arg(value_parser = Said(values::directory))]
    pub acme_directory: String,

    /// With --acme: trust these certificates (PEM) about the authority itself, and no others; for private ones and tests
    #[arg(long, env = "WEBCHAT_ACME_ROOT", value_name = "FILE")]
    pub acme_root: Option<PathBuf>,

    /// With HTTPS: listen here too, for plain HTTP, and send everybody to the same address under https
    #[arg(long, env = "WEBCHAT_REDIRECT", value_name = "ADDR:PORT", value_parser = Said(values::address))]
    pub redirect: Option<SocketAddr>,

    /// Keep the database and the archives here
    #[arg(
        long,
        env = "WEBCHAT_DATA_DIR",
        default_value = "./webchat-data",
        value_name = "DIR",
        global = true
    )]
    pub data_dir: PathBuf,

    /// Use this database instead of the one in the data directory: sqlite:PATH
    #[arg(long, env = "WEBCHAT_DATABASE", value_name = "URL", value_parser = Said(values::database), global = true)]
    pub database: Option<String>,

    /// Archive and delete a direct chat with no new message for longer than this; they are kept if it is not given
    #[arg(long, env = "WEBCHAT_DIRECT_TIMEOUT", value_name = "DURATION")]
    #[arg(value_parser = Said(values::duration), allow_hyphen_values = true)]
    pub direct_timeout: Option<Duration>,

    /// The fewest characters of a password
    #[arg(
        long,
        env = "WEBCHAT_PASSWORD_MIN",
        default_value = "6",
        value_name = "NUMBER"
    )]
    #[arg(value_parser = Said(|text| values::number::<u16>(text, 1, 128)))]
    pub password_min: u16,

    /// Sign tokens with this; a key in the data directory, made when first needed, if it is not given
    #[arg(long, env = "JWT_KEY", value_name = "KEY", hide_env_values = true)]
    #[arg(value_parser = Said(values::some_text))]
    pub jwt_key: Option<String>,

    /// Keep people signed in for so many minutes
    #[arg(long, env = "JWT_EXP", default_value = "43200", value_name = "MINUTES")]
    #[arg(value_parser = Said(|text| values::number::<u32>(text, 1, u32::MAX)))]
    pub jwt_exp: u32,

    /// Let people sign in by this OpenID Connect provider: its issuer, as it names itself
    #[arg(long, env = "WEBCHAT_OIDC_ISSUER", value_name = "URL", value_parser = Said(values::issuer))]
    pub oidc_issuer: Option<IssuerUrl>,

    /// Under which ID the provider knows this server
    #[arg(long, env = "WEBCHAT_OIDC_CLIENT_ID", value_name = "ID")]
    #[arg(value_parser = Said(values::some_text))]
    pub oidc_client_id: Option<String>,

    /// The secret that the provider knows this server by; not needed where it is registered as a public client
    #[arg(
        long,
        env = "WEBCHAT_OIDC_CLIENT_SECRET",
        value_name = "SECRET",
        hide_env_values = true
    )]
    #[arg(value_parser = Said(values::some_text))]
    pub oidc_client_secret: Option<String>,

    /// What people call the provider; its host if it is not given
    #[arg(long, env = "WEBCHAT_OIDC_NAME", value_name = "NAME", value_parser = Said(values::provider_name))]
    pub oidc_name: Option<String>,

    /// The address under which browsers find this server, for the provider to send them back; as the browser asked if it is
    /// not given
    #[arg(long, env = "WEBCHAT_PUBLIC_URL", value_name = "URL", value_parser = Said(values::site))]
    pub public_url: Option<String>,

    /// End a stream of the lobby after this long without a message
    #[arg(
        long,
        env = "WEBCHAT_STREAM_TIMEOUT",
        default_value = "5m",
        value_name = "DURATION"
    )]
    #[arg(value_parser = Said(values::duration), allow_hyphen_values = true)]
    pub stream_timeout: Duration,

    /// Refuse floods by one person, from one address or in one room; `off` is for load tests
    #[arg(long, env = "WEBCHAT_RATE_LIMIT", default_value = "on", value_name = "on|off", value_parser = Said(values::switch))]
    pub rate_limit: Switch,

    /// Believe what these proxies say about where a request comes from (X-Forwarded-For): addresses or networks, with commas
    #[arg(long, env = "WEBCHAT_TRUSTED_PROXIES", value_name = "NETWORKS", value_delimiter = ',', value_parser = Said(values::network))]
    pub trusted_proxies: Vec<IpNet>,

    /// Write a room's archive before it is deleted
    #[arg(long, env = "WEBCHAT_ARCHIVE", default_value = "on", value_name = "on|off", value_parser = Said(values::switch))]
    pub archive: Switch,

    /// When told to stop, give requests under way this long to finish
    #[arg(
        long,
        env = "WEBCHAT_DRAIN",
        default_value = "10s",
        value_name = "DURATION"
    )]
    #[arg(value_parser = Said(values::duration), allow_hyphen_values = true)]
    pub drain: Duration,

    /// Write log lines for people or for programs
    #[arg(
        long,
        env = "WEBCHAT_LOG_FORMAT",
        default_value = "text",
        value_name = "text|json"
    )]
    #[arg(value_parser = Said(values::log_format))]
    pub log_format: LogFormat,

    /// Log this much: error, warn, info, debug, trace, or a tracing filter
    #[arg(long, env = "WEBCHAT_LOG", default_value = "info", value_name = "LEVEL", value_parser = Said(values::log_filter))]
    pub log: String,
}

impl Config {
    /// What the rooms are opened with.
    pub fn chat(&self) -> chat::Config {
        chat::Config {
            database: self.database.clone(),
            timeout: self.timeout,
            archive: self.archive == Switch::On,
            direct_timeout: self.direct_timeout.unwrap_or(Duration::MAX),
            password_min: self.password_min.into(),
            jwt_key: self.jwt_key.clone(),
            jwt_lifetime: Duration::from_secs(u64::from(self.jwt_exp) * 60),
            ..chat::Config::new(&self.data_dir)
        }
    }

    /// Reads arguments (the first is the program's name) and the environment.
    ///
    /// # Errors
    /// What to print, and the exit code to end with: 0 for `--help` and `--version`, 2 for what cannot be used.
    pub fn read(args: impl IntoIterator<Item = OsString>) -> Result<Self, (String, u8)> {
        let config = Self::try_parse_from(args).map_err(|error| {
            let text = error.render().to_string();
            match error.kind() {
                ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => (text, 0),
                ErrorKind::ValueValidation | ErrorKind::InvalidValue => {
                    (text.lines().next().unwrap_or_default().to_owned() + "\n", 2)
                }
                _ => (text, 2),
            }
        })?;
        config
            .check()
            .map_err(|what| (format!("error: {what}\n"), 2))?;
        Ok(config)
    }

    /// The certificate's file and its key's, for HTTPS.
    pub fn tls(&self) -> Option<(&Path, &Path)> {
        self.tls_cert.as_deref().zip(self.tls_key.as_deref())
    }

    /// The certificate that webchat gets by itself, for HTTPS.
    pub fn acme(&self) -> Option<AcmeSettings> {
        let wish = || AcmeSettings {
            domains: self.acme.clone(),
            contact: self.acme_contact.clone(),
            directory: self.acme_directory.clone(),
            root: self.acme_root.clone(),
            dir: self.data_dir.join("acme"),
        };
        (!self.acme.is_empty()).then(wish)
    }

    /// Whether what is said goes together.
    fn check(&self) -> Result<(), &'static str> {
        if self.tls_cert.is_some() != self.tls_key.is_some() {
            return Err("--tls-cert FILE and --tls-key FILE go together: give both or neither");
        }
        if self.tls_cert.is_some() && !self.acme.is_empty() {
            return Err(
                "--acme DOMAIN gets a certificate, --tls-cert FILE and --tls-key FILE have one: give either",
            );
        }
        if self.acme.is_empty() && (self.acme_contact.is_some() || self.acme_root.is_some()) {
            return Err(
                "--acme-contact MAILTO and --acme-root FILE are about --acme DOMAIN: give that too",
            );
        }
        if self.redirect.is_some() && self.tls_cert.is_none() && self.acme.is_empty() {
            return Err(
                "--redirect ADDR:PORT leads to HTTPS: give --acme DOMAIN, or --tls-cert FILE and --tls-key FILE",
            );
        }
        if self.oidc_issuer.is_some() != self.oidc_client_id.is_some() {
            return Err(
                "--oidc-issuer URL and --oidc-client-id ID go together: give both or neither",
            );
        }
        if self.oidc_issuer.is_none()
            && (self.oidc_client_secret.is_some() || self.oidc_name.is_some())
        {
            return Err(
                "--oidc-client-secret SECRET and --oidc-name NAME are about a provider: give --oidc-issuer URL and --oidc-client-id ID too",
            );
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStringExt;

    use super::*;

    fn read(args: &[&str]) -> Result<Config, (String, u8)> {
        Config::read(
            std::iter::once("webchat")
                .chain(args.iter().copied())
                .map(OsString::from),
        )
    }

    #[test]
    fn every_flag_has_the_default_of_the_reference() {
        let config = read(&[]).unwrap();
        assert_eq!(config.timeout, Duration::from_secs(86_400));
        assert_eq!(config.listen, "127.0.0.1:8080".parse().unwrap());
        assert_eq!(config.data_dir, PathBuf::from("./webchat-data"));
        assert_eq!(
            (config.rate_limit, config.archive),
            (Switch::On, Switch::On)
        );
    }

    #[test]
    fn an_unusable_value_is_refused_in_one_line_with_flag_value_and_example() {
        let cases = [
            ("--timeout", "0s", "1h30m"),
            ("--timeout", "-1h", "1h30m"),
            ("--timeout", "60", "1h30m"),
            ("--timeout", "soon", "1h30m"),
            ("--timeout", "99999999999999999999h", "1h30m"),
            ("--drain", "0", "1h30m"),
            ("--stream-timeout", "-5m", "1h30m"),
            ("--listen", "localhost", "127.0.0.1:8080"),
            ("--redirect", "80", "127.0.0.1:8080"),
            ("--acme", "192.0.2.1", "chat.example.org"),
            ("--acme", "*.example.org", "chat.example.org"),
            ("--acme", "a b", "chat.example.org"),
            ("--acme-contact", "somebody", "mailto:admin@example.org"),
            ("--acme-directory", "http://ca.example/", "https://"),
            ("--database", "mysql://x", "sqlite:"),
            ("--trusted-proxies", "nonsense", "10.0.0.0/8"),
            ("--jwt-exp", "0", "1"),
            ("--password-min", "0", "1"),
            ("--direct-timeout", "soon", "1h30m"),
            ("--rate-limit", "maybe", "on"),
            ("--archive", "1", "off"),
            ("--log-format", "xml", "json"),
            ("--rate-limit", "yes", "write it like on"),
            ("--archive", "maybe", "write it like on"),
            ("--jwt-exp", "4294967296", "write it like 1"),
            ("--password-min", "129", "write it like 1"),
            ("--oidc-client-id", "", "write it like"),
            ("--oidc-issuer", "id.example", "https://id.example"),
            ("--oidc-issuer", "http://id.example", "https://id.example"),
            (
                "--oidc-issuer",
                "https://a:b@id.example",
                "https://id.example",
            ),
            (
                "--oidc-issuer",
                "https://id.example/?a=b",
                "https://id.example",
            ),
            ("--oidc-name", " ", "Our accounts"),
            ("--public-url", "chat.example", "https://chat.example"),
            (
                "--public-url",
                "https://chat.example/chat/",
                "https://chat.example",
            ),
            ("--public-url", "ftp://chat.example", "https://chat.example"),
        ];
        for (flag, value, example) in cases {
            let (text, code) = read(&[flag, value]).unwrap_err();
            assert_eq!(code, 2, "{flag} {value}");
            assert_eq!(text.trim_end().lines().count(), 1, "{text}");
            for part in [flag, value, example] {
                assert!(text.contains(part), "{part} is not in: {text}");
            }
        }
    }

    #[test]
    fn a_value_that_cannot_be_read_is_refused_in_one_line_too() {
        let bytes = |text: &[u8]| OsString::from_vec(text.to_vec());
        let cases = [
            (
                ["--timeout".into(), bytes(b"a\nb")],
                "--timeout",
                r#""a\nb""#,
            ),
            (
                ["--timeout".into(), bytes(b"\xff")],
                "--timeout",
                r#""\xFF""#,
            ),
            (
                ["--archive=on".into(), bytes(b"--timeout=1\x1b\xff")],
                "--timeout",
                r#""1\u{1b}\xFF""#,
            ),
            (
                ["--rate-limit".into(), bytes(b"\xff")],
                "--rate-limit",
                r#""\xFF""#,
            ),
            (
                ["--jwt-exp".into(), bytes(b"\xff")],
                "--jwt-exp",
                r#""\xFF""#,
            ),
        ];
        for (args, flag, value) in cases {
            let (text, code) =
                Config::read([OsString::from("webchat")].into_iter().chain(args)).unwrap_err();
            assert_eq!((code, text.trim_end().lines().count()), (2, 1), "{text}");
            for part in [flag, value, "write it like"] {
                assert!(text.contains(part), "{part} is not in: {text}");
            }
        }
    }

    #[test]
    fn a_secret_is_not_shown() {
        let key = OsString::from_vec(b"hush\xff".to_vec());
        let (text, code) = Config::read(["webchat".into(), "--jwt-key".into(), key]).unwrap_err();
        assert!(
            code == 2 && text.contains("--jwt-key") && !text.contains("hush"),
            "{text}"
        );
    }

    #[test]
    fn who_asks_for_health_may_say_where() {
        for args in [
            ["--listen", "[::1]:1", "health"],
            ["health", "--listen", "[::1]:1"],
        ] {
            let config = read(&args).unwrap();
            assert_eq!(config.listen, "[::1]:1".parse().unwrap());
            assert!(matches!(config.command, Some(Command::Health)));
        }
    }

    #[test]
    fn half_a_certificate_is_refused_in_one_line_that_names_the_flags() {
        let both = ["--tls-cert", "--tls-key"];
        let cases = [
            &["--tls-cert", "c"][..],
            &["--tls-key", "k"],
            &["--redirect", "[::]:80"],
        ];
        for args in cases {
            let (text, code) = read(args).unwrap_err();
            assert_eq!((code, text.trim_end().lines().count()), (2, 1), "{text}");
            assert!(
                both.iter()
                    .chain(&args[..1])
                    .all(|flag| text.contains(flag)),
                "{text}"
            );
        }
        let whole = read(&["--tls-cert", "c", "--tls-key", "k", "--redirect", "[::]:80"]).unwrap();
        assert_eq!(whole.tls(), Some((Path::new("c"), Path::new("k"))));
        assert_eq!(read(&[]).unwrap().tls(), None);
    }

    #[test]
    fn a_certificate_comes_from_files_or_from_an_authority() {
        let files = [
            "--tls-cert",
            "c",
            "--tls-key",
            "k",
            "--acme",
            "chat.example.org",
        ];
        let nobody = [["--acme-contact", "a@example.org"], ["--acme-root", "r"]];
        for args in [&files[..], &nobody[0], &nobody[1]] {
            let (text, code) = read(args).unwrap_err();
            assert_eq!((code, text.trim_end().lines().count()), (2, 1), "{text}");
            assert!(
                text.contains("--acme DOMAIN") && text.contains(args[0]),
                "{text}"
            );
        }
        let args = [
            "--acme",
            "Chat.Example.org",
            "--acme",
            "b.example.org",
            "--acme-contact",
            "a@example.org",
        ];
        let wish = read(&[&args[..], &["--redirect", "[::]:80", "--data-dir", "/d"]].concat())
            .unwrap()
            .acme()
            .unwrap();
        assert_eq!(wish.domains, ["chat.example.org", "b.example.org"]);
        assert_eq!(
            (wish.contact.as_deref(), wish.dir),
            (Some("mailto:a@example.org"), PathBuf::from("/d/acme"))
        );
        assert_eq!(
            wish.directory,
            "https://acme-v02.api.letsencrypt.org/directory"
        );
        assert!(read(&[]).unwrap().acme().is_none());
    }

    #[test]
    fn half_a_provider_is_refused_in_one_line_that_names_the_flags() {
        let both = ["--oidc-issuer", "--oidc-client-id"];
        let cases = [
            &["--oidc-issuer", "https://id.example"][..],
            &["--oidc-client-id", "chat"],
            &["--oidc-client-secret", "hush"],
            &["--oidc-name", "Name"],
        ];
        for args in cases {
            let (text, code) = read(args).unwrap_err();
            assert_eq!((code, text.trim_end().lines().count()), (2, 1), "{text}");
            assert!(
                both.iter()
                    .chain(&args[..1])
                    .all(|flag| text.contains(flag)),
                "{text}"
            );
            assert!(!text.contains("hush"), "{text}");
        }
        for issuer in [
            "https://id.example/realms/chat",
            "http://127.0.0.1:9000",
            "http://[::1]/",
            "http://localhost:1",
        ] {
            let config = read(&["--oidc-issuer", issuer, "--oidc-client-id", "chat"]).unwrap();
            // The provider must name itself just so.
            assert_eq!(config.oidc_issuer.unwrap().as_str(), issuer);
        }
        let site = read(&["--public-url", "https://chat.example:8443/"])
            .unwrap()
            .public_url;
        assert_eq!(site.as_deref(), Some("https://chat.example:8443"));
    }

    #[test]
    fn a_backup_is_made_where_the_data_is() {
        for args in [
            ["--data-dir", "/d", "backup", "f"],
            ["backup", "f", "--data-dir", "/d"],
        ] {
            let config = read(&args).unwrap();
            assert_eq!(config.data_dir, PathBuf::from("/d"));
            assert!(matches!(config.command, Some(Command::Backup { file }) if *file == *"f"));
        }
    }

    #[test]
    fn help_is_not_an_error() {
        let (text, code) = read(&["--help"]).unwrap_err();
        assert_eq!(code, 0);
        assert!(
            text.contains("WEBCHAT_TIMEOUT") && text.contains("[default: 24h]"),
            "{text}"
        );
    }
}
