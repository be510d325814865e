//! The configured sign-in provider: its metadata and keys, and the report of its failures.
//!
//! # Guarantees
//! The provider is not contacted before a person wants to sign in. Concurrent sign-ins request the
//! metadata once. Each failure is one log line, without codes, tokens and secrets.
//!
//! # Not here
//! The flow of a sign-in (`oidc_client`).

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use openidconnect::IssuerUrl;
use openidconnect::core::CoreProviderMetadata;
use protocol::{Refusal, Time};
use texts::refusal;
use tokio::sync::{Mutex, OnceCell};

use crate::auth::provider_http::ProviderHttp;

/// How long metadata is used before it is requested again. The metadata includes the keys, so a
/// withdrawn key is trusted for this long at most.
pub(crate) const METADATA_MAX_AGE: Duration = Duration::from_secs(60 * 60);

/// The shortest time between two requests for metadata, whatever the reason for the second one: a
/// failure, or a token with an unknown key.
const REQUEST_INTERVAL: Duration = Duration::from_secs(10);

/// A sign-in provider.
#[derive(Debug)]
pub(crate) struct OidcProvider {
    issuer: IssuerUrl,
    name: String,
    /// Built at the first request.
    http: OnceCell<ProviderHttp>,
    /// Locked during a request for metadata, so that concurrent sign-ins wait for its result.
    cache: Mutex<MetadataCache>,
}

#[derive(Debug, Default)]
struct MetadataCache {
    metadata: Option<Arc<CoreProviderMetadata>>,
    last_request: Option<Time>,
}

impl OidcProvider {
    /// A provider; `name` is its name for people, by default the issuer's host.
    pub fn new(issuer: IssuerUrl, name: Option<String>) -> Self {
        let host = issuer.url().host_str().unwrap_or_default().to_owned();
        Self {
            issuer,
            name: name.unwrap_or(host),
            http: OnceCell::new(),
            cache: Mutex::default(),
        }
    }

    /// The provider's name for people.
    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn issuer(&self) -> &IssuerUrl {
        &self.issuer
    }

    /// The provider's metadata, requested now if it is older than `max_age`.
    ///
    /// # Errors
    /// [`Refusal::ProviderUnavailable`] if there is none.
    pub async fn load_metadata(
        &self,
        max_age: Duration,
        now: Time,
    ) -> Result<Arc<CoreProviderMetadata>, Refusal> {
        let mut cache = self.cache.lock().await;
        let age = cache
            .last_request
            .map_or(Duration::MAX, |last| now.since(last));
        let is_stale = cache.metadata.is_none() || age >= max_age;
        if age >= REQUEST_INTERVAL && is_stale {
            cache.last_request = Some(now);
            match self.request_metadata().await {
                Ok(metadata) => cache.metadata = Some(Arc::new(metadata)),
                Err(error) => self.log_failure("did not send its metadata", Some(&*error)),
            }
        }
        cache.metadata.clone().ok_or_else(|| self.unavailable())
    }

    async fn request_metadata(&self) -> Result<CoreProviderMetadata, Box<dyn Error + Send + Sync>> {
        Ok(CoreProviderMetadata::discover_async(self.issuer.clone(), self.http().await?).await?)
    }

    /// The client for requests to the provider.
    pub async fn http(&self) -> Result<&ProviderHttp, reqwest::Error> {
        let is_https_only = self.issuer.url().scheme() == "https";
        self.http
            .get_or_try_init(async || ProviderHttp::new(is_https_only))
            .await
    }

    /// Logs that the provider does not answer, and returns the refusal for that.
    pub fn refuse_unanswered(&self, error: &(dyn Error + 'static)) -> Refusal {
        self.log_failure("does not answer", Some(error));
        self.unavailable()
    }

    fn unavailable(&self) -> Refusal {
        Refusal::ProviderUnavailable(refusal::PROVIDER_SILENT.fill([&self.name]))
    }

    /// Logs what is wrong with the provider's response, and returns the refusal for that.
    pub fn refuse_invalid(&self, problem: &str, error: Option<&(dyn Error + 'static)>) -> Refusal {
        self.log_failure(problem, error);
        Refusal::ProviderUnavailable(refusal::PROVIDER_INVALID.fill([&self.name]))
    }

    /// Logs a failure; `problem` completes the sentence "the sign-in provider …".
    pub fn log_failure(&self, problem: &str, error: Option<&(dyn Error + 'static)>) {
        let chain = std::iter::successors(error, |&error| error.source());
        let error = chain
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(": ");
        tracing::warn!(
            issuer = self.issuer.as_str(),
            error,
            "the sign-in provider {problem}"
        );
    }
}
