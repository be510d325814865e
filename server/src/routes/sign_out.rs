//! `/logout` and `/profile/sign-out/`: the end of a session, and of all sessions of an account.

use axum::extract::State;
use axum::http::{HeaderName, header};
use axum::response::{AppendHeaders, IntoResponse, Response};

use crate::error::Error;
use crate::extract::caller::Caller;
use crate::extract::cookies::no_session;
use crate::extract::next::Next;
use crate::openapi::responses::{AccountRefused, RateLimited};
use crate::respond::negotiated::{self, Format};
use crate::state::AppState;

/// Tells a browser what to forget ([Clear Site Data](https://www.w3.org/TR/clear-site-data/)).
const CLEAR_SITE_DATA: HeaderName = HeaderName::from_static("clear-site-data");

/// Signs the caller out: ends the session of the token or of the cookie, and its streams.
///
/// Other sessions of the account go on. A caller who is not signed in gets the same answer.
#[utoipa::path(post, path = "/logout", tag = "people",
    responses(
        (status = 204, description = "The session has ended"),
        (status = 303, description = "To `next`, for clients that prefer pages"),
        RateLimited,
    ), security((), ("token" = [])))]
pub(crate) async fn sign_out(
    State(state): State<AppState>,
    format: Format,
    caller: Result<Caller, Error>,
    Next(next): Next,
) -> Result<Response, Error> {
    let ended = match caller {
        Ok(Caller(by)) if by.account().is_some() => {
            state.chat.sign_out(&by).await.map_err(Error::from)
        }
        other => other.map(|_| ()),
    };
    match ended {
        // A session that has ended already.
        Err(error) if error.refusal().is_none() => Err(error),
        _ => Ok(answer_signed_out(format, next.as_deref())),
    }
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

/// Makes a browser forget its session, and what it has stored of the answers to it.
///
/// Its cookies and its storage stay: they contain the guest key, unsent messages and settings, and
/// `Clear-Site-Data` would also clear the cookies of other servers on the same site.
pub(crate) fn answer_signed_out(format: Format, next: Option<&str>) -> Response {
    let forget = [
        (header::SET_COOKIE, no_session()),
        (CLEAR_SITE_DATA, "\"cache\"".to_owned()),
    ];
    (
        AppendHeaders(forget),
        format.done(next, "/", negotiated::no_content),
    )
        .into_response()
}
