//! The certificate and its key: read at the start, and again whenever the process is told to (SIGHUP), or got from an
//! authority.
//!
//! Promises: a connection keeps the certificate that it began with; files that cannot be used leave the one before in
//! force, and the log says why. Leaves to others: the connections (`secured`), how to get a certificate (`acme`).

pub(crate) mod acme;
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

/// HTTP/2, as a client names it when the connection begins ([RFC 9113, section 3.1](https://www.rfc-editor.org/rfc/rfc9113#section-3.1)).
pub(crate) const H2: &[u8] = b"h2";

/// What is spoken, the best first.
const PROTOCOLS: [&[u8]; 3] = [H2, b"http/1.1", b"http/1.0"];

/// A certificate with its key that stays current.
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
    Authority(Box<Acme>),
}

/// What the next connection begins with.
#[derive(Clone, Debug)]
pub(crate) struct Current(Arc<Mutex<Arc<ServerConfig>>>);

#[derive(Debug)]
struct Files {
    cert: PathBuf,
    key: PathBuf,
}

impl Tls {
    /// Reads a chain of certificates and its private key, both PEM. From now on SIGHUP does not end the process.
    ///
    /// # Errors
    /// Why they cannot be used, with the flag and the file.
    pub async fn open(cert: &Path, key: &Path) -> Result<Self, String> {
        let hangup = hangup()?;
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

    /// Gets certificates from an authority, once this is served. From now on SIGHUP does not end the process.
    ///
    /// # Errors
    /// Why the wish cannot be followed.
    pub async fn wish(wish: AcmeSettings) -> Result<Self, String> {
        let hangup = hangup()?;
        let acme = Acme::open(wish).await?;
        let current = Current::new(follow(acme.resolver()).map_err(|error| error.to_string())?);
        Ok(Self {
            source: Source::Authority(Box::new(acme)),
            current,
            hangup,
        })
    }

    pub(crate) fn current(&self) -> Current {
        self.current.clone()
    }

    /// Sees to it that new connections get a certificate that is good, for good.
    pub(crate) async fn keep_current(self) {
        match self.source {
            Source::Files(files) => files.keep_current(self.current, self.hangup).await,
            Source::Authority(acme) => acme.keep_current(self.hangup).await,
        }
    }
}

fn hangup() -> Result<Signal, String> {
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
    /// Reads the files again at every SIGHUP, for good.
    async fn keep_current(&self, current: Current, mut hangup: Signal) {
        while hangup.recv().await.is_some() {
            match self.read().await {
                Ok(config) => {
                    current.set(config);
                    tracing::info!("new connections get the new certificate");
                }
                Err(error) => tracing::error!("keeping the old certificate: {error}"),
            }
        }
        std::future::pending().await
    }

    async fn read(&self) -> Result<ServerConfig, String> {
        let cert = read_file("--tls-cert", &self.cert).await?;
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&cert).collect();
        let chain = chain.ok().filter(|chain| !chain.is_empty());
        let chain = chain.ok_or_else(|| {
            format!(
                "there is no certificate in --tls-cert {}",
                self.cert.display()
            )
        })?;
        let key = PrivateKeyDer::from_pem_slice(&read_file("--tls-key", &self.key).await?)
            .map_err(|_| {
                format!(
                    "there is no private key in --tls-key {}",
                    self.key.display()
                )
            })?;
        let Self { cert, key: of } = self;
        config(chain, key).map_err(|error| {
            format!(
                "cannot use --tls-cert {} with --tls-key {}: {error}",
                cert.display(),
                of.display()
            )
        })
    }
}

/// TLS 1.2 and 1.3.
fn versions() -> Result<ConfigBuilder<ServerConfig, WantsVerifier>, rustls::Error> {
    ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
}

/// For HTTP/2 and HTTP/1. That the key is the certificate's is checked here.
fn config(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<ServerConfig, rustls::Error> {
    let mut config = versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    config.alpn_protocols = PROTOCOLS.map(<[u8]>::to_vec).into();
    Ok(config)
}

/// The same with whatever certificate there is when a connection begins, and for the authority that gives it.
fn follow(certificate: Arc<dyn ResolvesServerCert>) -> Result<ServerConfig, rustls::Error> {
    let mut config = versions()?
        .with_no_client_auth()
        .with_cert_resolver(certificate);
    config.alpn_protocols = PROTOCOLS
        .iter()
        .chain(&[acme::CHALLENGE])
        .map(|name| name.to_vec())
        .collect();
    Ok(config)
}
