//! Protection against cross-site requests: a page of another site cannot change anything or open a
//! WebSocket.
//!
//! Browsers name the page of a request ([Fetch, section
//! 3.2](https://fetch.spec.whatwg.org/#origin-header)); scripts do not, and need not.

use axum::extract::Request;
use axum::http::{HeaderMap, header};
use protocol::Refusal;

use crate::extract::host::Host;

/// Refuses a request from a page of another site.
///
/// # Errors
/// [`Refusal::Forbidden`] if it does.
pub(crate) fn check(headers: &HeaderMap) -> Result<(), Refusal> {
    let Some(origin) = headers.get(header::ORIGIN) else {
        return match headers.get("sec-fetch-site").map(|site| site.as_bytes()) {
            Some(b"cross-site" | b"same-site") => Err(OTHER_SITE),
            _ => Ok(()),
        };
    };
    let own = Host::of(headers);
    match origin.to_str() {
        Ok(origin) if own.is_some_and(|own| own.is_host_of(origin)) => Ok(()),
        _ => Err(OTHER_SITE),
    }
}

const OTHER_SITE: Refusal = Refusal::Forbidden("Pages of another site may not do this.");

/// Applies [`check`] to every request whose method is not safe.
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
    fn request_from_this_site_or_from_a_script_is_allowed() {
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
            ("host", "chat.example:443"),
            ("origin", "https://chat.example")
        ]));
        assert!(allowed(&[
            ("host", "chat.example"),
            ("sec-fetch-site", "same-origin")
        ]));
    }

    #[test]
    fn request_from_a_page_of_another_site_is_refused() {
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
