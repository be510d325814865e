//! `/register`, `/login`, `/users`: registering, signing in, and the list of accounts.
//!
//! # Guarantees
//! Every answer is an envelope (`respond::envelope`), or a page where the client prefers pages.

use std::net::SocketAddr;

use app::{AccountFields, FormPage};
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Redirect, Response};
use chat::{AccountsPage, Session};
use protocol::{Account, Credentials, NewAccount, Refusal};
use serde::Serialize;
use texts::refusal;
use utoipa::ToSchema;

use crate::error::Error;
use crate::extract::caller::{self, Caller};
use crate::extract::cookies::session_cookie;
use crate::extract::next::local_path;
use crate::extract::payload::Payload;
use crate::extract::query::Query;
use crate::respond::envelope::{
    Envelope, EnvelopedListRefused, EnvelopedPageRefused, EnvelopedSignInRefused,
};
use crate::respond::form_page;
use crate::respond::negotiated::Format;
use crate::state::AppState;

/// The largest number of accounts in one answer.
const PEOPLE_MAX: u64 = 1_000;

/// The token of a session.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SessionToken {
    /// A JWT: `sub` is the username, `exp` the end of the session.
    token: String,
}

/// The payload of a request. Here a malformed body is refused like an invalid field.
fn payload_of<T>(sent: Result<Payload<T>, Error>) -> Result<Payload<T>, Error> {
    sent.map_err(|error| match error.refusal() {
        Some(Refusal::Malformed(why)) => {
            let rule = format!("cannot be read: {}", why.trim_end_matches('.'));
            Refusal::invalid("The body", rule).into()
        }
        _ => error,
    })
}

/// Registers an account and signs it in.
///
/// In a browser the account takes over the roles of the browser's guest. A username in upper case
/// becomes lower case; one that is taken, or that looks like one that is taken, is refused with 400.
#[utoipa::path(post, path = "/register", tag = "people",
    request_body(content(
        (NewAccount = "application/json"),
        (NewAccount = "application/x-www-form-urlencoded"),
    )),
    responses(
        (status = 200,
            description = "The account is registered and signed in", body = Envelope<SessionToken>),
        (status = 303, description = "To `next`, for clients that prefer pages"),
        EnvelopedSignInRefused,
    ))]
pub(crate) async fn register_account(
    State(state): State<AppState>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    format: Format,
    headers: HeaderMap,
    sent: Result<Payload<NewAccount>, Error>,
) -> Result<Response, Error> {
    let payload = payload_of(sent)?;
    let wish = payload.read()?;
    let session = register(&state, peer, &headers, &wish).await;
    let place = |field: Option<&str>| match field {
        Some("name") => "name",
        Some("password") => "password",
        _ => "username",
    };
    let typed = AccountFields {
        name: wish.name,
        username: wish.username,
    };
    answer_sign_in(format, session, &headers, payload.next(), place, |sheet| {
        draw_sign_up(&state, sheet, &typed)
    })
    .await
}

async fn register(
    state: &AppState,
    peer: SocketAddr,
    headers: &HeaderMap,
    wish: &NewAccount,
) -> Result<Session, Error> {
    let limits = &state.limits;
    let client = limits.admit_passwords(peer.ip(), &[&wish.password])?;
    limits.check_sign_up(peer.ip()).await?;
    let registered = state.chat.register_account(wish, client).await;
    let session = registered.map_err(|error| match error {
        // The contract answers a taken username with 400, not with 409.
        chat::Error::Refusal(Refusal::Taken(what)) => {
            Refusal::Malformed(refusal::IS_TAKEN.fill([&what])).into()
        }
        other => other,
    })?;
    claim_guest_of(state, headers, &session).await?;
    Ok(session)
}

/// Gives a new account the roles of the browser's guest.
pub(crate) async fn claim_guest_of(
    state: &AppState,
    headers: &HeaderMap,
    session: &Session,
) -> Result<(), Error> {
    if let Some(guest) = caller::guest(headers, state).await {
        let member = session.account.clone().into();
        state.chat.merge_guest(&member, &guest).await?;
    }
    Ok(())
}

fn draw_sign_up(state: &AppState, sheet: &FormPage, typed: &AccountFields) -> String {
    app::sign_up_page(
        sheet,
        typed,
        state.chat.password_min(),
        state.provider_name(),
    )
}

/// Shows the page on which a person registers an account.
#[utoipa::path(get, path = "/register", tag = "pages",
    params(
        ("next" = Option<String>, Query,
            description = "Where the browser goes afterwards: a path of this site"),
    ),
    responses(
        (status = 200, description = "The page", body = String, content_type = "text/html"),
        (status = 303, description = "To `next`, for a caller who is signed in"),
        EnvelopedPageRefused,
    ))]
pub(crate) async fn show_sign_up_form(
    State(state): State<AppState>,
    headers: HeaderMap,
    caller: Result<Caller, Error>,
    query: Result<Query, Error>,
) -> Result<Response, Error> {
    show_form(&headers, caller, query, |sheet| {
        draw_sign_up(&state, sheet, &AccountFields::default())
    })
}

/// Shows the page on which a person signs in.
#[utoipa::path(get, path = "/login", tag = "pages",
    params(
        ("next" = Option<String>, Query,
            description = "Where the browser goes afterwards: a path of this site"),
    ),
    responses(
        (status = 200, description = "The page", body = String, content_type = "text/html"),
        (status = 303, description = "To `next`, for a caller who is signed in"),
        EnvelopedPageRefused,
    ))]
pub(crate) async fn show_sign_in_form(
    State(state): State<AppState>,
    headers: HeaderMap,
    caller: Result<Caller, Error>,
    query: Result<Query, Error>,
) -> Result<Response, Error> {
    show_form(&headers, caller, query, |sheet| {
        app::sign_in_page(sheet, &AccountFields::default(), state.provider_name())
    })
}

/// A page for callers who are not signed in. Clients that prefer data get 405, because this address
/// has no data.
fn show_form(
    headers: &HeaderMap,
    caller: Result<Caller, Error>,
    query: Result<Query, Error>,
    draw: impl FnOnce(&FormPage) -> String,
) -> Result<Response, Error> {
    if !Format::of(headers).is_html() {
        let allow = [(header::ALLOW, "POST")];
        return Ok((allow, Error::from(Refusal::MethodNotAllowed)).into_response());
    }
    let Caller(by) = caller?;
    let query = query?;
    let next = query.text("next");
    if by.account().is_some() {
        return Ok(Redirect::to(local_path(next)).into_response());
    }
    Ok(form_page::show(draw(&form_page::sheet(headers, next))))
}

/// Signs an account in.
///
/// The username may be in upper or lower case. A wrong password and an unknown username get the same answer after the same time.
#[utoipa::path(post, path = "/login", tag = "people",
    request_body(content(
        (Credentials = "application/json"),
        (Credentials = "application/x-www-form-urlencoded"),
    )),
    responses(
        (status = 200, description = "The account is signed in", body = Envelope<SessionToken>),
        (status = 303, description = "To `next`, for clients that prefer pages"),
        EnvelopedSignInRefused,
    ))]
pub(crate) async fn sign_in_account(
    State(state): State<AppState>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    format: Format,
    headers: HeaderMap,
    sent: Result<Payload<Credentials>, Error>,
) -> Result<Response, Error> {
    let payload = payload_of(sent)?;
    let credentials = payload.read()?;
    let session = sign_in(&state, peer, &credentials).await;
    let place = |_: Option<&str>| "password";
    let typed = AccountFields {
        username: credentials.username,
        ..AccountFields::default()
    };
    answer_sign_in(format, session, &headers, payload.next(), place, |sheet| {
        app::sign_in_page(sheet, &typed, state.provider_name())
    })
    .await
}

async fn sign_in(
    state: &AppState,
    peer: SocketAddr,
    credentials: &Credentials,
) -> Result<Session, Error> {
    let username = &credentials.username;
    let limits = &state.limits;
    let client = limits.admit_passwords(peer.ip(), &[&credentials.password])?;
    limits.check_sign_in(peer.ip(), username).await?;
    let session = state.chat.sign_in(credentials, client).await?;
    limits.forgive_sign_in(peer.ip(), username).await;
    Ok(session)
}

/// Answers a sign-up or a sign-in. A browser goes to `next` with the cookie of its session, or gets
/// the form of `draw` again with the error at its `place`; a script gets the token of its session.
async fn answer_sign_in(
    format: Format,
    session: Result<Session, Error>,
    headers: &HeaderMap,
    next: Option<&str>,
    place: impl Fn(Option<&str>) -> &'static str,
    draw: impl FnOnce(&FormPage) -> String,
) -> Result<Response, Error> {
    format
        .answer(
            session,
            |session| {
                let cookie = [(header::SET_COOKIE, session_cookie(session))];
                (cookie, Redirect::to(local_path(next))).into_response()
            },
            |session| {
                let message = format!("welcome {}", session.account.name());
                let token = session.token;
                Envelope::ok(message, SessionToken { token }).into_response()
            },
            async |error| {
                let sheet = form_page::sheet(headers, next);
                form_page::rerender_with_error(error, place, |wrong| {
                    draw(&sheet.with_errors(wrong))
                })
            },
        )
        .await
}

/// Lists the accounts, by username, at most 1,000 of them.
///
/// `after` continues after a username, `search` selects by a part of the name or the username.
#[utoipa::path(get, path = "/users", tag = "people",
    params(
        ("search" = Option<String>, Query,
            description = "Only accounts with this in their name or username"),
        ("after" = Option<String>, Query, description = "Only usernames after this one"),
        ("limit" = Option<u64>, Query, minimum = 1, maximum = 1000,
            description = "The largest number of accounts; 1,000 by default"),
    ),
    responses(
        (status = 200, description = "The accounts", body = Envelope<Vec<Account>>),
        EnvelopedListRefused,
    ), security(("token" = [])))]
pub(crate) async fn list_accounts(
    State(state): State<AppState>,
    Caller(by): Caller,
    query: Query,
) -> Result<Envelope<Vec<Account>>, Error> {
    let wanted = AccountsPage {
        search: query.text("search").unwrap_or_default().to_owned(),
        after: query.text("after").unwrap_or_default().to_owned(),
        limit: query.limit(PEOPLE_MAX)?,
    };
    let accounts = state.chat.list_accounts(&by, &wanted).await?;
    Ok(Envelope::ok("accounts by username", accounts))
}
