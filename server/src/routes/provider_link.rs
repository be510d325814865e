//! `/profile/link/` and `/profile/unlink/`: the link of an account to the provider of sign-in.
//!
//! # Guarantees
//! A session alone links no identity: the caller confirms it by the password, or, without one, by
//! having signed in just now.
//!
//! # Not here
//! The way to the provider and back (`oidc`).

use std::net::SocketAddr;

use app::ProfileChange;
use axum::extract::{ConnectInfo, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use chat::Person;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::error::Error;
use crate::extract::caller::Caller;
use crate::extract::next::Next;
use crate::extract::payload::Payload;
use crate::openapi::responses::{
    AccountRefused, BodyRefused, FreshSessionRefused, PasswordRefused, ProviderRefused,
};
use crate::respond::form_page;
use crate::respond::negotiated::{self, Format};
use crate::routes::oidc::link_address;
use crate::routes::profile::{redirect_changed, rerender_profile};
use crate::state::AppState;

/// The confirmation that the account may be linked.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct LinkProvider {
    /// The password; required if the account has one.
    #[serde(default)]
    current: String,
}

/// Where a browser links the account.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ProviderLink {
    /// A path of this site, for a browser that is signed in to the account; valid for five minutes.
    path: String,
}

/// Confirms that the caller's account may be linked to the provider of sign-in.
///
/// The answer contains the path at which the browser goes to the provider. An account without a
/// password needs a session that has begun in the last five minutes instead.
#[utoipa::path(post, path = "/profile/link/", tag = "people",
    request_body(content(
        (LinkProvider = "application/json"),
        (LinkProvider = "application/x-www-form-urlencoded"),
    )),
    responses(
        (status = 200,
            description = "Where the browser links the account",
            content((ProviderLink = "application/json"), (String = "text/html"))),
        AccountRefused,
        BodyRefused,
        FreshSessionRefused,
        PasswordRefused,
        ProviderRefused,
    ), security(("token" = [])))]
pub(crate) async fn link_provider(
    State(state): State<AppState>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Caller(by): Caller,
    format: Format,
    headers: HeaderMap,
    payload: Payload<LinkProvider>,
) -> Result<Response, Error> {
    by.require_account()?;
    let provider = state.provider()?.name();
    let confirmed = async {
        let path = confirm(&state, peer, &by, &payload).await?;
        let sheet = form_page::sheet_of(&state, &by, &headers, payload.next()).await?;
        Ok((path, sheet))
    };
    format
        .answer(
            confirmed.await,
            |(path, sheet)| form_page::show(app::provider_link_page(sheet, provider, path)),
            |(path, _)| negotiated::json(ProviderLink { path }),
            async |error| {
                rerender_profile(&state, &by, &headers, &payload, error, |_| "current").await
            },
        )
        .await
}

/// Checks the confirmation. Returns the path at which the browser links the account.
async fn confirm(
    state: &AppState,
    peer: SocketAddr,
    by: &Person,
    payload: &Payload<LinkProvider>,
) -> Result<String, Error> {
    let password = payload.read()?.current;
    let username = by.require_account()?.username();
    let limits = &state.limits;
    let client = limits.admit_passwords(peer.ip(), &[&password])?;
    limits.check_password(username).await?;
    state.chat.confirm_identity(by, &password, client).await?;
    limits.forgive_password(username).await;
    link_address(state, by, payload.next())
}

/// Unlinks the caller's account from the provider of sign-in; an account without a password cannot
/// be unlinked.
#[utoipa::path(post, path = "/profile/unlink/", tag = "people",
    responses(
        (status = 204, description = "The account is unlinked"),
        (status = 303, description = "Back to the profile, for clients that prefer pages"),
        (status = 403,
            description = "The account has no password",
            body = protocol::Problem, content_type = "application/problem+json"),
        AccountRefused,
        ProviderRefused,
    ), security(("token" = [])))]
pub(crate) async fn unlink_provider(
    State(state): State<AppState>,
    Caller(by): Caller,
    format: Format,
    Next(next): Next,
) -> Result<Response, Error> {
    by.require_account()?;
    state
        .chat
        .unlink_identity(&by, state.provider()?.issuer())
        .await?;
    match format {
        Format::Html => {
            Ok(redirect_changed(ProfileChange::Unlinked, next.as_deref()).into_response())
        }
        Format::Json => Ok(negotiated::no_content()),
    }
}
