//! `/login/openid/`: signing in by a provider, and linking the provider to an account.
//!
//! # Guarantees
//! The browser that returns from the provider is the browser that left, because only that one has
//! the cookie; it returns once, within ten minutes. Linking starts with a confirmation by the
//! account (`provider_link`): otherwise another site, or a stolen session, could link another
//! person's identity to the account. A person who signs in again is asked by the provider, and a
//! session knows when the provider asked.
//!
//! # Not here
//! The provider (`auth::oidc_client`), and accounts (`chat`).

use std::net::SocketAddr;
use std::time::Duration;

use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, header};
use axum::response::{AppendHeaders, IntoResponse, Redirect, Response};
use chat::{Person, Session};
use openidconnect::RedirectUrl;
use protocol::{Problem, Refusal};
use serde::{Deserialize, Serialize};
use texts::refusal;

use crate::auth::oidc_client::{OidcClient, PendingSignIn, VerifiedIdentity};
use crate::error::Error;
use crate::extract::caller::Caller;
use crate::extract::cookies::{
    SIGN_IN, SIGN_IN_LIFETIME, read_cookie, session_cookie, sign_in_cookie,
};
use crate::extract::https::{Https, site_origin};
use crate::extract::next::local_path;
use crate::extract::query::Query;
use crate::openapi::responses::{
    ProviderRefused, QueryRefused, RateLimited, SignInRefused, StorageRefused,
};
use crate::respond::form_page;
use crate::respond::negotiated::Format;
use crate::routes::accounts::claim_guest_of;
use crate::state::AppState;

/// Where the provider sends the browser back to.
const CALLBACK: &str = "/login/openid/callback";

/// The purpose of the seal on a confirmed link to the provider.
const LINKING: &str = "openid-link";

/// How long a person can take to follow a confirmed link to the provider.
const LINK_LIFETIME: Duration = Duration::from_secs(5 * 60);

/// The longest `next` in bytes: browsers drop cookies above 4,096.
const NEXT_MAX: usize = 2_000;

/// The state of a sign-in, which the browser keeps while its person is at the provider.
#[derive(Debug, Serialize, Deserialize)]
struct Pending {
    sign_in: PendingSignIn,
    next: String,
    /// For linking: the username of the account.
    link: Option<String>,
    /// For signing in again: the username of the account.
    #[serde(default)]
    again: Option<String>,
}

/// Sends a browser to the provider to sign in there.
///
/// The provider sends it back to `/login/openid/callback`, which signs the caller in and redirects
/// to `next`.
#[utoipa::path(get, path = "/login/openid/", tag = "people",
    params(
        ("next" = Option<String>, Query,
            description = "Where the browser goes afterwards: a path of this site"),
        ("link" = Option<String>, Query,
            description = "From `/profile/link/`: links the provider to the account instead"),
        ("again" = Option<bool>, Query,
            description = "For a caller who is signed in: signs in again to the same account"),
    ),
    responses(
        (status = 303, description = "To the provider; to `next` for a caller who is signed in"),
        SignInRefused,
        QueryRefused,
        ProviderRefused,
    ))]
pub(crate) async fn begin_oidc_sign_in(
    State(state): State<AppState>,
    https: Https,
    headers: HeaderMap,
    caller: Result<Caller, Error>,
    query: Result<Query, Error>,
) -> Result<Response, Error> {
    let provider = state.provider()?;
    let Caller(by) = caller?;
    let query = query?;
    let next = local_path(query.text("next"));
    let link = query.text("link");
    let link = link
        .map(|sealed| unseal_link(&state, &by, sealed))
        .transpose()?;
    let is_link = link.is_some();
    let account = by.account().map(|account| account.username().to_owned());
    let again = account.clone().filter(|_| query.text("again").is_some());
    if !is_link && again.is_none() && account.is_some() {
        return Ok(Redirect::to(next).into_response());
    }
    let purpose = Purpose { link, again };
    let sent = send_to_provider(&state, provider, https, &headers, next, purpose).await;
    sent.or_else(|error| show_refusal(&headers, provider, error, next, is_link))
}

/// What else than signing in a person wants at the provider, with the username of the account.
struct Purpose {
    link: Option<String>,
    again: Option<String>,
}

async fn send_to_provider(
    state: &AppState,
    provider: &OidcClient,
    https: Https,
    headers: &HeaderMap,
    next: &str,
    Purpose { link, again }: Purpose,
) -> Result<Response, Error> {
    let callback = callback_url(state, https, headers)?;
    let is_fresh = again.is_some();
    let begun = provider.begin(callback, is_fresh, state.chat.now());
    let (url, sign_in) = begun.await?;
    let next = if next.len() > NEXT_MAX { "/" } else { next };
    let pending = Pending {
        sign_in,
        next: next.to_owned(),
        link,
        again,
    };
    let sealed = state.chat.seal(SIGN_IN, &pending, SIGN_IN_LIFETIME)?;
    let cookie = sign_in_cookie(&sealed, SIGN_IN_LIFETIME);
    Ok(([(header::SET_COOKIE, cookie)], Redirect::to(&url)).into_response())
}

/// Receives a browser that returns from the provider.
#[utoipa::path(get, path = "/login/openid/callback", tag = "people",
    params(
        ("state" = Option<String>, Query,
            description = "The state that the browser took to the provider"),
        ("code" = Option<String>, Query,
            description = "The code that the provider exchanges for its ID token"),
        ("error" = Option<String>, Query, description = "Why the provider does not sign in"),
        ("iss" = Option<String>, Query, description = "The provider's issuer (RFC 9207)"),
    ),
    responses(
        (status = 303, description = "Signed in: to `next`"),
        (status = 400,
            description = "The sign-in began in another browser, or has ended",
            body = Problem, content_type = "application/problem+json"),
        (status = 403,
            description = "The person did not allow the sign-in, or has signed in as another one",
            body = Problem, content_type = "application/problem+json"),
        (status = 409,
            description = "The identity is linked to another account",
            body = Problem, content_type = "application/problem+json"),
        SignInRefused,
        RateLimited,
        StorageRefused,
        ProviderRefused,
    ))]
pub(crate) async fn finish_oidc_sign_in(
    State(state): State<AppState>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    query: Result<Query, Error>,
) -> Response {
    let answer = finish_or_show_refusal(&state, peer, &headers, query).await;
    // Whatever the answer is: a browser returns once.
    let forget = AppendHeaders([(header::SET_COOKIE, sign_in_cookie("", Duration::ZERO))]);
    (forget, answer).into_response()
}

async fn finish_or_show_refusal(
    state: &AppState,
    peer: SocketAddr,
    headers: &HeaderMap,
    query: Result<Query, Error>,
) -> Result<Response, Error> {
    let provider = state.provider()?;
    let query = query?;
    let pending = read_cookie(headers, SIGN_IN)
        .and_then(|sealed| state.chat.unseal::<Pending>(SIGN_IN, sealed));
    let next = pending
        .as_ref()
        .map_or("/", |pending| &pending.next)
        .to_owned();
    let is_link = pending
        .as_ref()
        .is_some_and(|pending| pending.link.is_some());
    let returned = Return {
        state,
        provider,
        peer,
        headers,
    };
    let answer = returned.finish(pending, &query).await;
    answer.or_else(|error| show_refusal(headers, provider, error, &next, is_link))
}

/// A request of a browser that returns from the provider.
struct Return<'a> {
    state: &'a AppState,
    provider: &'a OidcClient,
    peer: SocketAddr,
    headers: &'a HeaderMap,
}

impl Return<'_> {
    /// Signs in or links the person whom the provider has verified.
    async fn finish(&self, pending: Option<Pending>, query: &Query) -> Result<Response, Error> {
        let pending = pending.ok_or_else(ended)?;
        let is_same_state = query.text("state") == Some(&pending.sign_in.state);
        let issuer = query.text("iss");
        let is_same_issuer = issuer.is_none_or(|issuer| issuer == self.provider.issuer());
        if !is_same_state || !is_same_issuer {
            return Err(ended().into());
        }
        if let Some(error) = query.text("error") {
            return Err(refusal_of(self.provider, error).into());
        }
        let code = query.text("code").ok_or_else(ended)?;
        let limits = &self.state.limits;
        limits.check_oidc_sign_in(self.peer.ip()).await?;
        let now = self.state.chat.now();
        let verified = self.provider.finish(pending.sign_in, code, now).await?;
        let answer = match pending.link {
            Some(username) => self.link(&username, &verified, &pending.next).await?,
            None => {
                let session = match &pending.again {
                    Some(username) => self.sign_in_again(username, &verified).await?,
                    None => self.sign_in(verified).await?,
                };
                let cookie = [(header::SET_COOKIE, session_cookie(&session))];
                let redirect = Redirect::to(local_path(Some(&pending.next)));
                (cookie, redirect).into_response()
            }
        };
        limits.forgive_oidc_sign_in(self.peer.ip()).await;
        Ok(answer)
    }

    /// Signs in the account of an identity. A new identity gets an account, which takes over the
    /// browser's guest.
    async fn sign_in(&self, verified: VerifiedIdentity) -> Result<Session, Error> {
        let chat = &self.state.chat;
        if let Some(session) = chat
            .sign_in_with_identity(&verified.identity, verified.authenticated_at)
            .await?
        {
            return Ok(session);
        }
        self.state.limits.check_sign_up(self.peer.ip()).await?;
        let identity = verified.identity.clone();
        let authenticated_at = verified.authenticated_at;
        let introduction = self.provider.introduce(verified, chat.now()).await;
        let session = chat
            .register_with_identity(&identity, &introduction, authenticated_at)
            .await?;
        claim_guest_of(self.state, self.headers, &session).await?;
        Ok(session)
    }

    /// Signs in again to the account of a caller who is signed in.
    async fn sign_in_again(
        &self,
        username: &str,
        verified: &VerifiedIdentity,
    ) -> Result<Session, Error> {
        let chat = &self.state.chat;
        let session = chat
            .sign_in_with_identity(&verified.identity, verified.authenticated_at)
            .await?;
        let session = session.filter(|session| session.account.username() == username);
        let text = refusal::NOT_YOUR_IDENTITY;
        Ok(session.ok_or(Refusal::Forbidden(text))?)
    }

    /// Links an identity to the account that asked for it, if the caller is still signed in to that
    /// account.
    async fn link(
        &self,
        username: &str,
        verified: &VerifiedIdentity,
        next: &str,
    ) -> Result<Response, Error> {
        let Caller(by) = Caller::of(self.headers, self.state).await?;
        if by.require_account()?.username() != username {
            return Err(Refusal::NotSignedIn.into());
        }
        self.state
            .chat
            .link_identity(&by, &verified.identity)
            .await?;
        let next = app::percent_encode(local_path(Some(next)));
        let page = format!("/profile/?changed=linked&next={next}");
        Ok(Redirect::to(&page).into_response())
    }
}

fn ended() -> Refusal {
    Refusal::Malformed(refusal::SIGN_IN_ELSEWHERE.text().to_owned())
}

/// The address at which a person who has confirmed it links the provider to the account.
///
/// # Errors
/// [`Refusal::NotSignedIn`], or a fault.
pub(crate) fn link_address(
    state: &AppState,
    by: &Person,
    next: Option<&str>,
) -> Result<String, Error> {
    let username = by.require_account()?.username();
    let link = state.chat.seal(LINKING, &username, LINK_LIFETIME)?;
    let next = app::percent_encode(local_path(next));
    Ok(format!("/login/openid/?next={next}&link={link}"))
}

/// The username that wants to link, if it is the caller's.
fn unseal_link(state: &AppState, by: &Person, sealed: &str) -> Result<String, Refusal> {
    let username = by.require_account()?.username();
    let wanted = state.chat.unseal::<String>(LINKING, sealed);
    wanted
        .filter(|wanted| wanted == username)
        .ok_or_else(|| Refusal::Malformed(refusal::CONFIRMATION_TOO_OLD.text().to_owned()))
}

/// The address to which the provider sends the browser back: below the configured public address,
/// else below the address that the browser used. The provider accepts only addresses that the
/// operator has registered.
fn callback_url(
    state: &AppState,
    https: Https,
    headers: &HeaderMap,
) -> Result<RedirectUrl, Refusal> {
    let site = state.public_url.clone();
    let site = site.or_else(|| site_origin(headers, https));
    let site = site.ok_or_else(|| {
        Refusal::Malformed("The header Host is missing, or is not a host.".to_owned())
    })?;
    RedirectUrl::new(format!("{site}{CALLBACK}"))
        .map_err(|error| Refusal::Malformed(format!("The address is not valid: {error}.")))
}

/// The refusal of a sign-in that the provider has refused.
fn refusal_of(provider: &OidcClient, error: &str) -> Refusal {
    if error == "access_denied" {
        return Refusal::Forbidden(refusal::NOT_ALLOWED_BY_YOU);
    }
    let error: String = error.chars().take(40).collect();
    tracing::warn!(
        issuer = provider.issuer(),
        ?error,
        "the provider refused a sign-in"
    );
    Refusal::ProviderUnavailable(refusal::PROVIDER_CANNOT.fill([provider.name()]))
}

/// For clients that prefer pages: why the sign-in failed, and what else the person can do.
fn show_refusal(
    headers: &HeaderMap,
    provider: &OidcClient,
    error: Error,
    next: &str,
    is_link: bool,
) -> Result<Response, Error> {
    let is_html = Format::of(headers).is_html();
    let Some(refusal) = error.refusal().filter(|_| is_html) else {
        return Err(error);
    };
    let sheet = form_page::sheet(headers, Some(next));
    let html = app::sign_in_refused_page(&sheet, provider.name(), &refusal.to_string(), is_link);
    Ok(form_page::error_page(error, html))
}
