//! Checks that the flags that were given belong together.
//!
//! # Guarantees
//! A combination that cannot work stops the program at start, in one line that names the flags.
//!
//! # Not here
//! The value of a single flag (`values`).

use crate::config::Config;

impl Config {
    /// Checks the combination of flags.
    ///
    /// # Errors
    /// One line that names the flags, with an example where one helps.
    pub(super) fn check_combinations(&self) -> Result<(), &'static str> {
        self.check_certificate()?;
        self.check_secrets()?;
        self.check_provider()
    }

    fn check_certificate(&self) -> Result<(), &'static str> {
        let has_files = self.tls_cert.is_some();
        let has_acme = !self.acme.is_empty();
        if has_files != self.tls_key.is_some() {
            return Err(
                "--tls-cert FILE and --tls-key FILE belong together: give both, \
                 like --tls-cert cert.pem --tls-key key.pem",
            );
        }
        if has_files && has_acme {
            return Err(
                "--acme DOMAIN requests a certificate, and --tls-cert FILE with --tls-key FILE \
                 names one: give only one of them",
            );
        }
        if !has_acme && (self.acme_contact.is_some() || self.acme_root.is_some()) {
            return Err(
                "--acme-contact MAILTO and --acme-root FILE need --acme DOMAIN: \
                 add it, like --acme chat.example.org",
            );
        }
        if self.redirect.is_some() && !has_files && !has_acme {
            return Err("--redirect ADDR:PORT needs HTTPS: \
                 add --acme DOMAIN, or --tls-cert FILE and --tls-key FILE");
        }
        Ok(())
    }

    fn check_secrets(&self) -> Result<(), &'static str> {
        if self.jwt_key.is_some() && self.jwt_key_file.is_some() {
            return Err(
                "--jwt-key KEY (JWT_KEY) and --jwt-key-file FILE (JWT_KEY_FILE) \
                 name the same secret: give only one of them",
            );
        }
        if self.oidc_client_secret.is_some() && self.oidc_client_secret_file.is_some() {
            return Err(
                "--oidc-client-secret SECRET and --oidc-client-secret-file FILE \
                 name the same secret: give only one of them",
            );
        }
        Ok(())
    }

    fn check_provider(&self) -> Result<(), &'static str> {
        if self.oidc_issuer.is_some() != self.oidc_client_id.is_some() {
            return Err(
                "--oidc-issuer URL and --oidc-client-id ID belong together: give both, \
                 like --oidc-issuer https://id.example --oidc-client-id webchat",
            );
        }
        let needs_provider = self.client_secret().is_some() || self.oidc_name.is_some();
        if self.oidc_issuer.is_none() && needs_provider {
            return Err(
                "--oidc-client-secret SECRET and --oidc-name NAME need a provider: \
                 add --oidc-issuer URL and --oidc-client-id ID",
            );
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use crate::config::parse::Exit;
    use crate::config::parse::tests::read;

    #[test]
    fn incomplete_certificate_flags_are_refused_in_one_line_that_names_the_flags() {
        let both = ["--tls-cert", "--tls-key"];
        let cases = [
            &["--tls-cert", "c"][..],
            &["--tls-key", "k"],
            &["--redirect", "[::]:80"],
        ];
        for args in cases {
            let Exit { text, code } = read(args).unwrap_err();
            assert_eq!((code, text.trim_end().lines().count()), (2, 1), "{text}");
            assert!(
                both.iter()
                    .chain(&args[..1])
                    .all(|flag| text.contains(flag)),
                "{text}"
            );
        }
        let complete =
            read(&["--tls-cert", "c", "--tls-key", "k", "--redirect", "[::]:80"]).unwrap();
        let files = complete.certificate_files().unwrap();
        assert_eq!(files.cert, Path::new("c"));
        assert_eq!(files.key, Path::new("k"));
        assert!(read(&[]).unwrap().certificate_files().is_none());
    }

    #[test]
    fn certificate_comes_from_files_or_from_acme_and_not_from_both() {
        let files = [
            "--tls-cert",
            "c",
            "--tls-key",
            "k",
            "--acme",
            "chat.example.org",
        ];
        let without_acme = [["--acme-contact", "a@example.org"], ["--acme-root", "r"]];
        for args in [&files[..], &without_acme[0], &without_acme[1]] {
            let Exit { text, code } = read(args).unwrap_err();
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
        let settings = read(&[&args[..], &["--redirect", "[::]:80", "--data-dir", "/d"]].concat())
            .unwrap()
            .acme_settings()
            .unwrap();
        assert_eq!(settings.domains, ["chat.example.org", "b.example.org"]);
        assert_eq!(
            (settings.contact.as_deref(), settings.dir),
            (Some("mailto:a@example.org"), PathBuf::from("/d/acme"))
        );
        assert_eq!(
            settings.directory,
            "https://acme-v02.api.letsencrypt.org/directory"
        );
        assert!(read(&[]).unwrap().acme_settings().is_none());
    }

    #[test]
    fn incomplete_provider_flags_are_refused_in_one_line_that_names_the_flags() {
        let both = ["--oidc-issuer", "--oidc-client-id"];
        let cases = [
            &["--oidc-issuer", "https://id.example"][..],
            &["--oidc-client-id", "chat"],
            &["--oidc-client-secret", "hush"],
            &["--oidc-name", "Name"],
        ];
        for args in cases {
            let Exit { text, code } = read(args).unwrap_err();
            assert_eq!((code, text.trim_end().lines().count()), (2, 1), "{text}");
            assert!(
                both.iter()
                    .chain(&args[..1])
                    .all(|flag| text.contains(flag)),
                "{text}"
            );
            assert!(!text.contains("hush"), "{text}");
        }
    }

    #[test]
    fn issuer_and_public_url_are_kept_as_the_provider_compares_them() {
        for issuer in [
            "https://id.example/realms/chat",
            "http://127.0.0.1:9000",
            "http://[::1]/",
            "http://localhost:1",
        ] {
            let config = read(&["--oidc-issuer", issuer, "--oidc-client-id", "chat"]).unwrap();
            // The provider's own name for itself must be equal to this text.
            assert_eq!(config.oidc_issuer.unwrap().as_str(), issuer);
        }
        let site = read(&["--public-url", "https://chat.example:8443/"])
            .unwrap()
            .public_url;
        assert_eq!(site.as_deref(), Some("https://chat.example:8443"));
    }
}
