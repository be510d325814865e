//! The caller of a request: from the token of a script, or from the cookies of a browser.
//!
//! # Guarantees
//! An invalid token is refused; an invalid or expired cookie counts as none. Handlers have no other
//! way to ask `Chat` about a room.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use chat::{AccountHolder, Person};
use protocol::Account;

use crate::error::Error;
use crate::extract::cookies::{GUEST, SESSION, read_cookie};
use crate::state::AppState;

/// The caller of a request.
#[derive(Clone, Debug)]
pub(crate) struct Caller(pub Person);

impl FromRequestParts<AppState> for Caller {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Error> {
        Self::of(&parts.headers, state).await
    }
}

impl Caller {
    /// The caller that sends these headers.
    ///
    /// # Errors
    /// [`protocol::Refusal::NotSignedIn`] if they carry an invalid token, or a fault.
    pub async fn of(headers: &HeaderMap, state: &AppState) -> Result<Self, Error> {
        // Other schemes are not for this server: a proxy in front may ask for a password of its
        // own.
        let authorization = headers.get(header::AUTHORIZATION);
        let authorization = authorization.and_then(|value| value.to_str().ok());
        if let Some(token) = authorization.and_then(bearer) {
            return Ok(Self(state.chat.authenticate_token(token).await?));
        }
        for name in [SESSION, GUEST] {
            let Some(token) = read_cookie(headers, name) else {
                continue;
            };
            match state.chat.authenticate_token(token).await {
                Ok(person) => return Ok(Self(person)),
                Err(chat::Error::Refusal(_)) => {}
                Err(fault) => return Err(fault.into()),
            }
        }
        Ok(Self(Person::Anonymous))
    }
}

/// The guest of these headers' cookie, if it is valid.
pub(crate) async fn guest(headers: &HeaderMap, state: &AppState) -> Option<Person> {
    let token = read_cookie(headers, GUEST)?;
    let guest = state.chat.authenticate_token(token).await.ok()?;
    matches!(guest, Person::Guest(_)).then_some(guest)
}

/// An account as other people see it.
pub(crate) fn account_of(member: &AccountHolder) -> Account {
    Account {
        name: member.name().to_owned(),
        username: member.username().to_owned(),
    }
}

/// The token of an `Authorization` header; the space after `Bearer` may be missing.
fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_at_checked("Bearer".len())?;
    scheme
        .eq_ignore_ascii_case("Bearer")
        .then_some(token.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn token_is_read_also_without_a_space_after_bearer() {
        for value in ["Bearer abc", "Bearerabc", "bearer  abc "] {
            assert_eq!(bearer(value), Some("abc"), "{value}");
        }
        for value in ["", "abc", "Basic abc", "Beare"] {
            assert_eq!(bearer(value), None, "{value}");
        }
    }
}
