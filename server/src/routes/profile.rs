//! `/profile/` and its parts: what somebody does with their own account. `/logout` and `/guests/`: less than that.

use app::{LinkedProvider, ProfileChange, SignInOptions};
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use chat::{Person, Session};
use protocol::schema::{Password, PersonName};
use protocol::{Account, Problem};
use serde::Serialize;
use utoipa::ToSchema;

use crate::auth::oidc_client::OidcClient;
use crate::error::Error;
use crate::extract::accept;
use crate::extract::caller::{Caller, account_of};
use crate::extract::cookies::{no_session, session_cookie};
use crate::extract::next::local_path;
use crate::extract::payload::{Fields, Query};
use crate::openapi::responses::BodyRefused;
use crate::respond::form_page;
use crate::routes::oidc;
use crate::state::AppState;

/// Who is signed in.
#[utoipa::path(get, path = "/profile/", tag = "people",
    params(
        ("changed" = Option<String>, Query, description = "For the page: what has just been changed: `name`, `password`, `linked` or `unlinked`"),
        ("next" = Option<String>, Query, description = "For the page: the way back, a path of this site"),
    ),
    responses(
        (status = 200, description = "The account", content((Account = "application/json"), (String = "text/html"))),
        (status = 400, description = "Malformed query", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "Not signed in", body = Problem, content_type = "application/problem+json"),
    ), security(("token" = [])))]
pub(crate) async fn show_profile(
    State(state): State<AppState>,
    Caller(by): Caller,
    headers: HeaderMap,
    Query(query): Query,
) -> Result<Response, Error> {
    let me = account_of(by.require_account()?);
    if !accept::prefers_html(&headers) {
        return Ok(accept::json(me));
    }
    let changed = query.text("changed")?.and_then(ProfileChange::from_query);
    let sheet = form_page::sheet(&headers, query.text("next")?);
    Ok(form_page::fresh(app::profile_page(
        &sheet,
        &me,
        &me.name,
        changed,
        &entry(&state, &by).await?,
    )))
}

/// How somebody signs in.
async fn entry(state: &AppState, by: &Person) -> Result<SignInOptions, Error> {
    let provider = state.provider.as_ref();
    let ways = state
        .chat
        .load_sign_in_methods(by, provider.map(OidcClient::issuer))
        .await?;
    let provider = provider.map(|provider| {
        let (name, is_linked) = (provider.name().to_owned(), ways.provider);
        Ok(LinkedProvider {
            name,
            is_linked,
            link: oidc::link(state, by)?,
        })
    });
    let provider = provider.transpose().map_err(|error: Error| error)?;
    Ok(SignInOptions {
        has_password: ways.password,
        least: state.chat.password_min(),
        provider,
    })
}

/// The profile again with what was wrong, beside one of its fields.
async fn refused(
    state: &AppState,
    by: &Person,
    headers: &HeaderMap,
    fields: &Fields,
    error: Error,
    at: impl FnOnce(Option<&str>) -> &'static str,
) -> Result<Response, Error> {
    let me = account_of(by.require_account()?);
    let (sheet, entry) = (
        form_page::sheet(headers, fields.text("next")?),
        entry(state, by).await?,
    );
    let name = fields.text("name")?.unwrap_or(&me.name);
    form_page::again(headers, error, at, |wrong| {
        app::profile_page(&sheet.with_error(wrong), &me, name, None, &entry)
    })
}

/// Back to the profile, which says what has been changed.
fn back(fields: &Fields, changed: ProfileChange) -> Result<Redirect, Error> {
    let next = app::percent_encode(local_path(fields.text("next")?));
    Ok(Redirect::to(&format!(
        "/profile/?changed={}&next={next}",
        changed.in_query()
    )))
}

/// Another name to be called by.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "describes what `rename` reads field by field")]
pub(crate) struct NewName {
    /// What the person is called from now on.
    name: PersonName,
}

/// Calls somebody something else.
#[utoipa::path(post, path = "/profile/", tag = "people",
    request_body(content((NewName = "application/json"), (NewName = "application/x-www-form-urlencoded"))),
    responses(
        (status = 200, description = "The account as it is now", body = Account),
        (status = 303, description = "Back to the profile, for clients that ask for pages"),
        (status = 401, description = "Not signed in", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too many requests", body = Problem, content_type = "application/problem+json"),
        BodyRefused,
    ), security(("token" = [])))]
pub(crate) async fn rename_account(
    State(state): State<AppState>,
    Caller(by): Caller,
    headers: HeaderMap,
    fields: Fields,
) -> Result<Response, Error> {
    by.require_account()?;
    match state
        .chat
        .change_display_name(&by, fields.required("name")?)
        .await
    {
        Ok(_) if accept::prefers_html(&headers) => {
            Ok(back(&fields, ProfileChange::Name)?.into_response())
        }
        Ok(member) => Ok(accept::json(account_of(&member))),
        Err(error) => refused(&state, &by, &headers, &fields, error.into(), |_| "name").await,
    }
}

/// Another password.
#[derive(Debug, ToSchema)]
#[expect(
    dead_code,
    reason = "describes what `change_password` reads field by field"
)]
pub(crate) struct NewPassword {
    /// The one so far, unless there is none.
    old: Option<String>,
    /// The one from now on.
    new: Password,
}

/// A token, signed by this server.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Key {
    /// To be shown as `Authorization: Bearer`.
    token: String,
}

/// Changes the password, or sets the first one, which ends every other session and token.
#[utoipa::path(post, path = "/profile/password/", tag = "people",
    request_body(content((NewPassword = "application/json"), (NewPassword = "application/x-www-form-urlencoded"))),
    responses(
        (status = 200, description = "The token from now on", body = Key),
        (status = 303, description = "Back to the profile, for clients that ask for pages"),
        (status = 400, description = "The old password is wrong, or the body malformed", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "Not signed in", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "The body is too large", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "The body is of another type", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "Invalid field", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too many requests", body = Problem, content_type = "application/problem+json"),
    ), security(("token" = [])))]
pub(crate) async fn change_password(
    State(state): State<AppState>,
    Caller(by): Caller,
    headers: HeaderMap,
    fields: Fields,
) -> Result<Response, Error> {
    by.require_account()?;
    match new_session(&state, &by, &fields).await {
        Ok(session) if accept::prefers_html(&headers) => {
            let cookie = [(header::SET_COOKIE, session_cookie(&session))];
            Ok((cookie, back(&fields, ProfileChange::Password)?).into_response())
        }
        Ok(session) => Ok(accept::json(Key {
            token: session.token,
        })),
        Err(error) => {
            let at = |field: Option<&str>| if field.is_some() { "new" } else { "old" };
            refused(&state, &by, &headers, &fields, error, at).await
        }
    }
}

async fn new_session(state: &AppState, by: &Person, fields: &Fields) -> Result<Session, Error> {
    let new = fields.required("new")?;
    if !state.chat.load_sign_in_methods(by, None).await?.password {
        return Ok(state.chat.set_first_password(by, new).await?);
    }
    let old = fields.required("old")?;
    state
        .limits
        .check_password(by.require_account()?.username())?;
    let session = state.chat.change_password(by, old, new).await?;
    state.limits.forgive_password(session.account.username());
    Ok(session)
}

/// Ends every session and token of somebody.
#[utoipa::path(post, path = "/profile/sign-out/", tag = "people",
    responses(
        (status = 204, description = "Signed out everywhere"),
        (status = 303, description = "To where `next` says, for clients that ask for pages"),
        (status = 401, description = "Not signed in", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too many requests", body = Problem, content_type = "application/problem+json"),
    ), security(("token" = [])))]
pub(crate) async fn sign_out_everywhere(
    State(state): State<AppState>,
    Caller(by): Caller,
    headers: HeaderMap,
    fields: Result<Fields, Error>,
) -> Result<Response, Error> {
    state.chat.sign_out_everywhere(&by).await?;
    Ok(gone(&headers, fields.ok().as_ref()))
}

/// A guest's key.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "describes what `claim` reads field by field")]
pub(crate) struct GuestKey {
    /// The token of the guest.
    guest: String,
}

/// Takes over what a guest was in rooms: roles, and what moderators said.
#[utoipa::path(post, path = "/profile/claim/", tag = "people",
    request_body(content((GuestKey = "application/json"), (GuestKey = "application/x-www-form-urlencoded"))),
    responses(
        (status = 204, description = "It is the account's"),
        (status = 401, description = "Not signed in, or that is no guest's token", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too many requests", body = Problem, content_type = "application/problem+json"),
        BodyRefused,
    ), security(("token" = [])))]
pub(crate) async fn claim_guest(
    State(state): State<AppState>,
    Caller(by): Caller,
    fields: Fields,
) -> Result<StatusCode, Error> {
    by.require_account()?;
    let guest = state
        .chat
        .authenticate_token(fields.required("guest")?)
        .await?;
    state.chat.merge_guest(&by, &guest).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Signs this browser out. A script forgets its token instead.
#[utoipa::path(post, path = "/logout", tag = "people",
    responses(
        (status = 204, description = "Signed out"),
        (status = 303, description = "To where `next` says, for clients that ask for pages"),
        (status = 429, description = "Too many requests", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn sign_out(headers: HeaderMap, fields: Result<Fields, Error>) -> Response {
    gone(&headers, fields.ok().as_ref())
}

/// What only the owner of an account knows.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "describes what `delete` reads field by field")]
pub(crate) struct Confirmation {
    /// The password, if there is one.
    password: Option<String>,
    /// The username, where there is no password.
    username: Option<String>,
}

/// Deletes an account. What its owner wrote stays where it is, until its room ends.
#[utoipa::path(post, path = "/profile/delete/", tag = "people",
    request_body(content((Confirmation = "application/json"), (Confirmation = "application/x-www-form-urlencoded"))),
    responses(
        (status = 204, description = "Deleted"),
        (status = 303, description = "To the home page, for clients that ask for pages"),
        (status = 400, description = "The password is wrong, or the body malformed", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "Not signed in", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "The body is too large", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "The body is of another type", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "Invalid field", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too many requests", body = Problem, content_type = "application/problem+json"),
    ), security(("token" = [])))]
pub(crate) async fn delete_account(
    State(state): State<AppState>,
    Caller(by): Caller,
    headers: HeaderMap,
    fields: Fields,
) -> Result<Response, Error> {
    by.require_account()?;
    let word = if state.chat.load_sign_in_methods(&by, None).await?.password {
        "password"
    } else {
        "username"
    };
    match forget(&state, &by, fields.required(word)?).await {
        Ok(()) => Ok(gone(&headers, None)),
        Err(error) => refused(&state, &by, &headers, &fields, error, |_| word).await,
    }
}

async fn forget(state: &AppState, by: &Person, word: &str) -> Result<(), Error> {
    state
        .limits
        .check_password(by.require_account()?.username())?;
    Ok(state.chat.delete_account(by, word).await?)
}

/// Parts an account from the provider of sign-in; not from its only way in.
#[utoipa::path(post, path = "/profile/unlink/", tag = "people",
    responses(
        (status = 204, description = "They are parted"),
        (status = 303, description = "Back to the profile, for clients that ask for pages"),
        (status = 401, description = "Not signed in", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "There is no password to sign in by", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "This server has no provider", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too many requests", body = Problem, content_type = "application/problem+json"),
    ), security(("token" = [])))]
pub(crate) async fn unlink_provider(
    State(state): State<AppState>,
    Caller(by): Caller,
    headers: HeaderMap,
    fields: Result<Fields, Error>,
) -> Result<Response, Error> {
    by.require_account()?;
    state
        .chat
        .unlink_identity(&by, state.provider()?.issuer())
        .await?;
    if accept::prefers_html(&headers) {
        return Ok(back(&fields.unwrap_or_default(), ProfileChange::Unlinked)?.into_response());
    }
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Says farewell, and makes a browser forget its session.
fn gone(headers: &HeaderMap, fields: Option<&Fields>) -> Response {
    let forget = [(header::SET_COOKIE, no_session())];
    if accept::prefers_html(headers) {
        let next = fields.and_then(|fields| fields.text("next").ok().flatten());
        return (forget, Redirect::to(local_path(next))).into_response();
    }
    (StatusCode::NO_CONTENT, forget).into_response()
}

/// Gives a guest a key.
///
/// Whoever posts with it holds the name in that room: no other guest can take it. Browsers get theirs as a cookie.
#[utoipa::path(post, path = "/guests/", tag = "people",
    responses(
        (status = 201, description = "A key of one's own", body = Key),
        (status = 429, description = "Too many requests", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn create_guest(State(state): State<AppState>) -> Result<Response, Error> {
    let key = Key {
        token: state.chat.issue_guest_token()?,
    };
    Ok((
        StatusCode::CREATED,
        [(header::CACHE_CONTROL, "no-store")],
        Json(key),
    )
        .into_response())
}
