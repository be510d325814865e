//! `/profile/` and the routes below it: the caller's own account.
//!
//! # Not here
//! The end of a session (`sign_out`), the password, and the provider of sign-in (`provider_link`).

use std::net::SocketAddr;

use app::{LinkedIdentity, LinkedProvider, ProfileChange, SignInOptions};
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use chat::Person;
use protocol::schema::PersonName;
use protocol::{Account, Refusal, Time};
use serde::{Deserialize, Serialize};
use texts::refusal;
use utoipa::ToSchema;

use crate::auth::oidc_client::OidcClient;
use crate::error::Error;
use crate::extract::caller::{Caller, account_of};
use crate::extract::next::local_path;
use crate::extract::payload::Payload;
use crate::extract::query::Query;
use crate::openapi::responses::{
    AccountRefused, BodyRefused, PasswordRefused, QueryRefused, SignInRefused,
};
use crate::respond::form_page;
use crate::respond::negotiated::{self, Format};
use crate::routes::sign_out::answer_signed_out;
use crate::state::AppState;

/// The caller's account.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Profile {
    /// The owner's name, for display.
    name: String,
    /// The name under which the owner writes.
    username: String,
    /// The ways in which the owner can sign in.
    sign_in_methods: Vec<SignInMethod>,
}

/// A way to sign in to an account.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub(crate) enum SignInMethod {
    /// The password.
    Password {
        /// When it was set; `null` if that is not known.
        #[schema(value_type = Option<String>, format = DateTime)]
        added_at: Option<Time>,
    },
    /// An identity at a provider.
    Provider {
        /// The provider.
        issuer: String,
        /// When the account was linked to it.
        #[schema(value_type = String, format = DateTime)]
        added_at: Time,
    },
}

/// Shows the caller's account.
#[utoipa::path(get, path = "/profile/", tag = "people",
    params(
        ("changed" = Option<String>, Query,
            description = "For the page: the last change, `name`, `password`, `common-password`, `linked` or `unlinked`"),
        ("next" = Option<String>, Query,
            description = "For the page: the way back, a path of this site"),
    ),
    responses(
        (status = 200,
            description = "The account",
            content((Profile = "application/json"), (String = "text/html"))),
        QueryRefused,
        SignInRefused,
    ), security(("token" = [])))]
pub(crate) async fn show_profile(
    State(state): State<AppState>,
    Caller(by): Caller,
    format: Format,
    headers: HeaderMap,
    query: Query,
) -> Result<Response, Error> {
    let me = account_of(by.require_account()?);
    if format == Format::Json {
        return Ok(negotiated::json(load_profile(&state, &by, me).await?));
    }
    let changed = query.text("changed").and_then(ProfileChange::from_query);
    let sheet = form_page::sheet_of(&state, &by, &headers, query.text("next")).await?;
    let options = load_sign_in_options(&state, &by).await?;
    let html = app::profile_page(&sheet, &me, &me.name, changed, &options);
    Ok(form_page::show(html))
}

async fn load_profile(state: &AppState, by: &Person, me: Account) -> Result<Profile, Error> {
    let ways = state.chat.load_sign_in_methods(by).await?;
    let password = ways.password.then_some(SignInMethod::Password {
        added_at: ways.password_set_at,
    });
    let identities = ways.identities.into_iter();
    let identities = identities.map(|link| SignInMethod::Provider {
        issuer: link.issuer,
        added_at: link.linked_at,
    });
    Ok(Profile {
        name: me.name,
        username: me.username,
        sign_in_methods: password.into_iter().chain(identities).collect(),
    })
}

/// The ways in which the caller signs in, for the page.
async fn load_sign_in_options(state: &AppState, by: &Person) -> Result<SignInOptions, Error> {
    let ways = state.chat.load_sign_in_methods(by).await?;
    let provider = state.provider.as_ref();
    let linked_to = |issuer: &str| {
        let mut links = ways.identities.iter();
        links.any(|link| link.issuer == issuer)
    };
    let provider_name = |issuer: &str| {
        let configured = provider.filter(|provider| provider.issuer() == issuer);
        configured.map_or(issuer, OidcClient::name).to_owned()
    };
    let identities = ways.identities.iter().map(|link| LinkedIdentity {
        name: provider_name(&link.issuer),
        linked_at: link.linked_at,
    });
    Ok(SignInOptions {
        has_password: ways.password,
        password_set_at: ways.password_set_at,
        is_fresh: state.chat.is_session_fresh(by),
        least: state.chat.password_min(),
        identities: identities.collect(),
        provider: provider.map(|provider| LinkedProvider {
            name: provider.name().to_owned(),
            is_linked: linked_to(provider.issuer()),
        }),
    })
}

/// The profile page with the error beside one of its fields.
pub(crate) async fn rerender_profile<T>(
    state: &AppState,
    by: &Person,
    headers: &HeaderMap,
    payload: &Payload<T>,
    error: Error,
    place: impl Fn(Option<&str>) -> &'static str,
) -> Result<Response, Error> {
    let me = account_of(by.require_account()?);
    let sheet = form_page::sheet_of(state, by, headers, payload.next()).await?;
    let options = load_sign_in_options(state, by).await?;
    let name = payload.raw("name").unwrap_or(&me.name);
    form_page::rerender_with_error(error, place, |wrong| {
        app::profile_page(&sheet.with_errors(wrong), &me, name, None, &options)
    })
}

/// Sends a browser back to the profile, which shows the change.
pub(crate) fn redirect_changed(changed: ProfileChange, next: Option<&str>) -> Redirect {
    let next = app::percent_encode(local_path(next));
    Redirect::to(&format!(
        "/profile/?changed={}&next={next}",
        changed.in_query()
    ))
}

/// A new name for the caller.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct RenameAccount {
    /// The name.
    #[schema(value_type = PersonName)]
    name: String,
}

/// Changes the name of the caller's account.
#[utoipa::path(post, path = "/profile/", tag = "people",
    request_body(content(
        (RenameAccount = "application/json"),
        (RenameAccount = "application/x-www-form-urlencoded"),
    )),
    responses(
        (status = 200, description = "The changed account", body = Account),
        (status = 303, description = "Back to the profile, for clients that prefer pages"),
        AccountRefused,
        BodyRefused,
    ), security(("token" = [])))]
pub(crate) async fn rename_account(
    State(state): State<AppState>,
    Caller(by): Caller,
    format: Format,
    headers: HeaderMap,
    payload: Payload<RenameAccount>,
) -> Result<Response, Error> {
    by.require_account()?;
    let name = payload.read()?.name;
    let renamed = state.chat.change_display_name(&by, &name).await;
    format
        .answer(
            renamed.map_err(Error::from),
            |_| redirect_changed(ProfileChange::Name, payload.next()).into_response(),
            |member| negotiated::json(account_of(&member)),
            async |error| {
                rerender_profile(&state, &by, &headers, &payload, error, |_| "name").await
            },
        )
        .await
}

/// A guest's key to take over.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct ClaimGuest {
    /// The guest's token.
    guest: String,
}

/// Gives the caller's account the roles and the sanctions of a guest.
#[utoipa::path(post, path = "/profile/claim/", tag = "people",
    request_body(content(
        (ClaimGuest = "application/json"),
        (ClaimGuest = "application/x-www-form-urlencoded"),
    )),
    responses(
        (status = 204, description = "The account has taken over the guest"),
        AccountRefused,
        BodyRefused,
    ), security(("token" = [])))]
pub(crate) async fn claim_guest(
    State(state): State<AppState>,
    Caller(by): Caller,
    payload: Payload<ClaimGuest>,
) -> Result<StatusCode, Error> {
    by.require_account()?;
    let guest = state
        .chat
        .authenticate_token(&payload.read()?.guest)
        .await?;
    state.chat.merge_guest(&by, &guest).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The confirmation that the account is the caller's.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct DeleteAccount {
    /// The password; required if the account has one.
    password: Option<String>,
    /// The username; required if the account has no password.
    username: Option<String>,
}

/// Deletes the caller's account. Its messages stay until their room ends.
#[utoipa::path(post, path = "/profile/delete/", tag = "people",
    request_body(content(
        (DeleteAccount = "application/json"),
        (DeleteAccount = "application/x-www-form-urlencoded"),
    )),
    responses(
        (status = 204, description = "The account is deleted"),
        (status = 303, description = "To the home page, for clients that prefer pages"),
        AccountRefused,
        BodyRefused,
        PasswordRefused,
    ), security(("token" = [])))]
pub(crate) async fn delete_account(
    State(state): State<AppState>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Caller(by): Caller,
    format: Format,
    headers: HeaderMap,
    payload: Payload<DeleteAccount>,
) -> Result<Response, Error> {
    by.require_account()?;
    let has_password = state.chat.load_sign_in_methods(&by).await?.password;
    let field = if has_password { "password" } else { "username" };
    let sent = payload.read()?;
    let confirmation = if has_password {
        sent.password
    } else {
        sent.username
    };
    let confirmation =
        confirmation.ok_or_else(|| Refusal::invalid(field, refusal::RULE_MISSING.text()))?;
    let deleted = confirm_and_delete(&state, peer, &by, &confirmation).await;
    format
        .answer(
            deleted,
            |()| answer_signed_out(Format::Html, None),
            |()| answer_signed_out(Format::Json, None),
            async |error| rerender_profile(&state, &by, &headers, &payload, error, |_| field).await,
        )
        .await
}

async fn confirm_and_delete(
    state: &AppState,
    peer: SocketAddr,
    by: &Person,
    confirmation: &str,
) -> Result<(), Error> {
    let limits = &state.limits;
    let client = limits.admit_passwords(peer.ip(), &[confirmation])?;
    limits
        .check_password(by.require_account()?.username())
        .await?;
    Ok(state.chat.delete_account(by, confirmation, client).await?)
}
