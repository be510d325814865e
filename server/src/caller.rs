//! Who calls: from the token that a script shows, or from the cookies of a browser.
//!
//! Promises: a token that is shown and is not good is refused; a cookie that is not good (any longer) is as none. There is
//! no other way for a handler to ask `Chat` anything about a room.

use std::time::Duration;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use chat::{GUEST_LIFETIME, Person, Session};

use crate::AppState;
use crate::error::Error;

/// The cookie of somebody who is signed in.
const SESSION: &str = "session";

/// The cookie with a guest's key.
const GUEST: &str = "guest";

/// Who makes a request.
#[derive(Clone, Debug)]
pub(crate) struct Caller(pub Person);

impl FromRequestParts<AppState> for Caller {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Error> {
        Self::of(&parts.headers, state).await
    }
}

impl Caller {
    /// Who sends these headers.
    ///
    /// # Errors
    /// [`protocol::Refusal::NotSignedIn`] if they show a token that is not good, or a fault.
    pub async fn of(headers: &HeaderMap, state: &AppState) -> Result<Self, Error> {
        // What is no token is none of ours: a proxy in front may ask for a password of its own.
        let shown = headers
            .get(header::AUTHORIZATION)
            .and_then(|shown| shown.to_str().ok());
        if let Some(token) = shown.and_then(bearer) {
            return Ok(Self(state.chat.person(token).await?));
        }
        for name in [SESSION, GUEST] {
            let Some(token) = cookie(headers, name) else {
                continue;
            };
            match state.chat.person(token).await {
                Ok(person) => return Ok(Self(person)),
                Err(chat::Error::Refusal(_)) => {}
                Err(fault) => return Err(fault.into()),
            }
        }
        Ok(Self(Person::Anyone))
    }
}

/// The guest that these headers' cookie is of, if it is.
pub(crate) async fn guest(headers: &HeaderMap, state: &AppState) -> Option<Person> {
    let guest = state.chat.person(cookie(headers, GUEST)?).await.ok()?;
    matches!(guest, Person::Guest(_)).then_some(guest)
}

/// The token of an `Authorization` header; the space after `Bearer` may be missing.
fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_at_checked("Bearer".len())?;
    scheme
        .eq_ignore_ascii_case("Bearer")
        .then_some(token.trim())
}

/// The value of a cookie.
pub(crate) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let values = headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok());
    let mut pairs = values
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='));
    pairs.find_map(|(key, value)| (key == name).then_some(value))
}

/// The cookie by which a browser stays signed in.
pub(crate) fn session_cookie(session: &Session) -> String {
    keep(SESSION, &session.token, "/", session.lifetime)
}

/// The cookie that signs a browser out.
pub(crate) fn no_session() -> String {
    keep(SESSION, "", "/", Duration::ZERO)
}

/// The cookie with a guest's key.
pub(crate) fn guest_cookie(token: &str) -> String {
    keep(GUEST, token, "/", GUEST_LIFETIME)
}

/// A cookie that no script reads and that other sites' forms do not carry. Over TLS it is marked as `Secure` on its way out.
pub(crate) fn keep(name: &str, value: &str, path: &str, lifetime: Duration) -> String {
    format!(
        "{name}={value}; Path={path}; Max-Age={}; HttpOnly; SameSite=Lax",
        lifetime.as_secs()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_space_after_bearer_may_be_missing() {
        for value in ["Bearer abc", "Bearerabc", "bearer  abc "] {
            assert_eq!(bearer(value), Some("abc"), "{value}");
        }
        for value in ["", "abc", "Basic abc", "Beare"] {
            assert_eq!(bearer(value), None, "{value}");
        }
    }

    #[test]
    fn a_cookie_is_found_among_others() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, "name=ada; xsession=no".parse().unwrap());
        headers.append(header::COOKIE, "guest=g;session=a.b.c".parse().unwrap());
        assert_eq!(cookie(&headers, SESSION), Some("a.b.c"));
        assert_eq!(cookie(&headers, "none"), None);
    }
}
