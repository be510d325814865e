//! Reads the command line and the environment.
//!
//! # Guarantees
//! An unusable value or combination of flags gives exit code 2 and one line.

use std::ffi::OsString;

use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{CommandFactory, FromArgMatches};

use crate::config::shown::hide_passwords;
use crate::config::{Config, secrets};

/// What to print instead of running, and the exit code.
#[derive(Debug)]
pub struct Exit {
    /// The text, with a newline at its end: help or the version for code 0, otherwise an error.
    pub text: String,
    /// 0 for `--help` and `--version`, 2 for unusable arguments.
    pub code: u8,
}

impl Exit {
    fn for_unusable(text: String) -> Self {
        Self { text, code: 2 }
    }
}

impl From<clap::Error> for Exit {
    fn from(error: clap::Error) -> Self {
        let text = error.render().to_string();
        match error.kind() {
            ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Self { text, code: 0 },
            ErrorKind::ValueValidation | ErrorKind::InvalidValue => {
                Self::for_unusable(text.lines().next().unwrap_or_default().to_owned() + "\n")
            }
            _ => Self::for_unusable(hide_passwords(&text)),
        }
    }
}

impl Config {
    /// Reads arguments (the first is the program's name) and the environment.
    ///
    /// # Errors
    /// The text to print and the exit code.
    pub fn read(args: impl IntoIterator<Item = OsString>) -> Result<Self, Exit> {
        let mut command = Self::command();
        let matches = command.try_get_matches_from_mut(args)?;
        let mut config = Self::from_arg_matches(&matches)?;
        config.has_data_dir = matches.value_source("data_dir") != Some(ValueSource::DefaultValue);
        config.visible_secrets = secrets::find_visible(&command, &matches);
        config
            .check_combinations()
            .map_err(str::to_owned)
            .and_then(|()| config.check_database())
            .map_err(|reason| Exit::for_unusable(format!("error: {reason}\n")))?;
        Ok(config)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::os::unix::ffi::OsStringExt;

    use super::*;

    pub(in crate::config) fn read(args: &[&str]) -> Result<Config, Exit> {
        Config::read(
            std::iter::once("webchat")
                .chain(args.iter().copied())
                .map(OsString::from),
        )
    }

    #[test]
    fn unusable_value_is_refused_in_one_line_with_flag_value_and_example() {
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
            ("--database", "mysql://x", "sqlite:/var/lib/"),
            ("--database", "sqlite::memory:", "sqlite:/var/lib/"),
            ("--database", "sqlite:/dev/null", "sqlite:/var/lib/"),
            ("--database", "sqlite:/missing/chat.db", "sqlite:/var/lib/"),
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
            ("--scan", "127.0.0.1:3310", "clamd:127.0.0.1:3310"),
            ("--scan", "clamd:", "clamd:/run/clamav/clamd.ctl"),
            ("--scan", "clamd:localhost", "clamd:127.0.0.1:3310"),
            ("--scan", "clamd:localhost:0", "clamd:127.0.0.1:3310"),
            ("--scan", "clamd::3310", "clamd:127.0.0.1:3310"),
            (
                "--scan",
                "clamd:run/clamd.ctl",
                "clamd:/run/clamav/clamd.ctl",
            ),
            ("--scan-max", "much", "1GB"),
        ];
        for (flag, value, example) in cases {
            let Exit { text, code } = read(&[flag, value]).unwrap_err();
            assert_eq!(code, 2, "{flag} {value}");
            assert_eq!(text.trim_end().lines().count(), 1, "{text}");
            for part in [flag, value, example] {
                assert!(text.contains(part), "{part} is not in: {text}");
            }
        }
    }

    #[test]
    fn value_that_is_not_readable_text_is_refused_in_one_line() {
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
            let Exit { text, code } =
                Config::read([OsString::from("webchat")].into_iter().chain(args)).unwrap_err();
            assert_eq!((code, text.trim_end().lines().count()), (2, 1), "{text}");
            for part in [flag, value, "write it like"] {
                assert!(text.contains(part), "{part} is not in: {text}");
            }
        }
    }

    #[test]
    fn refusal_of_a_secret_does_not_show_its_value() {
        let key = OsString::from_vec(b"hush\xff".to_vec());
        let Exit { text, code } =
            Config::read(["webchat".into(), "--jwt-key".into(), key]).unwrap_err();
        assert!(
            code == 2 && text.contains("--jwt-key") && !text.contains("hush"),
            "{text}"
        );
    }

    #[test]
    fn help_is_printed_with_exit_code_0() {
        let Exit { text, code } = read(&["--help"]).unwrap_err();
        assert_eq!(code, 0);
        assert!(
            text.contains("WEBCHAT_TIMEOUT") && text.contains("[default: 24h]"),
            "{text}"
        );
    }
}
