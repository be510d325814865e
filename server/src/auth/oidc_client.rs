//! The client of the sign-in provider, by
//! [OpenID Connect](https://openid.net/specs/openid-connect-core-1_0.html).
//!
//! # Guarantees
//! A person is identified only by an ID token that is signed with a key of the provider, and issued
//! for this server and for this sign-in. If the provider must ask the person, the token says when it
//! did.
//!
//! # Not here
//! Requests to the provider (`oidc_provider`, `provider_http`), the browser (`routes::oidc`), and
//! the account that belongs to an identity (`chat`).

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use chat::{OidcIdentity, ProviderProfile};
use openidconnect::core::{
    CoreAuthPrompt, CoreAuthenticationFlow, CoreClient, CoreClientAuthMethod,
    CoreErrorResponseType, CoreIdToken, CoreIdTokenClaims, CoreIdTokenVerifier,
    CoreJwsSigningAlgorithm as Algorithm, CoreProviderMetadata, CoreTokenResponse,
    CoreUserInfoClaims,
};
use openidconnect::{
    AccessToken, AuthType, AuthorizationCode, ClaimsVerificationError, ClientId, ClientSecret,
    CsrfToken, EndpointMaybeSet, EndpointNotSet, EndpointSet, Nonce, OAuth2TokenResponse,
    PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, RequestTokenError, Scope,
    SignatureVerificationError, StandardErrorResponse, SubjectIdentifier, TokenResponse,
};
use protocol::{Refusal, Time};
use serde::{Deserialize, Serialize};
use texts::refusal;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::auth::oidc_provider::{METADATA_MAX_AGE, OidcProvider};
use crate::config::Config;

/// How many sign-ins can be verified at once.
const CONCURRENT_MAX: usize = 32;

/// When a client can retry after [`CONCURRENT_MAX`] was reached.
const RETRY_AFTER: Duration = Duration::from_secs(2);

/// How long ago a person who must sign in at the provider may have done so.
const FRESH: Duration = Duration::from_secs(5 * 60);

/// The longest subject, in bytes ([OpenID Connect Core 1.0, section
/// 2](https://openid.net/specs/openid-connect-core-1_0.html#IDToken)).
const SUBJECT_MAX: usize = 255;

/// The accepted signatures: the asymmetric ones. A symmetric signature could also be made by this
/// server, which knows the secret.
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

/// This server as a client of the configured provider.
#[derive(Debug)]
pub(crate) struct OidcClient {
    provider: OidcProvider,
    id: ClientId,
    secret: Option<ClientSecret>,
    verifying: Semaphore,
}

/// What a sign-in needs when its person returns from the provider. Only the person's browser may
/// know it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct PendingSignIn {
    /// The value that the provider must return with the person.
    pub state: String,
    nonce: Nonce,
    verifier: String,
    /// Whether the person must sign in at the provider, also if the provider knows the browser.
    #[serde(default)]
    is_fresh: bool,
    /// The URL to which the provider sends the person back.
    callback: RedirectUrl,
}

/// An identity that the provider has proved.
#[derive(Debug)]
pub(crate) struct VerifiedIdentity {
    pub identity: OidcIdentity,
    /// When the provider asked the person who it is, if the provider says so.
    pub authenticated_at: Option<Time>,
    /// The profile from the ID token; it may be empty.
    profile: ProviderProfile,
    /// The token with which the profile can be requested.
    access: AccessToken,
}

impl OidcClient {
    /// The client of the provider in the configuration, if there is one.
    pub fn of(config: &Config) -> Option<Self> {
        let issuer = config.oidc_issuer.clone()?;
        let id = config.oidc_client_id.clone()?;
        Some(Self {
            provider: OidcProvider::new(issuer, config.oidc_name.clone()),
            id: ClientId::new(id),
            secret: config
                .client_secret()
                .map(|secret| ClientSecret::new(secret.to_owned())),
            verifying: Semaphore::new(CONCURRENT_MAX),
        })
    }

    /// The provider's name for people.
    pub fn name(&self) -> &str {
        self.provider.name()
    }

    /// The provider's issuer URL, which is part of every identity.
    pub fn issuer(&self) -> &str {
        self.provider.issuer()
    }

    /// Begins a sign-in: the provider's URL for the person's browser, and the values that the
    /// browser keeps until it returns to `callback`. If it `is_fresh`, the provider asks for the
    /// person's credentials.
    ///
    /// # Errors
    /// [`Refusal::ProviderUnavailable`] if the provider does not answer.
    pub async fn begin(
        &self,
        callback: RedirectUrl,
        is_fresh: bool,
        now: Time,
    ) -> Result<(String, PendingSignIn), Refusal> {
        let metadata = self.provider.load_metadata(METADATA_MAX_AGE, now).await?;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let client = self.client(&metadata, callback.clone());
        let flow = CoreAuthenticationFlow::AuthorizationCode;
        let request = client.authorize_url(flow, CsrfToken::new_random, Nonce::new_random);
        let scopes = ["profile", "email"].map(|scope| Scope::new(scope.to_owned()));
        let mut request = request.add_scopes(scopes).set_pkce_challenge(challenge);
        if is_fresh {
            request = request.add_prompt(CoreAuthPrompt::Login).set_max_age(FRESH);
        }
        let (url, state, nonce) = request.url();
        let pending = PendingSignIn {
            state: state.into_secret(),
            nonce,
            verifier: verifier.into_secret(),
            is_fresh,
            callback,
        };
        Ok((url.into(), pending))
    }

    /// Exchanges the code with which a person returned, and verifies the person's identity.
    ///
    /// # Errors
    /// [`Refusal::Malformed`] if the provider no longer accepts the code, [`Refusal::RateLimited`] if
    /// too many people return at once, [`Refusal::ProviderUnavailable`] if the provider does not answer or
    /// sends an invalid response.
    pub async fn finish(
        &self,
        pending: PendingSignIn,
        code: &str,
        now: Time,
    ) -> Result<VerifiedIdentity, Refusal> {
        let _permit: SemaphorePermit<'_> = self
            .verifying
            .try_acquire()
            .map_err(|_| Refusal::RateLimited(RETRY_AFTER))?;
        let metadata = self.provider.load_metadata(METADATA_MAX_AGE, now).await?;
        let response = self.exchange_code(&metadata, &pending, code).await?;
        let token = response
            .id_token()
            .ok_or_else(|| self.provider.refuse_invalid("sent no ID token", None))?;
        let claims = self
            .verify_token(metadata, token, &pending.nonce, now)
            .await?;
        let authenticated_at = claims.auth_time().map(|at| at.timestamp_millis());
        let authenticated_at = authenticated_at.map(Time::from_millis);
        if pending.is_fresh {
            self.require_recent(authenticated_at, now)?;
        }
        let subject = claims.subject().to_string();
        if subject.is_empty() || subject.len() > SUBJECT_MAX {
            return Err(self
                .provider
                .refuse_invalid("sent an ID token with an invalid subject", None));
        }
        let identity = OidcIdentity {
            issuer: self.issuer().to_owned(),
            subject,
        };
        Ok(VerifiedIdentity {
            identity,
            authenticated_at,
            profile: profile_in_token(&claims),
            access: response.access_token().clone(),
        })
    }

    /// Checks that the provider has just asked the person, as `max_age` demands. The token must then
    /// say when ([OpenID Connect Core 1.0, section
    /// 3.1.2.1](https://openid.net/specs/openid-connect-core-1_0.html#AuthRequest)).
    fn require_recent(&self, authenticated_at: Option<Time>, now: Time) -> Result<(), Refusal> {
        let problem = "sent an ID token without auth_time, which max_age demands";
        let at = authenticated_at.ok_or_else(|| self.provider.refuse_invalid(problem, None))?;
        if now.since(at) < FRESH {
            return Ok(());
        }
        let text = refusal::PROVIDER_DID_NOT_ASK.text();
        Err(Refusal::Malformed(text.to_owned()))
    }

    /// The profile of a person: from the ID token, or requested from the provider if the token has
    /// none. It is empty if the provider does not answer.
    pub async fn introduce(&self, verified: VerifiedIdentity, now: Time) -> ProviderProfile {
        if verified.profile != ProviderProfile::default() {
            return verified.profile;
        }
        self.request_user_info(verified, now)
            .await
            .map(|claims| profile_in_user_info(&claims))
            .unwrap_or_default()
    }

    async fn request_user_info(
        &self,
        verified: VerifiedIdentity,
        now: Time,
    ) -> Option<CoreUserInfoClaims> {
        let metadata = self.provider.load_metadata(METADATA_MAX_AGE, now).await;
        let metadata = (*metadata.ok()?).clone();
        let client = CoreClient::from_provider_metadata(metadata, self.id.clone(), None);
        let subject = SubjectIdentifier::new(verified.identity.subject);
        let request = client.user_info(verified.access, Some(subject)).ok()?;
        let http = self.provider.http().await.ok()?;
        let claims: Result<CoreUserInfoClaims, _> = request.request_async(http).await;
        claims
            .map_err(|error| {
                self.provider
                    .log_failure("did not send the profile of a person", Some(&error));
            })
            .ok()
    }

    async fn exchange_code(
        &self,
        metadata: &CoreProviderMetadata,
        pending: &PendingSignIn,
        code: &str,
    ) -> Result<CoreTokenResponse, Refusal> {
        const NO_REQUEST: &str = "cannot be asked to exchange a code";
        let client = self.client(metadata, pending.callback.clone());
        let request = client
            .exchange_code(AuthorizationCode::new(code.to_owned()))
            .map_err(|error| self.provider.refuse_invalid(NO_REQUEST, Some(&error)))?
            .set_pkce_verifier(PkceCodeVerifier::new(pending.verifier.clone()));
        let http = self.provider.http().await;
        let http = http.map_err(|error| self.provider.refuse_invalid(NO_REQUEST, Some(&error)))?;
        let response = request.request_async(http).await;
        response.map_err(|error| self.refuse_exchange(&error))
    }

    /// The refusal of a sign-in whose code was not exchanged.
    fn refuse_exchange(&self, error: &ExchangeError) -> Refusal {
        match error {
            RequestTokenError::ServerResponse(response)
                if *response.error() == CoreErrorResponseType::InvalidGrant =>
            {
                self.provider
                    .log_failure("does not accept a code that has ended or was used", None);
                Refusal::Malformed(refusal::SIGN_IN_OVER.text().to_owned())
            }
            RequestTokenError::Request(_) => self.provider.refuse_unanswered(error),
            _ => self
                .provider
                .refuse_invalid("did not exchange a code", Some(error)),
        }
    }

    /// The claims of an ID token that is valid. If its key is unknown, the keys are requested
    /// again.
    async fn verify_token(
        &self,
        metadata: Arc<CoreProviderMetadata>,
        token: &CoreIdToken,
        nonce: &Nonce,
        now: Time,
    ) -> Result<CoreIdTokenClaims, Refusal> {
        let unknown_key = ClaimsVerificationError::SignatureVerification(
            SignatureVerificationError::NoMatchingKey,
        );
        let verified = match self.verify_with_keys(&metadata, token, nonce, now) {
            Err(error) if error == unknown_key => {
                let metadata = self.provider.load_metadata(Duration::ZERO, now).await?;
                self.verify_with_keys(&metadata, token, nonce, now)
            }
            verified => verified,
        };
        verified.map_err(|error| {
            self.provider
                .refuse_invalid("sent an invalid ID token", Some(&error))
        })
    }

    fn verify_with_keys(
        &self,
        metadata: &CoreProviderMetadata,
        token: &CoreIdToken,
        nonce: &Nonce,
        now: Time,
    ) -> Result<CoreIdTokenClaims, ClaimsVerificationError> {
        let keys = metadata.jwks().clone();
        let now = UNIX_EPOCH + now.since(Time::EPOCH);
        // The verifier of a public client has no secret, so it accepts no signature made with one.
        let verifier = CoreIdTokenVerifier::new_public_client(
            self.id.clone(),
            self.provider.issuer().clone(),
            keys,
        )
        .set_allowed_algs(ALGORITHMS)
        .set_time_fn(move || now.into());
        token.claims(&verifier, nonce).cloned()
    }

    fn client(&self, metadata: &CoreProviderMetadata, callback: RedirectUrl) -> Client {
        // The default, if the metadata names no method, is the header.
        let methods = metadata.token_endpoint_auth_methods_supported();
        let is_header_supported = methods
            .is_none_or(|methods| methods.contains(&CoreClientAuthMethod::ClientSecretBasic));
        let auth_type = if is_header_supported {
            AuthType::BasicAuth
        } else {
            AuthType::RequestBody
        };
        CoreClient::from_provider_metadata(metadata.clone(), self.id.clone(), self.secret.clone())
            .set_redirect_uri(callback)
            .set_auth_type(auth_type)
    }
}

/// The profile in an ID token.
fn profile_in_token(claims: &CoreIdTokenClaims) -> ProviderProfile {
    ProviderProfile {
        username: claims.preferred_username().map(|name| name.to_string()),
        email: claims.email().map(|email| email.to_string()),
        name: claims
            .name()
            .and_then(|name| name.get(None))
            .map(|name| name.to_string()),
    }
}

/// The profile in the provider's response to a request for it.
fn profile_in_user_info(claims: &CoreUserInfoClaims) -> ProviderProfile {
    ProviderProfile {
        username: claims.preferred_username().map(|name| name.to_string()),
        email: claims.email().map(|email| email.to_string()),
        name: claims
            .name()
            .and_then(|name| name.get(None))
            .map(|name| name.to_string()),
    }
}
