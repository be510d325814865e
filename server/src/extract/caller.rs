//! Who calls: from the token that a script shows, or from the cookies of a browser.
//!
//! Promises: a token that is shown and is not good is refused; a cookie that is not good (any longer) is as none. There is
//! no other way for a handler to ask `Chat` anything about a room.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use chat::{AccountHolder, Person};
use protocol::Account;

use crate::error::Error;
use crate::extract::cookies::{GUEST, SESSION, cookie};
use crate::state::AppState;

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
            return Ok(Self(state.chat.authenticate_token(token).await?));
        }
        for name in [SESSION, GUEST] {
            let Some(token) = cookie(headers, name) else {
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

/// The guest that these headers' cookie is of, if it is.
pub(crate) async fn guest(headers: &HeaderMap, state: &AppState) -> Option<Person> {
    let guest = state
        .chat
        .authenticate_token(cookie(headers, GUEST)?)
        .await
        .ok()?;
    matches!(guest, Person::Guest(_)).then_some(guest)
}

/// An account as everybody sees it.
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
    fn the_space_after_bearer_may_be_missing() {
        for value in ["Bearer abc", "Bearerabc", "bearer  abc "] {
            assert_eq!(bearer(value), Some("abc"), "{value}");
        }
        for value in ["", "abc", "Basic abc", "Beare"] {
            assert_eq!(bearer(value), None, "{value}");
        }
    }
}
