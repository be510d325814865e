//! `/login/openid/`: signing in by a provider, and linking it to an account.
//!
//! Promises: whoever comes back is the browser that left, because only that one has the cookie; it comes back once, and
//! soon. Linking begins on the profile page and nowhere else, or another site could link its owner's account there to
//! yours. Leaves to others: the provider (`provider`), and accounts (`chat`).

use std::net::SocketAddr;
use std::time::Duration;

use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, header};
use axum::response::{AppendHeaders, IntoResponse, Redirect, Response};
use chat::{Person, Session};
use openidconnect::RedirectUrl;
use protocol::{Problem, Refusal};
use serde::{Deserialize, Serialize};

use crate::auth::oidc_client::{OidcClient, PendingSignIn, VerifiedIdentity};
use crate::error::Error;
use crate::extract::caller::Caller;
use crate::extract::cookies::{cookie, keep, session_cookie};
use crate::extract::https::Https;
use crate::extract::next::local_path;
use crate::extract::payload::{Fields, Query};
use crate::extract::{accept, caller, https};
use crate::respond::form_page;
use crate::state::AppState;

/// Where all this is; the cookie is shown nowhere else.
const HERE: &str = "/login/openid/";

/// Where the provider sends people back to.
const BACK: &str = "/login/openid/callback";

/// The cookie of a browser that has gone to the provider, and what is sealed in it.
const BEGUN: &str = "openid";

/// What is sealed in the link by which somebody links the provider to their account.
const LINKING: &str = "openid-link";

/// How long somebody may take at the provider.
const AWAY: Duration = Duration::from_secs(10 * 60);

/// How long the profile page may stay open before one links from it.
const OPEN: Duration = Duration::from_secs(60 * 60);

/// The longest place to go on to, in bytes: browsers drop cookies above 4,096.
const NEXT_MAX: usize = 2_000;

/// What a browser keeps while its person is at the provider.
#[derive(Debug, Serialize, Deserialize)]
struct Away {
    begun: PendingSignIn,
    next: String,
    /// The username of who wants to link, if that is what this is for.
    link: Option<String>,
}

/// Sends a browser to the provider to sign in there.
///
/// It comes back to `/login/openid/callback`, and from there it goes on to `next`, signed in like anybody else.
#[utoipa::path(get, path = "/login/openid/", tag = "people",
    params(
        ("next" = Option<String>, Query, description = "Where to go on afterwards: a path of this site"),
        ("link" = Option<String>, Query, description = "From the profile page: links the provider to the account instead"),
    ),
    responses(
        (status = 303, description = "To the provider; to where one wanted to go on, for whoever is signed in"),
        (status = 400, description = "Malformed query, or the page that led here is too old", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "Not signed in, or the token is not good", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "This server has no provider", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The provider does not answer", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn begin_oidc_sign_in(
    State(state): State<AppState>,
    secure: Https,
    headers: HeaderMap,
    caller: Result<Caller, Error>,
    query: Result<Query, Error>,
) -> Result<Response, Error> {
    let provider = state.provider()?;
    let (Caller(by), Query(query)) = (caller?, query?);
    let next = local_path(query.text("next")?);
    let link = query
        .text("link")?
        .map(|sealed| linking(&state, &by, sealed))
        .transpose()?;
    if link.is_none() && by.account().is_some() {
        return Ok(Redirect::to(next).into_response());
    }
    let sent = async {
        let back = back(&state, secure, &headers)?;
        let (url, begun) = provider.begin(back, state.chat.now()).await?;
        let next = if next.len() > NEXT_MAX { "/" } else { next };
        let away = Away {
            begun,
            next: next.to_owned(),
            link: link.clone(),
        };
        let cookie = kept(&state.chat.seal(BEGUN, &away, AWAY)?, AWAY);
        Ok(([(header::SET_COOKIE, cookie)], Redirect::to(&url)).into_response())
    };
    let sent: Result<Response, Error> = sent.await;
    sent.or_else(|error| refused(&headers, provider, error, next, link.is_some()))
}

/// Takes in a browser that comes back from the provider.
#[utoipa::path(get, path = "/login/openid/callback", tag = "people",
    params(
        ("state" = Option<String>, Query, description = "What the browser went with"),
        ("code" = Option<String>, Query, description = "What the provider gives away its ID token for"),
        ("error" = Option<String>, Query, description = "Why it does not"),
        ("iss" = Option<String>, Query, description = "Which provider it is (RFC 9207)"),
    ),
    responses(
        (status = 303, description = "Signed in: to where one wanted to go on"),
        (status = 400, description = "It is not this browser that began, or it is over", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "Not signed in any more as who wanted to link", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "The provider was not allowed to", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "This server has no provider", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "It is linked to another account", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too many attempts", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The provider does not answer, or not as agreed", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn finish_oidc_sign_in(
    State(state): State<AppState>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    query: Result<Query, Error>,
) -> Result<Response, Error> {
    let provider = state.provider()?;
    let Query(query) = query?;
    let away = cookie(&headers, BEGUN).and_then(|sealed| state.chat.unseal::<Away>(BEGUN, sealed));
    let (next, links) = away.as_ref().map_or(("/".to_owned(), false), |away| {
        (away.next.clone(), away.link.is_some())
    });
    let came = come_back(&state, provider, peer, &headers, away, &query).await;
    let answer = came.or_else(|error| refused(&headers, provider, error, &next, links))?;
    // Whatever came of it: one comes back once.
    Ok((
        AppendHeaders([(header::SET_COOKIE, kept("", Duration::ZERO))]),
        answer,
    )
        .into_response())
}

async fn come_back(
    state: &AppState,
    provider: &OidcClient,
    peer: SocketAddr,
    headers: &HeaderMap,
    away: Option<Away>,
    query: &Fields,
) -> Result<Response, Error> {
    const OVER: &str =
        "This sign-in was begun in another browser, is over, or took more than ten minutes.";
    let over = || Refusal::Malformed(OVER.to_owned());
    let Away { begun, next, link } = away.ok_or_else(over)?;
    let is_ours = query.text("state")? == Some(&begun.state);
    let is_theirs = query
        .text("iss")?
        .is_none_or(|issuer| issuer == provider.issuer());
    if !is_ours || !is_theirs {
        return Err(over().into());
    }
    if let Some(error) = query.text("error")? {
        return Err(denied(provider, error).into());
    }
    let code = query.text("code")?.ok_or_else(over)?;
    state.limits.check_oidc_sign_in(peer.ip())?;
    let named = provider.finish(begun, code, state.chat.now()).await?;
    let answer = match link {
        Some(username) => link_to(state, headers, &username, &named, &next).await?,
        None => {
            let session = sign_in(state, provider, peer, headers, named).await?;
            (
                [(header::SET_COOKIE, session_cookie(&session))],
                Redirect::to(local_path(Some(&next))),
            )
                .into_response()
        }
    };
    state.limits.forgive_oidc_sign_in(peer.ip());
    Ok(answer)
}

/// Signs in whom the provider has named; who is new gets an account, and what this browser's guest was.
async fn sign_in(
    state: &AppState,
    provider: &OidcClient,
    peer: SocketAddr,
    headers: &HeaderMap,
    named: VerifiedIdentity,
) -> Result<Session, Error> {
    if let Some(session) = state.chat.sign_in_with_identity(&named.identity).await? {
        return Ok(session);
    }
    state.limits.check_sign_up(peer.ip())?;
    let identity = named.identity.clone();
    let about = provider.introduce(named, state.chat.now()).await;
    let session = state.chat.register_with_identity(&identity, &about).await?;
    if let Some(guest) = caller::guest(headers, state).await {
        state
            .chat
            .merge_guest(&session.account.clone().into(), &guest)
            .await?;
    }
    Ok(session)
}

/// Links whom the provider has named to the account of who wanted that, if they are still signed in.
async fn link_to(
    state: &AppState,
    headers: &HeaderMap,
    username: &str,
    named: &VerifiedIdentity,
    next: &str,
) -> Result<Response, Error> {
    let Caller(by) = Caller::of(headers, state).await?;
    if by.require_account()?.username() != username {
        return Err(Refusal::NotSignedIn.into());
    }
    state.chat.link_identity(&by, &named.identity).await?;
    Ok(Redirect::to(&format!(
        "/profile/?changed=linked&next={}",
        app::percent_encode(local_path(Some(next)))
    ))
    .into_response())
}

/// What the profile page's link to here carries: whose page it is.
///
/// # Errors
/// [`Refusal::NotSignedIn`], or a fault.
pub(crate) fn link(state: &AppState, by: &Person) -> Result<String, Error> {
    Ok(state
        .chat
        .seal(LINKING, &by.require_account()?.username(), OPEN)?)
}

/// Who wants to link, if that is who is signed in.
fn linking(state: &AppState, by: &Person, sealed: &str) -> Result<String, Refusal> {
    let username = by.require_account()?.username();
    let asked = state
        .chat
        .unseal::<String>(LINKING, sealed)
        .filter(|asked| asked == username);
    asked.ok_or_else(|| {
        Refusal::Malformed(
            "That page is too old. Begin anew on the page of your account.".to_owned(),
        )
    })
}

/// Where the provider is to send people back to: where the operator says this server is, else where the browser found it.
/// Only addresses that the operator has given to the provider are taken by it.
fn back(state: &AppState, secure: Https, headers: &HeaderMap) -> Result<RedirectUrl, Refusal> {
    let site = state
        .public_url
        .clone()
        .or_else(|| https::site_origin(headers, secure));
    let site = site.ok_or_else(|| {
        Refusal::Malformed("The header Host is missing, or is not a host.".to_owned())
    })?;
    RedirectUrl::new(format!("{site}{BACK}"))
        .map_err(|error| Refusal::Malformed(format!("The address is none: {error}.")))
}

/// What became of it if the provider says no.
fn denied(provider: &OidcClient, error: &str) -> Refusal {
    if error == "access_denied" {
        return Refusal::Forbidden("You did not allow it, so nobody is signed in.");
    }
    let said: String = error.chars().take(40).collect();
    tracing::warn!(issuer = provider.issuer(), error = ?said, "the provider of sign-in signs nobody in");
    Refusal::Provider(format!(
        "{} does not sign anybody in at the moment. Try again a little later.",
        provider.name()
    ))
}

fn kept(sealed: &str, lifetime: Duration) -> String {
    keep(BEGUN, sealed, HERE, lifetime)
}

/// A page that says why nobody was signed in, and what else to do, for clients that ask for pages.
fn refused(
    headers: &HeaderMap,
    provider: &OidcClient,
    error: Error,
    next: &str,
    links: bool,
) -> Result<Response, Error> {
    let Some(refusal) = error.refusal().filter(|_| accept::prefers_html(headers)) else {
        return Err(error);
    };
    let html = app::sign_in_refused_page(
        &form_page::sheet(headers, Some(next)),
        provider.name(),
        &refusal.to_string(),
        links,
    );
    Ok(form_page::instead(error, html))
}
