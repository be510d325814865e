//! `/profile/` and the routes below it: the caller's own account. `/logout`: the end of a session.

use app::{LinkedProvider, ProfileChange, SignInOptions};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use chat::{Person, Session};
use protocol::schema::{Password, PersonName};
use protocol::{Account, Refusal};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::auth::oidc_client::OidcClient;
use crate::error::Error;
use crate::extract::caller::{Caller, account_of};
use crate::extract::cookies::{no_session, session_cookie};
use crate::extract::next::{Next, local_path};
use crate::extract::payload::Payload;
use crate::extract::query::Query;
use crate::openapi::responses::{
    AccountRefused, BodyRefused, PasswordRefused, ProviderRefused, QueryRefused, RateLimited,
    SignInRefused,
};
use crate::respond::form_page;
use crate::respond::negotiated::{self, Format};
use crate::routes::guests::Token;
use crate::routes::oidc;
use crate::state::AppState;

/// Shows the caller's account.
#[utoipa::path(get, path = "/profile/", tag = "people",
    params(
        ("changed" = Option<String>, Query,
            description = "For the page: the last change, `name`, `password`, `linked` or `unlinked`"),
        ("next" = Option<String>, Query,
            description = "For the page: the way back, a path of this site"),
    ),
    responses(
        (status = 200,
            description = "The account",
            content((Account = "application/json"), (String = "text/html"))),
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
        return Ok(negotiated::json(me));
    }
    let changed = query.text("changed").and_then(ProfileChange::from_query);
    let sheet = form_page::sheet(&headers, query.text("next"));
    let entry = load_entry(&state, &by).await?;
    let html = app::profile_page(&sheet, &me, &me.name, changed, &entry);
    Ok(form_page::show(html))
}

/// The ways in which the caller signs in.
async fn load_entry(state: &AppState, by: &Person) -> Result<SignInOptions, Error> {
    let provider = state.provider.as_ref();
    let ways = state
        .chat
        .load_sign_in_methods(by, provider.map(OidcClient::issuer))
        .await?;
    let linked = match provider {
        Some(provider) => Some(LinkedProvider {
            name: provider.name().to_owned(),
            is_linked: ways.provider,
            link: oidc::seal_link(state, by)?,
        }),
        None => None,
    };
    Ok(SignInOptions {
        has_password: ways.password,
        least: state.chat.password_min(),
        provider: linked,
    })
}

/// The profile page with the error beside one of its fields.
async fn rerender_profile<T>(
    state: &AppState,
    by: &Person,
    headers: &HeaderMap,
    payload: &Payload<T>,
    error: Error,
    place: impl FnOnce(Option<&str>) -> &'static str,
) -> Result<Response, Error> {
    let me = account_of(by.require_account()?);
    let sheet = form_page::sheet(headers, payload.next());
    let entry = load_entry(state, by).await?;
    let name = payload.raw("name").unwrap_or(&me.name);
    form_page::rerender_with_error(error, place, |wrong| {
        app::profile_page(&sheet.with_error(wrong), &me, name, None, &entry)
    })
}

/// Sends a browser back to the profile, which shows the change.
fn redirect_changed(changed: ProfileChange, next: Option<&str>) -> Redirect {
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

/// A new password for the caller.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct ChangePassword {
    /// The new password.
    #[schema(value_type = Password)]
    new: String,
    /// The current password; required if the account has one.
    old: Option<String>,
}

/// Changes the caller's password, or sets the first one, and ends every other session and token.
#[utoipa::path(post, path = "/profile/password/", tag = "people",
    request_body(content(
        (ChangePassword = "application/json"),
        (ChangePassword = "application/x-www-form-urlencoded"),
    )),
    responses(
        (status = 200, description = "The new token", body = Token),
        (status = 303, description = "Back to the profile, for clients that prefer pages"),
        AccountRefused,
        BodyRefused,
        PasswordRefused,
    ), security(("token" = [])))]
pub(crate) async fn change_password(
    State(state): State<AppState>,
    Caller(by): Caller,
    format: Format,
    headers: HeaderMap,
    payload: Payload<ChangePassword>,
) -> Result<Response, Error> {
    by.require_account()?;
    let session = apply_password(&state, &by, &payload).await;
    format
        .answer(
            session,
            |session| {
                let cookie = [(header::SET_COOKIE, session_cookie(session))];
                let redirect = redirect_changed(ProfileChange::Password, payload.next());
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
    by: &Person,
    payload: &Payload<ChangePassword>,
) -> Result<Session, Error> {
    let wish = payload.read()?;
    if !state.chat.load_sign_in_methods(by, None).await?.password {
        return Ok(state.chat.set_first_password(by, &wish.new).await?);
    }
    let old = wish
        .old
        .ok_or_else(|| Refusal::invalid("old", "is missing"))?;
    state
        .limits
        .check_password(by.require_account()?.username())?;
    let session = state.chat.change_password(by, &old, &wish.new).await?;
    state.limits.forgive_password(session.account.username());
    Ok(session)
}

/// Ends every session and token of the caller's account.
#[utoipa::path(post, path = "/profile/sign-out/", tag = "people",
    responses(
        (status = 204, description = "Every session has ended"),
        (status = 303, description = "To `next`, for clients that prefer pages"),
        AccountRefused,
    ), security(("token" = [])))]
pub(crate) async fn sign_out_everywhere(
    State(state): State<AppState>,
    Caller(by): Caller,
    format: Format,
    Next(next): Next,
) -> Result<Response, Error> {
    state.chat.sign_out_everywhere(&by).await?;
    Ok(answer_signed_out(format, next.as_deref()))
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

/// Signs this browser out. A script discards its token instead.
#[utoipa::path(post, path = "/logout", tag = "people",
    responses(
        (status = 204, description = "The browser is signed out"),
        (status = 303, description = "To `next`, for clients that prefer pages"),
        RateLimited,
    ))]
pub(crate) async fn sign_out(format: Format, Next(next): Next) -> Response {
    answer_signed_out(format, next.as_deref())
}

/// Makes a browser forget its session.
fn answer_signed_out(format: Format, next: Option<&str>) -> Response {
    let forget = [(header::SET_COOKIE, no_session())];
    (forget, format.done(next, "/", negotiated::no_content)).into_response()
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
    Caller(by): Caller,
    format: Format,
    headers: HeaderMap,
    payload: Payload<DeleteAccount>,
) -> Result<Response, Error> {
    by.require_account()?;
    let has_password = state.chat.load_sign_in_methods(&by, None).await?.password;
    let field = if has_password { "password" } else { "username" };
    let sent = payload.read()?;
    let confirmation = if has_password {
        sent.password
    } else {
        sent.username
    };
    let confirmation = confirmation.ok_or_else(|| Refusal::invalid(field, "is missing"))?;
    let deleted = confirm_and_delete(&state, &by, &confirmation).await;
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
    by: &Person,
    confirmation: &str,
) -> Result<(), Error> {
    state
        .limits
        .check_password(by.require_account()?.username())?;
    Ok(state.chat.delete_account(by, confirmation).await?)
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
