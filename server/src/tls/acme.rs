//! A certificate that webchat gets by itself, from an authority that speaks ACME
//! ([RFC 8555](https://www.rfc-editor.org/rfc/rfc8555)), which looks at the port of HTTPS itself
//! ([RFC 8737](https://www.rfc-editor.org/rfc/rfc8737)).
//!
//! Promises: a certificate is renewed when a third of its life is left, and the one before stays in force until then;
//! whatever fails is logged and tried again after a pause that grows; the account and the certificate are private files
//! that are whole or not there. Leaves to others: connections (`secured`).

use std::fs::{DirBuilder, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use std::{fmt, io};

use async_trait::async_trait;
use futures_util::StreamExt;
use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, RootCertStore};
use rustls_acme::acme::{Auth, Identifier, Problem};
use rustls_acme::{
    AccountCache, AcmeConfig, AcmeState, CertCache, EventError, EventOk, OrderError,
    ResolvesServerCertAcme, is_tls_alpn_challenge,
};
use sha2::{Digest, Sha256};
use tokio::signal::unix::Signal;

use crate::config::types::AcmeSettings;

/// The protocol that the authority names when it looks whether a domain leads here.
pub(crate) use rustls_acme::acme::ACME_TLS_ALPN_NAME as CHALLENGE;

/// How often to begin anew with what is kept: an authority that never answers is asked again, and no pause is longer.
const ROUND: Duration = Duration::from_secs(24 * 60 * 60);

/// How long to leave an authority alone whose certificates cannot be read.
const NONSENSE: Duration = Duration::from_secs(60 * 60);

/// Somebody who gets certificates.
pub(crate) struct Acme {
    wish: AcmeSettings,
    trust: Option<Arc<ClientConfig>>,
    kept: Kept,
    state: AcmeState<io::Error>,
    latest: Arc<Latest>,
}

impl fmt::Debug for Acme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Acme")
            .field("wish", &self.wish)
            .finish_non_exhaustive()
    }
}

impl Acme {
    /// Begins with the certificate that is kept, if there is one; asks nobody yet.
    ///
    /// # Errors
    /// Why the wish cannot be followed, with the flag or the directory.
    pub async fn open(wish: AcmeSettings) -> Result<Self, String> {
        let trust = match &wish.root {
            Some(root) => Some(trust(root).await?),
            None => None,
        };
        let make = DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&wish.dir);
        make.map_err(|error| format!("cannot make {}: {error}", wish.dir.display()))?;
        let kept = Kept::new(&wish);
        let state = begin(&wish, trust.as_ref(), &kept);
        let latest = Arc::new(Latest(Mutex::new(Resolvers {
            certified: state.resolver(),
            asking: state.resolver(),
        })));
        let mut acme = Self {
            wish,
            trust,
            kept,
            state,
            latest,
        };
        if acme.kept.cert.is_file() {
            acme.next().await;
        }
        Ok(acme)
    }

    /// What connections ask for the newest certificate.
    pub fn resolver(&self) -> Arc<dyn ResolvesServerCert> {
        self.latest.clone()
    }

    /// Gets and renews the certificate, for good. At a SIGHUP it tries at once.
    pub async fn keep_current(mut self, mut hangup: Signal) {
        loop {
            tokio::select! {
                () = self.next() => {}
                () = tokio::time::sleep(ROUND) => self.begin_anew(),
                _ = hangup.recv() => self.begin_anew(),
            }
        }
    }

    fn begin_anew(&mut self) {
        self.state = begin(&self.wish, self.trust.as_ref(), &self.kept);
        self.latest.lock().asking = self.state.resolver();
    }

    /// Goes on to the next thing that is worth telling.
    async fn next(&mut self) {
        // It goes on for good.
        let Some(event) = self.state.next().await else {
            return;
        };
        let domains = self.wish.domains.join(", ");
        match event {
            Ok(EventOk::DeployedCachedCert | EventOk::DeployedNewCert) => self.deploy(),
            // It is in force already, and the next start will find it.
            Ok(EventOk::CertCacheStore) => {
                tracing::info!("new connections get the new certificate for {domains}")
            }
            Ok(EventOk::AccountCacheStore) => {}
            Err(EventError::Order(error)) => {
                tracing::error!(
                    "no new certificate for {domains}, trying again after a pause: {}",
                    why(&error)
                );
            }
            Err(EventError::NewCertParse(error)) => {
                tracing::error!("cannot read the new certificate for {domains}: {error}");
                tokio::time::sleep(NONSENSE).await;
            }
            Err(EventError::CachedCertParse(error)) => {
                tracing::warn!(
                    "cannot read {}, getting another: {error}",
                    self.kept.cert.display()
                );
            }
            Err(EventError::CertCacheLoad(error) | EventError::AccountCacheLoad(error)) => {
                tracing::error!(
                    "cannot read what is in {}: {error}",
                    self.wish.dir.display()
                );
            }
            Err(EventError::CertCacheStore(error) | EventError::AccountCacheStore(error)) => {
                tracing::error!(
                    "cannot keep what belongs into {}: {error}",
                    self.wish.dir.display()
                );
            }
        }
    }

    fn deploy(&self) {
        let mut latest = self.latest.lock();
        latest.certified = latest.asking.clone();
    }
}

fn begin(
    wish: &AcmeSettings,
    trust: Option<&Arc<ClientConfig>>,
    kept: &Kept,
) -> AcmeState<io::Error> {
    let config = match trust {
        Some(trust) => AcmeConfig::new_with_client_config(&wish.domains, trust.clone()),
        None => AcmeConfig::new(&wish.domains),
    };
    config
        .contact(&wish.contact)
        .directory(&wish.directory)
        .cache(kept.clone())
        .state()
}

/// Trust in the authorities of a file, and in no other.
async fn trust(file: &Path) -> Result<Arc<ClientConfig>, String> {
    let pem = crate::tls::pem::read_file("--acme-root", file).await?;
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(CertificateDer::pem_slice_iter(&pem).filter_map(Result::ok));
    if roots.is_empty() {
        return Err(format!(
            "there is no certificate in --acme-root {}",
            file.display()
        ));
    }
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    Ok(Arc::new(
        config.with_root_certificates(roots).with_no_client_auth(),
    ))
}

/// What the authority has against it, in its own words where it says.
fn why(error: &OrderError) -> String {
    let said = |problem: Option<&Problem>| {
        problem
            .and_then(|problem| problem.detail.clone())
            .unwrap_or_else(|| "it is not said why".to_owned())
    };
    match error {
        OrderError::BadAuth(Auth {
            identifier: Identifier::Dns(domain),
            challenges,
            ..
        }) => {
            let problem = challenges
                .iter()
                .find_map(|challenge| challenge.error.as_ref());
            format!("{domain} was not found to lead here: {}", said(problem))
        }
        OrderError::BadOrder(order) => {
            format!("the order was refused: {}", said(order.error.as_ref()))
        }
        other => other.to_string(),
    }
}

/// The certificate in force, and the answers to whoever is asked for the next one.
#[derive(Debug)]
struct Latest(Mutex<Resolvers>);

#[derive(Debug)]
struct Resolvers {
    certified: Arc<ResolvesServerCertAcme>,
    asking: Arc<ResolvesServerCertAcme>,
}

impl Latest {
    fn lock(&self) -> MutexGuard<'_, Resolvers> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ResolvesServerCert for Latest {
    /// Whoever comes before there is a certificate is refused by an alert.
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let resolvers = self.lock();
        let resolver = if is_tls_alpn_challenge(&hello) {
            &resolvers.asking
        } else {
            &resolvers.certified
        };
        resolver.resolve(hello)
    }
}

/// What is kept from one start to the next. The names of the files say for whom and from whom, so that another wish
/// finds nothing.
#[derive(Clone, Debug)]
struct Kept {
    account: PathBuf,
    cert: PathBuf,
    /// The newest certificate with its key, even if there was no room for it on the disk.
    newest: Arc<Mutex<Option<Vec<u8>>>>,
}

impl Kept {
    fn new(wish: &AcmeSettings) -> Self {
        let account = digest([&wish.directory].into_iter().chain(&wish.contact));
        let cert = digest([&wish.directory].into_iter().chain(&wish.domains));
        Self {
            account: wish.dir.join(format!("account-{account}.key")),
            cert: wish.dir.join(format!("certificate-{cert}.pem")),
            newest: Arc::default(),
        }
    }

    fn newest(&self) -> MutexGuard<'_, Option<Vec<u8>>> {
        self.newest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Eight bytes that tell these words from others.
fn digest<'a>(words: impl Iterator<Item = &'a String>) -> String {
    let digest = words.fold(Sha256::new(), |digest, word| {
        digest.chain_update(word).chain_update([0])
    });
    digest
        .finalize()
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[async_trait]
impl CertCache for Kept {
    type EC = io::Error;

    async fn load_cert(&self, _: &[String], _: &str) -> io::Result<Option<Vec<u8>>> {
        let newest = self.newest().clone();
        if newest.is_some() {
            Ok(newest)
        } else {
            load(&self.cert).await
        }
    }

    async fn store_cert(&self, _: &[String], _: &str, pem: &[u8]) -> io::Result<()> {
        *self.newest() = Some(pem.to_owned());
        store(&self.cert, pem).await
    }
}

#[async_trait]
impl AccountCache for Kept {
    type EA = io::Error;

    async fn load_account(&self, _: &[String], _: &str) -> io::Result<Option<Vec<u8>>> {
        load(&self.account).await
    }

    async fn store_account(&self, _: &[String], _: &str, key: &[u8]) -> io::Result<()> {
        store(&self.account, key).await
    }
}

async fn load(file: &Path) -> io::Result<Option<Vec<u8>>> {
    match tokio::fs::read(file).await {
        Ok(content) => Ok(Some(content)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Writes a file that only its owner may read, beside its place first.
async fn store(file: &Path, content: &[u8]) -> io::Result<()> {
    let (place, content) = (file.to_owned(), content.to_owned());
    let write = move || {
        let beside = place.with_extension("new");
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&beside)?;
        file.write_all(&content)?;
        file.sync_all()?;
        std::fs::rename(&beside, &place)
    };
    tokio::task::spawn_blocking(write).await?
}
