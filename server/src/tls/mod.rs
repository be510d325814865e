//! The certificate and its key: read from files at start and after SIGHUP, or obtained by ACME.
//!
//! # Guarantees
//! A connection keeps the certificate with which it began. If new files cannot be used, the server
//! keeps the old certificate and logs the reason.
//!
//! # Not here
//! The connections (`net::tls_connection`), and ACME (`acme`).

pub(crate) mod acme;
mod acme_store;
pub(crate) mod https_redirect;
pub(crate) mod pem;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::ResolvesServerCert;
use rustls::{ConfigBuilder, ServerConfig, WantsVerifier};
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::config::types::AcmeSettings;
use crate::tls::acme::Acme;
use crate::tls::pem::read_file;

/// The name of HTTP/2 in ALPN
/// ([RFC 9113, section 3.1](https://www.rfc-editor.org/rfc/rfc9113#section-3.1)).
pub(crate) const H2: &[u8] = b"h2";

/// The protocols that the server offers, in order of preference.
const PROTOCOLS: [&[u8]; 3] = [H2, b"http/1.1", b"http/1.0"];

/// A certificate with its key, which is kept current.
#[derive(Debug)]
pub struct Tls {
    source: Source,
    current: Current,
    hangup: Signal,
}

/// Where certificates come from.
#[derive(Debug)]
enum Source {
    Files(Files),
    Acme(Box<Acme>),
}

/// The TLS configuration of new connections.
#[derive(Clone, Debug)]
pub(crate) struct Current(Arc<Mutex<Arc<ServerConfig>>>);

/// The PEM files of a certificate.
#[derive(Debug)]
struct Files {
    cert: PathBuf,
    key: PathBuf,
}

impl Tls {
    /// Reads a certificate chain and its private key, both PEM. From now on, SIGHUP reloads them
    /// instead of ending the process.
    ///
    /// # Errors
    /// One line with the flag, the file and the reason why it cannot be used.
    pub async fn from_files(cert: &Path, key: &Path) -> Result<Self, String> {
        let hangup = listen_for_hangup()?;
        let files = Files {
            cert: cert.to_owned(),
            key: key.to_owned(),
        };
        let current = Current::new(files.read().await?);
        Ok(Self {
            source: Source::Files(files),
            current,
            hangup,
        })
    }

    /// Loads the stored certificate, if there is one; new certificates are requested once the
    /// server runs. From now on, SIGHUP requests one instead of ending the process.
    ///
    /// # Errors
    /// One line with the reason why the settings cannot be used.
    pub async fn from_acme(settings: AcmeSettings) -> Result<Self, String> {
        let hangup = listen_for_hangup()?;
        let acme = Acme::open(settings).await?;
        let config = acme_config(acme.resolver()).map_err(|error| error.to_string())?;
        Ok(Self {
            source: Source::Acme(Box::new(acme)),
            current: Current::new(config),
            hangup,
        })
    }

    pub(crate) fn current(&self) -> Current {
        self.current.clone()
    }

    /// Reloads or renews the certificate when necessary; never returns.
    pub(crate) async fn keep_current(&mut self) {
        match &mut self.source {
            Source::Files(files) => files.keep_current(&self.current, &mut self.hangup).await,
            Source::Acme(acme) => acme.keep_current(&mut self.hangup).await,
        }
    }
}

fn listen_for_hangup() -> Result<Signal, String> {
    signal(SignalKind::hangup()).map_err(|error| format!("cannot listen for SIGHUP: {error}"))
}

impl Current {
    fn new(config: ServerConfig) -> Self {
        Self(Arc::new(Mutex::new(Arc::new(config))))
    }

    pub fn get(&self) -> Arc<ServerConfig> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn set(&self, config: ServerConfig) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(config);
    }
}

impl Files {
    /// Reloads the files after each SIGHUP; never returns.
    async fn keep_current(&self, current: &Current, hangup: &mut Signal) {
        while hangup.recv().await.is_some() {
            match self.read().await {
                Ok(config) => {
                    current.set(config);
                    tracing::info!("new connections use the new certificate");
                }
                Err(error) => tracing::error!("keeping the old certificate: {error}"),
            }
        }
        std::future::pending().await
    }

    async fn read(&self) -> Result<ServerConfig, String> {
        let chain = self.read_chain().await?;
        let key = self.read_key().await?;
        files_config(chain, key).map_err(|error| {
            format!(
                "cannot use --tls-cert {} with --tls-key {}: {error}",
                self.cert.display(),
                self.key.display()
            )
        })
    }

    async fn read_chain(&self) -> Result<Vec<CertificateDer<'static>>, String> {
        let pem = read_file("--tls-cert", &self.cert).await?;
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
        let chain = chain.ok().filter(|chain| !chain.is_empty());
        chain.ok_or_else(|| format!("no certificate in --tls-cert {}", self.cert.display()))
    }

    async fn read_key(&self) -> Result<PrivateKeyDer<'static>, String> {
        let pem = read_file("--tls-key", &self.key).await?;
        PrivateKeyDer::from_pem_slice(&pem)
            .map_err(|_| format!("no private key in --tls-key {}", self.key.display()))
    }
}

/// A builder for TLS 1.2 and 1.3.
fn config_builder() -> Result<ConfigBuilder<ServerConfig, WantsVerifier>, rustls::Error> {
    ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
}

/// The configuration with a certificate from files. Fails if the key is not the certificate's.
fn files_config(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<ServerConfig, rustls::Error> {
    let mut config = config_builder()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    config.alpn_protocols = PROTOCOLS.map(<[u8]>::to_vec).into();
    Ok(config)
}

/// The configuration with a certificate that is looked up for each connection, and with the
/// protocol of the authority's challenge.
fn acme_config(resolver: Arc<dyn ResolvesServerCert>) -> Result<ServerConfig, rustls::Error> {
    let mut config = config_builder()?
        .with_no_client_auth()
        .with_cert_resolver(resolver);
    config.alpn_protocols = PROTOCOLS
        .iter()
        .chain(&[acme::CHALLENGE])
        .map(|name| name.to_vec())
        .collect();
    Ok(config)
}
