//! `/register`, `/login`, `/users`: accounts, in answers of one shape.
//!
//! Every answer of these is `{"code", "message", "content"}`, the refusals too, with the status as the code; and so are the
//! refusals of `/chats/USERNAME` (`direct`).

use std::net::SocketAddr;

use app::{AccountFields, FormPage};
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Redirect, Response};
use chat::{AccountsPage, Session};
use protocol::{Account, Credentials, NewAccount, Refusal};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::error::Error;
use crate::extract::caller::Caller;
use crate::extract::cookies::session_cookie;
use crate::extract::next::local_path;
use crate::extract::payload::{Fields, Query};
use crate::extract::{accept, caller};
use crate::respond::envelope::{Envelope, granted};
use crate::respond::form_page;
use crate::state::AppState;

/// The most people in one answer.
const PEOPLE_MAX: u64 = 1_000;

/// The fields of a request; whatever is wrong with them is one kind of wrong.
fn fields(fields: Result<Fields, Error>) -> Result<Fields, Error> {
    fields.map_err(|error| match error.refusal() {
        Some(Refusal::Malformed(why)) => Refusal::invalid(
            "The body",
            format!("cannot be read: {}", why.trim_end_matches('.')),
        )
        .into(),
        _ => error,
    })
}

/// What shows who somebody is.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Token {
    /// A JWT: `sub` is the username, `exp` when it ends.
    token: String,
}

/// Makes an account, and signs it in.
///
/// In a browser it takes over what its guest was in rooms. Usernames are lower case; one that is taken, or that looks like one that is, is refused with 400.
#[utoipa::path(post, path = "/register", tag = "people",
    request_body(content((NewAccount = "application/json"), (NewAccount = "application/x-www-form-urlencoded"))),
    responses(
        (status = 200, description = "Welcome", body = Envelope<Token>),
        (status = 303, description = "To where the page came from, for clients that ask for pages"),
        (status = 400, description = "The username is taken", body = Envelope<Value>),
        (status = 413, description = "The body is too large", body = Envelope<Value>),
        (status = 415, description = "The body is of another type", body = Envelope<Value>),
        (status = 422, description = "Malformed or invalid field", body = Envelope<Value>),
        (status = 429, description = "Too many requests", body = Envelope<Value>),
    ))]
pub(crate) async fn register_account(
    State(state): State<AppState>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    sent: Result<Fields, Error>,
) -> Result<Response, Error> {
    let fields = fields(sent)?;
    let text = |field| fields.required(field).map(str::to_owned);
    let wish = NewAccount {
        name: text("name")?,
        username: text("username")?,
        password: text("password")?,
    };
    match sign_up(&state, peer, &headers, &wish).await {
        Ok(session) => signed_in(&headers, &fields, session),
        Err(error) => {
            let at = |field: Option<&str>| match field {
                Some("name") => "name",
                Some("password") => "password",
                _ => "username",
            };
            let sheet = form_page::sheet(&headers, fields.text("next")?);
            let typed = AccountFields {
                name: wish.name,
                username: wish.username,
            };
            let (least, provider) = (state.chat.password_min(), state.provider_name());
            let draw = |wrong| app::sign_up_page(&sheet.with_error(wrong), &typed, least, provider);
            form_page::again(&headers, error, at, draw)
        }
    }
}

async fn sign_up(
    state: &AppState,
    peer: SocketAddr,
    headers: &HeaderMap,
    wish: &NewAccount,
) -> Result<Session, Error> {
    state.limits.check_sign_up(peer.ip())?;
    let session = state
        .chat
        .register_account(wish)
        .await
        .map_err(|error| match error {
            // One of this name is no conflict with what is there, but a wrong wish.
            chat::Error::Refusal(Refusal::Taken(what)) => {
                Refusal::Malformed(format!("{what} is taken.")).into()
            }
            other => other,
        })?;
    // What this browser's guest was is the new account's.
    if let Some(guest) = caller::guest(headers, state).await {
        state
            .chat
            .merge_guest(&session.account.clone().into(), &guest)
            .await?;
    }
    Ok(session)
}

/// The page on which one makes an account.
#[utoipa::path(get, path = "/register", tag = "pages",
    params(("next" = Option<String>, Query, description = "Where to go on afterwards: a path of this site")),
    responses(
        (status = 200, description = "The page", body = String, content_type = "text/html"),
        (status = 303, description = "To where one wanted to go on, for whoever is signed in"),
        (status = 400, description = "Malformed query", body = Envelope<Value>),
        (status = 401, description = "The token is not good", body = Envelope<Value>),
        (status = 405, description = "There is nothing but the page", body = Envelope<Value>),
    ))]
pub(crate) async fn show_sign_up_form(
    State(state): State<AppState>,
    headers: HeaderMap,
    caller: Result<Caller, Error>,
    query: Result<Query, Error>,
) -> Result<Response, Error> {
    let (least, provider) = (state.chat.password_min(), state.provider_name());
    let draw =
        |sheet: &FormPage| app::sign_up_page(sheet, &AccountFields::default(), least, provider);
    page_of(&headers, caller, query, draw)
}

/// The page on which one signs in.
#[utoipa::path(get, path = "/login", tag = "pages",
    params(("next" = Option<String>, Query, description = "Where to go on afterwards: a path of this site")),
    responses(
        (status = 200, description = "The page", body = String, content_type = "text/html"),
        (status = 303, description = "To where one wanted to go on, for whoever is signed in"),
        (status = 400, description = "Malformed query", body = Envelope<Value>),
        (status = 401, description = "The token is not good", body = Envelope<Value>),
        (status = 405, description = "There is nothing but the page", body = Envelope<Value>),
    ))]
pub(crate) async fn show_sign_in_form(
    State(state): State<AppState>,
    headers: HeaderMap,
    caller: Result<Caller, Error>,
    query: Result<Query, Error>,
) -> Result<Response, Error> {
    page_of(&headers, caller, query, |sheet| {
        app::sign_in_page(sheet, &AccountFields::default(), state.provider_name())
    })
}

/// A page for whoever is not signed in. Clients that ask for data find nothing to read here.
fn page_of(
    headers: &HeaderMap,
    caller: Result<Caller, Error>,
    query: Result<Query, Error>,
    draw: impl FnOnce(&FormPage) -> String,
) -> Result<Response, Error> {
    if !accept::prefers_html(headers) {
        let allow = [(header::ALLOW, "POST")];
        return Ok((allow, Error::from(Refusal::MethodNotAllowed)).into_response());
    }
    let (Caller(by), Query(query)) = (caller?, query?);
    let next = query.text("next")?;
    if by.account().is_some() {
        return Ok(Redirect::to(local_path(next)).into_response());
    }
    Ok(form_page::fresh(draw(&form_page::sheet(headers, next))))
}

/// Signs somebody in.
///
/// A wrong password and an unknown user are one answer, after one time.
#[utoipa::path(post, path = "/login", tag = "people",
    request_body(content((Credentials = "application/json"), (Credentials = "application/x-www-form-urlencoded"))),
    responses(
        (status = 200, description = "Welcome", body = Envelope<Token>),
        (status = 303, description = "To where the page came from, for clients that ask for pages"),
        (status = 400, description = "Wrong username or password", body = Envelope<Value>),
        (status = 413, description = "The body is too large", body = Envelope<Value>),
        (status = 415, description = "The body is of another type", body = Envelope<Value>),
        (status = 422, description = "Malformed or missing field", body = Envelope<Value>),
        (status = 429, description = "Too many attempts", body = Envelope<Value>),
    ))]
pub(crate) async fn sign_in_account(
    State(state): State<AppState>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    sent: Result<Fields, Error>,
) -> Result<Response, Error> {
    let fields = fields(sent)?;
    let text = |field| fields.required(field).map(str::to_owned);
    let credentials = Credentials {
        username: text("username")?,
        password: text("password")?,
    };
    match sign_in(&state, peer, &credentials).await {
        Ok(session) => signed_in(&headers, &fields, session),
        Err(error) => {
            let sheet = form_page::sheet(&headers, fields.text("next")?);
            let typed = AccountFields {
                username: credentials.username,
                ..AccountFields::default()
            };
            let draw =
                |wrong| app::sign_in_page(&sheet.with_error(wrong), &typed, state.provider_name());
            form_page::again(&headers, error, |_| "password", draw)
        }
    }
}

async fn sign_in(
    state: &AppState,
    peer: SocketAddr,
    credentials: &Credentials,
) -> Result<Session, Error> {
    state
        .limits
        .check_sign_in(peer.ip(), &credentials.username)?;
    let session = state.chat.sign_in(credentials).await?;
    state
        .limits
        .forgive_sign_in(peer.ip(), &credentials.username);
    Ok(session)
}

/// Says welcome: with the token to scripts, with a cookie to browsers.
fn signed_in(headers: &HeaderMap, fields: &Fields, session: Session) -> Result<Response, Error> {
    if accept::prefers_html(headers) {
        let place = local_path(fields.text("next")?);
        return Ok((
            [(header::SET_COOKIE, session_cookie(&session))],
            Redirect::to(place),
        )
            .into_response());
    }
    let welcome = format!("welcome {}", session.account.name());
    Ok(granted(
        welcome,
        Token {
            token: session.token,
        },
    )
    .into_response())
}

/// The people with an account.
///
/// By username, at most 1,000 of them; `after` goes on behind one, `search` looks for a part of their names.
#[utoipa::path(get, path = "/users", tag = "people",
    params(
        ("search" = Option<String>, Query, description = "Only those with this in their name or username"),
        ("after" = Option<String>, Query, description = "Only usernames behind this one"),
        ("limit" = Option<u64>, Query, minimum = 1, maximum = 1000, description = "At most so many; 1,000 if not given"),
    ),
    responses(
        (status = 200, description = "The people", body = Envelope<Vec<Account>>),
        (status = 400, description = "Malformed query", body = Envelope<Value>),
        (status = 401, description = "Not signed in", body = Envelope<Value>),
        (status = 422, description = "Invalid parameter", body = Envelope<Value>),
    ), security(("token" = [])))]
pub(crate) async fn list_accounts(
    State(state): State<AppState>,
    Caller(by): Caller,
    Query(query): Query,
) -> Result<Envelope<Vec<Account>>, Error> {
    let page = AccountsPage {
        search: query.text("search")?.unwrap_or_default().to_owned(),
        after: query.text("after")?.unwrap_or_default().to_owned(),
        limit: usize::try_from(query.number("limit", 1, PEOPLE_MAX)?.unwrap_or(PEOPLE_MAX))
            .unwrap_or(usize::MAX),
    };
    Ok(granted(
        "everybody with an account",
        state.chat.list_accounts(&by, &page).await?,
    ))
}
