//! Secrets among the flags: the key that signs tokens, and the client secret at a provider.
//!
//! # Guarantees
//! Each secret can also come from a file, so that no list of processes and no environment shows it.

use clap::parser::ValueSource;
use clap::{ArgMatches, Command};

use crate::config::Config;
use crate::config::shown::{has_password, is_url};

/// The least length of a key that signs tokens, in bytes. Shorter ones were guessed from a token.
const KEY_MIN: usize = 16;

/// The length in bytes from which a key is as strong as the signature
/// ([RFC 7518, section 3.2](https://www.rfc-editor.org/rfc/rfc7518#section-3.2)).
const KEY_STRONG: usize = 32;

/// A key that signs tokens.
pub(super) fn parse_key(text: &str) -> Result<String, String> {
    if text.len() < KEY_MIN {
        Err(format!(
            "has fewer than {KEY_MIN} bytes, so it can be guessed; \
             create a key with: openssl rand -hex 32"
        ))
    } else {
        Ok(text.to_owned())
    }
}

/// A key that signs tokens, from a file.
pub(super) fn read_key(path: &str) -> Result<String, String> {
    parse_key(&read_file(path)?)
}

/// A secret from a file.
pub(super) fn read_secret(path: &str) -> Result<String, String> {
    let secret = read_file(path)?;
    if secret.is_empty() {
        Err("is empty; write the secret into the file".to_owned())
    } else {
        Ok(secret)
    }
}

/// The text of a file, without one newline at its end.
fn read_file(path: &str) -> Result<String, String> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| format!("cannot be read: {error}; write it like /etc/webchat/secret"))?;
    let line = text.strip_suffix('\n').unwrap_or(&text);
    Ok(line.strip_suffix('\r').unwrap_or(line).to_owned())
}

/// The flags with a secret that were given as arguments.
pub(super) fn find_visible(command: &Command, matches: &ArgMatches) -> Vec<String> {
    let secrets = command
        .get_arguments()
        .filter(|arg| arg.is_hide_env_values_set());
    let visible = secrets.filter(|arg| {
        let id = arg.get_id().as_str();
        matches.value_source(id) == Some(ValueSource::CommandLine)
            && (!is_url(arg)
                || matches
                    .get_one(id)
                    .is_some_and(|url: &String| has_password(url)))
    });
    visible
        .filter_map(|arg| arg.get_long().map(|long| format!("--{long}")))
        .collect()
}

impl Config {
    /// Logs what makes secrets weaker than they could be.
    pub fn warn_of_weak_secrets(&self) {
        for flag in &self.visible_secrets {
            let file = if flag.starts_with("--database") {
                String::new()
            } else {
                format!("{flag}-file or ")
            };
            tracing::warn!(
                "the value of {flag} is in the list of processes, which other users can read: \
                 use {file}the environment"
            );
        }
        if self.signing_key().is_some_and(|key| key.len() < KEY_STRONG) {
            tracing::warn!(
                "the key of --jwt-key has fewer than {KEY_STRONG} bytes: \
                 create a stronger one with: openssl rand -hex 32"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::config::parse::Exit;
    use crate::config::parse::tests::read;

    #[test]
    fn short_key_is_refused_with_the_way_to_create_one() {
        for key in ["a", "secret", "0123456789abcde"] {
            let Exit { text, code } = read(&["--jwt-key", key]).unwrap_err();
            assert_eq!((code, text.lines().count()), (2, 1), "{text}");
            assert!(
                text.contains("--jwt-key") && text.contains("openssl rand -hex 32"),
                "{text}"
            );
            assert!(key == "a" || !text.contains(key), "{text}");
        }
        assert!(read(&["--jwt-key", "0123456789abcdef"]).is_ok());
    }

    #[test]
    fn secret_is_read_from_a_file_without_its_last_newline() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("secret");
        let path = file.to_str().unwrap();
        let key = "0123456789abcdef";
        for (content, secret) in [
            (key.to_owned(), key.to_owned()),
            (format!("{key}\n"), key.to_owned()),
            (format!("{key}\r\n"), key.to_owned()),
            (format!("{key}\n\n"), format!("{key}\n")),
        ] {
            std::fs::write(&file, content).unwrap();
            let config = read(&["--jwt-key-file", path]).unwrap();
            assert_eq!(config.signing_key(), Some(secret.as_str()));
            assert_eq!(config.chat().jwt_key, Some(secret.clone()));
            let provider = [
                "--oidc-issuer",
                "https://id.example",
                "--oidc-client-id",
                "a",
            ];
            let flags = [&provider[..], &["--oidc-client-secret-file", path]].concat();
            assert_eq!(read(&flags).unwrap().client_secret(), Some(secret.as_str()));
        }
        for content in ["", "\n"] {
            std::fs::write(&file, content).unwrap();
            for flag in ["--jwt-key-file", "--oidc-client-secret-file"] {
                let Exit { text, code } = read(&[flag, path]).unwrap_err();
                assert!(
                    code == 2 && text.lines().count() == 1 && text.contains(flag),
                    "{text}"
                );
            }
        }
        let Exit { text, code } = read(&["--jwt-key-file", "/missing"]).unwrap_err();
        assert!(
            code == 2 && text.contains("/missing") && text.contains("like"),
            "{text}"
        );
    }

    #[test]
    fn secret_that_is_given_twice_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("secret");
        std::fs::write(&file, "0123456789abcdef").unwrap();
        let path = file.to_str().unwrap();
        for flag in ["--jwt-key", "--oidc-client-secret"] {
            let with_file = format!("{flag}-file");
            let given = read(&[flag, "0123456789abcdef", &with_file, path]);
            let Exit { text, code } = given.unwrap_err();
            assert_eq!((code, text.lines().count()), (2, 1), "{text}");
            assert!(text.contains(flag) && text.contains(&with_file), "{text}");
        }
    }

    #[test]
    fn only_a_secret_among_the_arguments_is_visible() {
        let config = read(&["--jwt-key", "0123456789abcdef", "--timeout", "1h"]).unwrap();
        assert_eq!(config.visible_secrets, ["--jwt-key"]);
        assert!(read(&[]).unwrap().visible_secrets.is_empty());
        let read = |url| read(&["--database", url]).unwrap().visible_secrets;
        assert_eq!(read("postgres://ada:hush@localhost/db"), ["--database"]);
        assert!(read("postgres://ada@localhost:5432/db").is_empty());
        assert!(read("sqlite:chat.db").is_empty());
    }
}
