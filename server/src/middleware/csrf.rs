//! Where a request comes from: what changes something, and what opens a socket, may not come from a page of another site.
//!
//! Browsers say which page a request comes from
//! ([Fetch, section 3.2](https://fetch.spec.whatwg.org/#origin-header)); programs do not, and need not.

use axum::extract::Request;
use axum::http::{HeaderMap, header};
use protocol::Refusal;

/// Refuses what comes from a page of another site.
///
/// # Errors
/// [`Refusal::Forbidden`] if it does.
pub(crate) fn check(headers: &HeaderMap) -> Result<(), Refusal> {
    let Some(origin) = headers.get(header::ORIGIN) else {
        return match headers.get("sec-fetch-site").map(|site| site.as_bytes()) {
            Some(b"cross-site" | b"same-site") => Err(STRANGER),
            _ => Ok(()),
        };
    };
    let host = origin
        .to_str()
        .ok()
        .and_then(|origin| origin.split_once("://"))
        .map(|(_, host)| host);
    match headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok())
    {
        Some(own) if host.is_some_and(|host| host.eq_ignore_ascii_case(own)) => Ok(()),
        _ => Err(STRANGER),
    }
}

const STRANGER: Refusal = Refusal::Forbidden("Pages of another site may not do this.");

/// Applies [`check`] to whatever is more than a look.
///
/// # Errors
/// Those of [`check`].
pub(crate) fn guard(request: &Request) -> Result<(), Refusal> {
    if request.method().is_safe() {
        Ok(())
    } else {
        check(request.headers())
    }
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    fn allowed(headers: &[(&'static str, &'static str)]) -> bool {
        let headers = headers.iter().map(|(name, value)| {
            (
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            )
        });
        check(&headers.collect()).is_ok()
    }

    #[test]
    fn pages_of_this_site_and_programs_are_welcome() {
        assert!(allowed(&[("host", "chat.example")]));
        assert!(allowed(&[
            ("host", "chat.example"),
            ("origin", "https://Chat.example")
        ]));
        assert!(allowed(&[
            ("host", "chat.example:81"),
            ("origin", "http://chat.example:81")
        ]));
        assert!(allowed(&[
            ("host", "chat.example"),
            ("sec-fetch-site", "same-origin")
        ]));
    }

    #[test]
    fn other_pages_are_not() {
        for origin in [
            "https://evil.example",
            "https://chat.example.evil.example",
            "http://chat.example:8080",
            "null",
        ] {
            assert!(
                !allowed(&[("host", "chat.example"), ("origin", origin)]),
                "{origin}"
            );
        }
        assert!(!allowed(&[("origin", "https://chat.example")]));
        assert!(!allowed(&[
            ("host", "chat.example"),
            ("sec-fetch-site", "cross-site")
        ]));
        assert!(!allowed(&[
            ("host", "chat.example"),
            ("sec-fetch-site", "same-site")
        ]));
    }
}
