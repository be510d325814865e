//! The certificate and its key: read at the start, and again whenever the process is told to (SIGHUP).
//!
//! Promises: a connection keeps the certificate that it began with; files that cannot be used leave the one before in
//! force, and the log says why. Leaves to others: the connections (`secured`).

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// HTTP/2, as a client names it when the connection begins ([RFC 9113, section 3.1](https://www.rfc-editor.org/rfc/rfc9113#section-3.1)).
pub(crate) const H2: &[u8] = b"h2";

/// A certificate with its key that follows its files.
#[derive(Debug)]
pub struct Tls {
    files: Files,
    current: Current,
    hangup: Signal,
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
        let hangup = signal(SignalKind::hangup()).map_err(|error| format!("cannot listen for SIGHUP: {error}"))?;
        let files = Files { cert: cert.to_owned(), key: key.to_owned() };
        let current = Current(Arc::new(Mutex::new(Arc::new(files.read().await?))));
        Ok(Self { files, current, hangup })
    }

    pub(crate) fn current(&self) -> Current {
        self.current.clone()
    }

    /// Reads the files again at every SIGHUP, for good.
    pub(crate) async fn keep_current(mut self) {
        while self.hangup.recv().await.is_some() {
            match self.files.read().await {
                Ok(config) => {
                    self.current.set(config);
                    tracing::info!("new connections get the new certificate");
                }
                Err(error) => tracing::error!("keeping the old certificate: {error}"),
            }
        }
        std::future::pending().await
    }
}

impl Current {
    pub fn get(&self) -> Arc<ServerConfig> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, config: ServerConfig) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(config);
    }
}

impl Files {
    async fn read(&self) -> Result<ServerConfig, String> {
        let cert = read("--tls-cert", &self.cert).await?;
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&cert).collect();
        let chain = chain.ok().filter(|chain| !chain.is_empty());
        let chain = chain.ok_or_else(|| format!("there is no certificate in --tls-cert {}", self.cert.display()))?;
        let key = PrivateKeyDer::from_pem_slice(&read("--tls-key", &self.key).await?)
            .map_err(|_| format!("there is no private key in --tls-key {}", self.key.display()))?;
        let Self { cert, key: of } = self;
        config(chain, key).map_err(|error| {
            format!("cannot use --tls-cert {} with --tls-key {}: {error}", cert.display(), of.display())
        })
    }
}

async fn read(flag: &str, file: &Path) -> Result<Vec<u8>, String> {
    tokio::fs::read(file).await.map_err(|error| format!("cannot read {flag} {}: {error}", file.display()))
}

/// TLS 1.2 and 1.3, for HTTP/2 and HTTP/1.1. That the key is the certificate's is checked here.
fn config(chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> Result<ServerConfig, rustls::Error> {
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    config.alpn_protocols = vec![H2.to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}
