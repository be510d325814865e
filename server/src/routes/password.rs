//! `/profile/password/`: the password of the caller's account.

use std::net::SocketAddr;

use app::ProfileChange;
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use chat::{IdentityLinks, Person, Session};
use protocol::Refusal;
use protocol::schema::Password;
use serde::Deserialize;
use texts::refusal;
use utoipa::ToSchema;

use crate::error::Error;
use crate::extract::caller::Caller;
use crate::extract::cookies::session_cookie;
use crate::extract::payload::Payload;
use crate::openapi::responses::{
    AccountRefused, BodyRefused, FreshSessionRefused, PasswordRefused,
};
use crate::respond::negotiated::{self, Format};
use crate::routes::guests::Token;
use crate::routes::profile::{redirect_changed, rerender_profile};
use crate::state::AppState;

/// A new password for the caller.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct ChangePassword {
    /// The new password.
    #[schema(value_type = Password)]
    new: String,
    /// The current password; required if the account has one.
    old: Option<String>,
    /// Whether the identities at providers no longer sign in to the account; `false` by default.
    #[serde(default)]
    unlink: bool,
}

/// Changes the caller's password, or sets the first one, and ends every other session and token.
///
/// The first one needs a session that has begun in the last five minutes.
#[utoipa::path(post, path = "/profile/password/", tag = "people",
    request_body(content(
        (ChangePassword = "application/json"),
        (ChangePassword = "application/x-www-form-urlencoded"),
    )),
    responses(
        (status = 200, description = "The new token", body = Token),
        (status = 303, description = "Back to the profile, for clients that prefer pages"),
        AccountRefused,
        FreshSessionRefused,
        BodyRefused,
        PasswordRefused,
    ), security(("token" = [])))]
pub(crate) async fn change_password(
    State(state): State<AppState>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Caller(by): Caller,
    format: Format,
    headers: HeaderMap,
    payload: Payload<ChangePassword>,
) -> Result<Response, Error> {
    by.require_account()?;
    let session = apply_password(&state, peer, &by, &payload).await;
    format
        .answer(
            session,
            |session| {
                let cookie = [(header::SET_COOKIE, session_cookie(session))];
                let is_common = payload
                    .raw("new")
                    .is_some_and(|new| state.chat.is_common_password(new));
                let changed = match is_common {
                    true => ProfileChange::CommonPassword,
                    false => ProfileChange::Password,
                };
                let redirect = redirect_changed(changed, payload.next());
                (cookie, redirect).into_response()
            },
            |session| {
                negotiated::json(Token {
                    token: session.token,
                })
            },
            async |error| {
                let place = |field: Option<&str>| if field.is_some() { "new" } else { "old" };
                rerender_profile(&state, &by, &headers, &payload, error, place).await
            },
        )
        .await
}

async fn apply_password(
    state: &AppState,
    peer: SocketAddr,
    by: &Person,
    payload: &Payload<ChangePassword>,
) -> Result<Session, Error> {
    let wish = payload.read()?;
    let limits = &state.limits;
    if !state.chat.load_sign_in_methods(by).await?.password {
        let client = limits.admit_passwords(peer.ip(), &[&wish.new])?;
        return Ok(state.chat.set_first_password(by, &wish.new, client).await?);
    }
    let old = wish
        .old
        .ok_or_else(|| Refusal::invalid("old", refusal::RULE_MISSING.text()))?;
    let links = if wish.unlink {
        IdentityLinks::Remove
    } else {
        IdentityLinks::Keep
    };
    let client = limits.admit_passwords(peer.ip(), &[&old, &wish.new])?;
    limits
        .check_password(by.require_account()?.username())
        .await?;
    let session = state
        .chat
        .change_password(by, &old, &wish.new, links, client)
        .await?;
    limits.forgive_password(session.account.username()).await;
    Ok(session)
}
