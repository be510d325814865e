//! The provider of sign-in that the operator has named, spoken to by
//! [OpenID Connect](https://openid.net/specs/openid-connect-core-1_0.html).
//!
//! Promises: it is asked for nothing before somebody wants to sign in; what it answers is bounded in time and size, and no
//! redirect is followed; nobody is who it says they are without a signature by one of its keys, for this server and for
//! this very sign-in. What goes wrong with it is logged once, without codes, tokens and secrets. Leaves to others: the
//! browser (`openid`) and whose account it is (`chat`).

use std::error::Error;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use chat::{OidcIdentity, ProviderProfile};
use openidconnect::core::{
    CoreAuthenticationFlow, CoreClient, CoreClientAuthMethod, CoreErrorResponseType, CoreIdToken,
    CoreIdTokenClaims, CoreIdTokenVerifier, CoreJwsSigningAlgorithm as Algorithm,
    CoreProviderMetadata, CoreTokenResponse, CoreUserInfoClaims,
};
use openidconnect::{
    AccessToken, AsyncHttpClient, AuthType, AuthorizationCode, ClaimsVerificationError, ClientId,
    ClientSecret, CsrfToken, EndpointMaybeSet, EndpointNotSet, EndpointSet, HttpRequest,
    HttpResponse, IssuerUrl, Nonce, OAuth2TokenResponse, PkceCodeChallenge, PkceCodeVerifier,
    RedirectUrl, RequestTokenError, Scope, SignatureVerificationError, StandardErrorResponse,
    SubjectIdentifier, TokenResponse,
};
use protocol::{Refusal, Time};
use serde::{Deserialize, Serialize};
use tokio::sync::{Mutex, OnceCell, Semaphore, SemaphorePermit};

use crate::config::Config;

/// How long the provider may take for an answer, and to let itself be connected to.
const ANSWER_TIMEOUT: (Duration, Duration) = (Duration::from_secs(10), Duration::from_secs(5));

/// The largest answer that is read, in bytes. Descriptions and sets of keys have a few thousand.
const ANSWER_MAX: usize = 256 * 1024;

/// How long what a provider says of itself is good. Its keys are in there: one that it takes back is not believed longer.
const KEPT: Duration = Duration::from_secs(60 * 60);

/// How long to wait before it is asked again for what it says of itself, whether it did not answer or uses an unknown key.
const PAUSE: Duration = Duration::from_secs(10);

/// So many may be on their way back at once.
const AT_ONCE: usize = 32;

/// The longest subject ([OpenID Connect Core 1.0, section 2](https://openid.net/specs/openid-connect-core-1_0.html#IDToken)).
const SUBJECT_MAX: usize = 255;

/// Signatures that show who made them. The others would need a secret that two have, or nothing.
const ALGORITHMS: [Algorithm; 9] = [
    Algorithm::RsaSsaPkcs1V15Sha256,
    Algorithm::RsaSsaPkcs1V15Sha384,
    Algorithm::RsaSsaPkcs1V15Sha512,
    Algorithm::RsaSsaPssSha256,
    Algorithm::RsaSsaPssSha384,
    Algorithm::RsaSsaPssSha512,
    Algorithm::EcdsaP256Sha256,
    Algorithm::EcdsaP384Sha384,
    Algorithm::EdDsa,
];

type Client = CoreClient<
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

type ExchangeError =
    RequestTokenError<std::io::Error, StandardErrorResponse<CoreErrorResponseType>>;

/// A provider, and this server as it knows it.
#[derive(Debug)]
pub(crate) struct OidcClient {
    issuer: IssuerUrl,
    id: ClientId,
    secret: Option<ClientSecret>,
    name: String,
    wire: OnceCell<Wire>,
    known: Mutex<Known>,
    returning: Semaphore,
}

/// What a provider says of itself, with its keys, and when it was last asked.
#[derive(Debug, Default)]
struct Known {
    metadata: Option<Arc<CoreProviderMetadata>>,
    asked: Option<Time>,
}

/// What is needed of a sign-in when its person comes back. Nobody but their browser may know it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct PendingSignIn {
    /// What the provider gives back with the person.
    pub state: String,
    nonce: Nonce,
    verifier: String,
    /// Where the provider sends the person.
    back: RedirectUrl,
}

/// Somebody whom the provider has named.
#[derive(Debug)]
pub(crate) struct VerifiedIdentity {
    pub identity: OidcIdentity,
    about: ProviderProfile,
    access: AccessToken,
}

impl OidcClient {
    /// The provider that the configuration names, if it does.
    pub fn of(config: &Config) -> Option<Self> {
        let (issuer, id) = (config.oidc_issuer.clone()?, config.oidc_client_id.clone()?);
        let host = issuer.url().host_str().unwrap_or_default().to_owned();
        Some(Self {
            issuer,
            id: ClientId::new(id),
            secret: config.oidc_client_secret.clone().map(ClientSecret::new),
            name: config.oidc_name.clone().unwrap_or(host),
            wire: OnceCell::new(),
            known: Mutex::default(),
            returning: Semaphore::new(AT_ONCE),
        })
    }

    /// What people call it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The name by which identities know it.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Where to send somebody who wants to sign in and to come `back`, and what to keep until then.
    ///
    /// # Errors
    /// [`Refusal::ProviderUnavailable`] if it does not answer.
    pub async fn begin(
        &self,
        back: RedirectUrl,
        now: Time,
    ) -> Result<(String, PendingSignIn), Refusal> {
        let metadata = self.metadata(KEPT, now).await?;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let client = self.client(&metadata, back.clone());
        let flow = CoreAuthenticationFlow::AuthorizationCode;
        let request = client.authorize_url(flow, CsrfToken::new_random, Nonce::new_random);
        let scopes = ["profile", "email"].map(|scope| Scope::new(scope.to_owned()));
        let (url, state, nonce) = request
            .add_scopes(scopes)
            .set_pkce_challenge(challenge)
            .url();
        let begun = PendingSignIn {
            state: state.into_secret(),
            nonce,
            verifier: verifier.into_secret(),
            back,
        };
        Ok((url.into(), begun))
    }

    /// Who it is that came back with this code.
    ///
    /// # Errors
    /// [`Refusal::Malformed`] if the code is good no longer, [`Refusal::RateLimited`] if too many come back at once,
    /// [`Refusal::ProviderUnavailable`] if the provider does not answer, or not as agreed.
    pub async fn finish(
        &self,
        begun: PendingSignIn,
        code: &str,
        now: Time,
    ) -> Result<VerifiedIdentity, Refusal> {
        let _turn: SemaphorePermit<'_> = self
            .returning
            .try_acquire()
            .map_err(|_| Refusal::RateLimited(Duration::from_secs(2)))?;
        let metadata = self.metadata(KEPT, now).await?;
        let answer = self.exchange(&metadata, &begun, code).await?;
        let token = answer
            .id_token()
            .ok_or_else(|| self.broken("sends no ID token", None))?;
        let claims = self.verify(metadata, token, &begun.nonce, now).await?;
        let subject = claims.subject().to_string();
        if subject.is_empty() || subject.len() > SUBJECT_MAX {
            return Err(self.broken("names nobody", None));
        }
        let identity = OidcIdentity {
            issuer: self.issuer.to_string(),
            subject,
        };
        Ok(VerifiedIdentity {
            identity,
            about: introduction(&claims),
            access: answer.access_token().clone(),
        })
    }

    /// What the provider says about somebody: with their name, or where it is asked for that. Nothing if it does not answer.
    pub async fn introduce(&self, named: VerifiedIdentity, now: Time) -> ProviderProfile {
        let VerifiedIdentity {
            identity,
            about,
            access,
        } = named;
        if about != ProviderProfile::default() {
            return about;
        }
        let asked = async {
            let metadata = self.metadata(KEPT, now).await.ok()?;
            let client =
                CoreClient::from_provider_metadata((*metadata).clone(), self.id.clone(), None);
            let request = client
                .user_info(access, Some(SubjectIdentifier::new(identity.subject)))
                .ok()?;
            let said: Result<CoreUserInfoClaims, _> =
                request.request_async(self.wire().await.ok()?).await;
            said.map_err(|error| self.report("does not say what somebody is called", Some(&error)))
                .ok()
        };
        asked.await.map(|claims| told(&claims)).unwrap_or_default()
    }

    async fn exchange(
        &self,
        metadata: &CoreProviderMetadata,
        begun: &PendingSignIn,
        code: &str,
    ) -> Result<CoreTokenResponse, Refusal> {
        let client = self.client(metadata, begun.back.clone());
        let code = AuthorizationCode::new(code.to_owned());
        let request = client
            .exchange_code(code)
            .map_err(|error| self.broken("cannot be asked", Some(&error)))?;
        let request = request.set_pkce_verifier(PkceCodeVerifier::new(begun.verifier.clone()));
        let wire = self
            .wire()
            .await
            .map_err(|error| self.broken("cannot be asked", Some(&error)))?;
        request
            .request_async(wire)
            .await
            .map_err(|error: ExchangeError| match error {
                RequestTokenError::ServerResponse(said)
                    if *said.error() == CoreErrorResponseType::InvalidGrant =>
                {
                    self.report("does not know a code any more", None);
                    Refusal::Malformed("This sign-in is over, or was used before.".to_owned())
                }
                RequestTokenError::Request(_) => self.silent(&error),
                _ => self.broken("does not take a code", Some(&error)),
            })
    }

    /// What an ID token says, if it is to be believed. For a key that is not known, the keys are asked for anew.
    async fn verify(
        &self,
        metadata: Arc<CoreProviderMetadata>,
        token: &CoreIdToken,
        nonce: &Nonce,
        now: Time,
    ) -> Result<CoreIdTokenClaims, Refusal> {
        let unknown = ClaimsVerificationError::SignatureVerification(
            SignatureVerificationError::NoMatchingKey,
        );
        let verified = match self.check(&metadata, token, nonce, now) {
            Err(error) if error == unknown => {
                let metadata = self.metadata(Duration::ZERO, now).await?;
                self.check(&metadata, token, nonce, now)
            }
            verified => verified,
        };
        verified.map_err(|error| self.broken("sends an ID token that is not good", Some(&error)))
    }

    fn check(
        &self,
        metadata: &CoreProviderMetadata,
        token: &CoreIdToken,
        nonce: &Nonce,
        now: Time,
    ) -> Result<CoreIdTokenClaims, ClaimsVerificationError> {
        let (keys, now) = (
            metadata.jwks().clone(),
            std::time::UNIX_EPOCH + now.since(Time::EPOCH),
        );
        // As for a client without a secret: with it a signature could be made of what others know, too.
        let verifier =
            CoreIdTokenVerifier::new_public_client(self.id.clone(), self.issuer.clone(), keys);
        let verifier = verifier
            .set_allowed_algs(ALGORITHMS)
            .set_time_fn(move || now.into());
        token.claims(&verifier, nonce).cloned()
    }

    fn client(&self, metadata: &CoreProviderMetadata, back: RedirectUrl) -> Client {
        // As it is meant where nothing is said.
        let methods = metadata.token_endpoint_auth_methods_supported();
        let by_header = methods
            .is_none_or(|methods| methods.contains(&CoreClientAuthMethod::ClientSecretBasic));
        let client = CoreClient::from_provider_metadata(
            metadata.clone(),
            self.id.clone(),
            self.secret.clone(),
        );
        let way = if by_header {
            AuthType::BasicAuth
        } else {
            AuthType::RequestBody
        };
        client.set_redirect_uri(back).set_auth_type(way)
    }

    /// What the provider says of itself. It is asked if that is not known, or was as long ago as `age`. Held while it is asked,
    /// so that many who come at once ask once.
    async fn metadata(
        &self,
        age: Duration,
        now: Time,
    ) -> Result<Arc<CoreProviderMetadata>, Refusal> {
        let mut known = self.known.lock().await;
        let since = known.asked.map_or(Duration::MAX, |asked| now.since(asked));
        if since >= PAUSE && (known.metadata.is_none() || since >= age) {
            known.asked = Some(now);
            match self.discover().await {
                Ok(metadata) => known.metadata = Some(Arc::new(metadata)),
                Err(error) => self.report("does not say how to ask it", Some(&*error)),
            }
        }
        known.metadata.clone().ok_or_else(|| self.absent())
    }

    async fn discover(&self) -> Result<CoreProviderMetadata, Box<dyn Error + Send + Sync>> {
        Ok(CoreProviderMetadata::discover_async(self.issuer.clone(), self.wire().await?).await?)
    }

    async fn wire(&self) -> Result<&Wire, reqwest::Error> {
        let only_tls = self.issuer.url().scheme() == "https";
        self.wire
            .get_or_try_init(async || Wire::new(only_tls))
            .await
    }

    fn silent(&self, error: &(dyn Error + 'static)) -> Refusal {
        self.report("does not answer", Some(error));
        self.absent()
    }

    fn absent(&self) -> Refusal {
        Refusal::ProviderUnavailable(format!(
            "{} does not answer at the moment. Try again a little later.",
            self.name
        ))
    }

    fn broken(&self, what: &str, error: Option<&(dyn Error + 'static)>) -> Refusal {
        self.report(what, error);
        let name = &self.name;
        Refusal::ProviderUnavailable(format!(
            "{name} did not answer as agreed, so nobody is signed in. If it stays so, tell whoever runs this server."
        ))
    }

    fn report(&self, what: &str, error: Option<&(dyn Error + 'static)>) {
        let chain = std::iter::successors(error, |&error| error.source());
        let error = chain
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(": ");
        tracing::warn!(
            issuer = self.issuer.as_str(),
            error,
            "the provider of sign-in {what}"
        );
    }
}

/// What an ID token says about somebody.
fn introduction(claims: &CoreIdTokenClaims) -> ProviderProfile {
    ProviderProfile {
        username: claims.preferred_username().map(|name| name.to_string()),
        email: claims.email().map(|email| email.to_string()),
        name: claims
            .name()
            .and_then(|name| name.get(None))
            .map(|name| name.to_string()),
    }
}

/// The same of what is told on request.
fn told(claims: &CoreUserInfoClaims) -> ProviderProfile {
    ProviderProfile {
        username: claims.preferred_username().map(|name| name.to_string()),
        email: claims.email().map(|email| email.to_string()),
        name: claims
            .name()
            .and_then(|name| name.get(None))
            .map(|name| name.to_string()),
    }
}

/// How the provider is asked.
#[derive(Debug)]
struct Wire(reqwest::Client);

impl Wire {
    fn new(only_tls: bool) -> Result<Self, reqwest::Error> {
        let client = reqwest::Client::builder()
            .https_only(only_tls)
            .redirect(reqwest::redirect::Policy::none());
        Ok(Self(
            client
                .timeout(ANSWER_TIMEOUT.0)
                .connect_timeout(ANSWER_TIMEOUT.1)
                .build()?,
        ))
    }

    async fn ask(&self, request: HttpRequest) -> std::io::Result<HttpResponse> {
        let request = request.try_into().map_err(told_apart)?;
        let mut answer = self.0.execute(request).await.map_err(told_apart)?;
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(told_apart)? {
            body.extend_from_slice(&chunk);
            if body.len() > ANSWER_MAX {
                return Err(std::io::Error::other("its answer is too large"));
            }
        }
        let mut read = HttpResponse::new(body);
        (*read.status_mut(), *read.headers_mut()) =
            (answer.status(), std::mem::take(answer.headers_mut()));
        Ok(read)
    }
}

/// What went wrong, without the address: it has been logged whom it is about.
fn told_apart(error: reqwest::Error) -> std::io::Error {
    std::io::Error::other(error.without_url())
}

impl<'c> AsyncHttpClient<'c> for Wire {
    type Error = std::io::Error;
    type Future = Pin<Box<dyn Future<Output = std::io::Result<HttpResponse>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.ask(request))
    }
}
