//! Certificates by ACME ([RFC 8555](https://www.rfc-editor.org/rfc/rfc8555)) with the challenge
//! TLS-ALPN-01 ([RFC 8737](https://www.rfc-editor.org/rfc/rfc8737)), for which the authority
//! connects to the HTTPS port.
//!
//! # Guarantees
//! A certificate is renewed when a third of its lifetime is left, and the old one is used until
//! then. Each failure is logged, and the request is repeated after a pause that grows.
//!
//! # Not here
//! The files (`acme_store`), and the connections (`net::tls_connection`).

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use std::{fmt, io};

use futures_util::StreamExt;
use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, RootCertStore};
use rustls_acme::acme::{Auth, Identifier, Problem};
use rustls_acme::{
    AcmeConfig, AcmeState, EventError, EventOk, OrderError, ResolvesServerCertAcme,
    is_tls_alpn_challenge,
};
use tokio::signal::unix::Signal;

use crate::config::types::AcmeSettings;
use crate::tls::acme_store::AcmeStore;
use crate::tls::pem::read_file;

/// The ALPN protocol of the challenge.
pub(crate) use rustls_acme::acme::ACME_TLS_ALPN_NAME as CHALLENGE;

/// How long to wait for an event before starting over with the stored files. This bounds the pauses
/// after failures, and repeats requests that the authority never answers.
const RESTART_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

/// How long to wait after the authority has sent a certificate that cannot be parsed.
const UNPARSABLE_PAUSE: Duration = Duration::from_secs(60 * 60);

/// An ACME client that keeps one certificate current.
pub(crate) struct Acme {
    settings: AcmeSettings,
    /// How to verify the authority's own certificate, unless as browsers do.
    client_config: Option<Arc<ClientConfig>>,
    store: AcmeStore,
    state: AcmeState<io::Error>,
    resolver: Arc<LatestResolver>,
}

impl fmt::Debug for Acme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Acme")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

impl Acme {
    /// Loads the stored certificate, if there is one. Does not contact the authority.
    ///
    /// # Errors
    /// One line with the flag or the folder, and the reason why it cannot be used.
    pub async fn open(settings: AcmeSettings) -> Result<Self, String> {
        let client_config = match &settings.root {
            Some(root) => Some(read_roots(root).await?),
            None => None,
        };
        let store = AcmeStore::open(&settings)?;
        let state = start(&settings, client_config.as_ref(), &store);
        let resolver = Arc::new(LatestResolver(Mutex::new(Resolvers {
            certified: state.resolver(),
            ordering: state.resolver(),
        })));
        let mut acme = Self {
            settings,
            client_config,
            store,
            state,
            resolver,
        };
        if acme.store.cert_file().is_file() {
            acme.handle_next_event().await;
        }
        Ok(acme)
    }

    /// Looks up the newest certificate, and answers challenges.
    pub fn resolver(&self) -> Arc<dyn ResolvesServerCert> {
        self.resolver.clone()
    }

    /// Obtains and renews the certificate; never returns. SIGHUP starts over at once.
    pub async fn keep_current(&mut self, hangup: &mut Signal) {
        loop {
            tokio::select! {
                () = self.handle_next_event() => {}
                () = tokio::time::sleep(RESTART_AFTER) => self.restart(),
                _ = hangup.recv() => self.restart(),
            }
        }
    }

    fn restart(&mut self) {
        self.state = start(&self.settings, self.client_config.as_ref(), &self.store);
        self.resolver.lock().ordering = self.state.resolver();
    }

    async fn handle_next_event(&mut self) {
        // The stream of events has no end.
        let Some(event) = self.state.next().await else {
            return;
        };
        match event {
            Ok(EventOk::DeployedCachedCert | EventOk::DeployedNewCert) => self.use_certificate(),
            Ok(EventOk::CertCacheStore) => {
                let domains = self.domains();
                tracing::info!("new connections use the new certificate for {domains}");
            }
            Ok(EventOk::AccountCacheStore) => {}
            Err(error) => {
                self.log_error(&error);
                if matches!(error, EventError::NewCertParse(_)) {
                    tokio::time::sleep(UNPARSABLE_PAUSE).await;
                }
            }
        }
    }

    fn log_error(&self, error: &EventError<io::Error, io::Error>) {
        let domains = self.domains();
        let dir = self.settings.dir.display();
        match error {
            EventError::Order(error) => tracing::error!(
                "no new certificate for {domains}, trying again after a pause: {}",
                describe(error)
            ),
            EventError::CachedCertParse(error) => tracing::warn!(
                "cannot read {}, requesting a new certificate: {error}",
                self.store.cert_file().display()
            ),
            EventError::CertCacheLoad(error) | EventError::AccountCacheLoad(error) => {
                tracing::error!("cannot read the files in {dir}: {error}");
            }
            EventError::CertCacheStore(error) | EventError::AccountCacheStore(error) => {
                tracing::error!("cannot write a file in {dir}: {error}");
            }
            EventError::NewCertParse(error) => {
                tracing::error!("cannot parse the new certificate for {domains}: {error}");
            }
        }
    }

    fn domains(&self) -> String {
        self.settings.domains.join(", ")
    }

    fn use_certificate(&self) {
        let mut resolvers = self.resolver.lock();
        resolvers.certified = resolvers.ordering.clone();
    }
}

fn start(
    settings: &AcmeSettings,
    client_config: Option<&Arc<ClientConfig>>,
    store: &AcmeStore,
) -> AcmeState<io::Error> {
    let config = match client_config {
        Some(client_config) => {
            AcmeConfig::new_with_client_config(&settings.domains, client_config.clone())
        }
        None => AcmeConfig::new(&settings.domains),
    };
    config
        .contact(&settings.contact)
        .directory(&settings.directory)
        .cache(store.clone())
        .state()
}

/// A client that trusts the root certificates in a file, and no others.
async fn read_roots(file: &Path) -> Result<Arc<ClientConfig>, String> {
    let pem = read_file("--acme-root", file).await?;
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(CertificateDer::pem_slice_iter(&pem).filter_map(Result::ok));
    if roots.is_empty() {
        return Err(format!("no certificate in --acme-root {}", file.display()));
    }
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    Ok(Arc::new(
        config.with_root_certificates(roots).with_no_client_auth(),
    ))
}

/// Why an order failed, with the authority's own text if it sent one.
fn describe(error: &OrderError) -> String {
    let detail = |problem: Option<&Problem>| {
        problem
            .and_then(|problem| problem.detail.clone())
            .unwrap_or_else(|| "the authority sent no reason".to_owned())
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
            format!(
                "the authority did not find this server at {domain}: {}",
                detail(problem)
            )
        }
        OrderError::BadOrder(order) => format!(
            "the authority refused the order: {}",
            detail(order.error.as_ref())
        ),
        other => other.to_string(),
    }
}

/// Looks up the certificate of a connection, also while a new one is ordered.
#[derive(Debug)]
struct LatestResolver(Mutex<Resolvers>);

#[derive(Debug)]
struct Resolvers {
    /// Has the certificate for clients.
    certified: Arc<ResolvesServerCertAcme>,
    /// Has the response to the challenge of the current order.
    ordering: Arc<ResolvesServerCertAcme>,
}

impl LatestResolver {
    fn lock(&self) -> MutexGuard<'_, Resolvers> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ResolvesServerCert for LatestResolver {
    /// Without a certificate, rustls refuses the connection with an alert.
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let resolvers = self.lock();
        let resolver = if is_tls_alpn_challenge(&hello) {
            &resolvers.ordering
        } else {
            &resolvers.certified
        };
        resolver.resolve(hello)
    }
}
