//! Where a browser goes after a form or a sign-in: the value of `next`.
//!
//! # Guarantees
//! The result is a path of this site, whatever the client sent.

use std::convert::Infallible;

use axum::extract::{FromRequest, Request};

use crate::extract::payload::Payload;

/// The field `next` of a form, where no other field is read. A body that cannot be read has none.
#[derive(Debug)]
pub(crate) struct Next(pub Option<String>);

impl<S: Send + Sync> FromRequest<S> for Next {
    type Rejection = Infallible;

    async fn from_request(request: Request, state: &S) -> Result<Self, Infallible> {
        let payload = Payload::<()>::from_request(request, state).await;
        let next = payload.ok().and_then(|form| form.next().map(str::to_owned));
        Ok(Self(next))
    }
}

/// The path of this site that `next` names; the home page if it names none.
pub(crate) fn local_path(next: Option<&str>) -> &str {
    let is_local = |next: &&str| {
        let is_plain = next
            .bytes()
            .all(|byte| (b'!'..=b'~').contains(&byte) && byte != b'\\');
        is_plain && next.starts_with('/') && !next.starts_with("//")
    };
    next.filter(is_local).unwrap_or("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn address_of_another_site_leads_to_the_home_page() {
        assert_eq!(
            local_path(Some("/rooms/0123456789abcdef/?a=1")),
            "/rooms/0123456789abcdef/?a=1"
        );
        for elsewhere in [
            "//evil.example",
            "https://evil.example",
            "/\\evil.example",
            "/a\r\nset-cookie: b",
            "",
            "rooms",
        ] {
            assert_eq!(local_path(Some(elsewhere)), "/", "{elsewhere}");
        }
    }
}
