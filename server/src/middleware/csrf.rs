//! Protection against cross-site requests: a page of another site cannot change anything, create
//! anything, or open a WebSocket.
//!
//! Browsers name the page of a request by its origin ([Fetch, section
//! 3.2](https://fetch.spec.whatwg.org/#origin-header)) and by how it relates to this server ([Fetch
//! Metadata](https://www.w3.org/TR/fetch-metadata/)); scripts do not, and need not.
//!
//! # Guarantees
//! - A request that writes, and an upgrade to a WebSocket, comes from a page of this site, with the
//!   scheme that the client uses, or from no page.
//! - A `GET` that creates something, which takes [`Navigation`], also comes from links of other
//!   sites, but from no part of their pages, like an image or a frame.

use axum::extract::{FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, HeaderValue, header};
use protocol::Refusal;
use texts::refusal;

use crate::error::Error;
use crate::extract::host::Host;
use crate::extract::https::Https;

const OTHER_SITE: Refusal = Refusal::Forbidden(refusal::OTHER_SITE);

/// Refuses requests of other sites' pages whose method is not safe, or that ask for an upgrade.
///
/// # Errors
/// [`Refusal::Forbidden`].
pub(crate) fn guard(request: &Request) -> Result<(), Refusal> {
    let headers = request.headers();
    if request.method().is_safe() && !headers.contains_key(header::UPGRADE) {
        return Ok(());
    }
    let is_allowed = is_from_here(headers) && has_own_origin(headers, request.extensions());
    is_allowed.then_some(()).ok_or(OTHER_SITE)
}

/// A request of this site's pages, of no page, or of a person who follows a link of another site.
pub(crate) struct Navigation;

impl<S: Sync> FromRequestParts<S> for Navigation {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        let headers = &parts.headers;
        let has_place = is_from_here(headers) || is_followed_link(headers);
        if has_place && has_own_origin(headers, &parts.extensions) {
            Ok(Self)
        } else {
            Err(OTHER_SITE.into())
        }
    }
}

/// Whether the request names no other site as where it comes from.
fn is_from_here(headers: &HeaderMap) -> bool {
    let mut sites = headers.get_all("sec-fetch-site").iter();
    sites.all(|site| site == "same-origin" || site == "none")
}

/// Whether the request replaces a whole page, as the person sees, and not ahead of time.
fn is_followed_link(headers: &HeaderMap) -> bool {
    let is = |name, value| headers.get(name).is_some_and(|found| found == value);
    is("sec-fetch-mode", "navigate")
        && is("sec-fetch-dest", "document")
        && !headers.contains_key("sec-purpose")
}

/// Whether the request names no other origin than this server's.
fn has_own_origin(headers: &HeaderMap, request: &Extensions) -> bool {
    let schemes: &[&str] = match request.get() {
        Some(Https(true)) => &["https"],
        Some(Https(false)) => &["http"],
        // A proxy that is not trusted may speak another scheme to this server than the client.
        None => &["http", "https"],
    };
    let host = Host::of(headers);
    let is_own = |origin: &HeaderValue| {
        let own = host.as_ref().zip(origin.to_str().ok());
        own.is_some_and(|(host, origin)| host.has_origin(origin, schemes))
    };
    headers.get_all(header::ORIGIN).iter().all(is_own)
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::Method;

    use super::*;

    const HOST: (&str, &str) = ("host", "chat.example");

    fn request(https: Option<bool>, headers: &[(&str, &str)]) -> Request {
        let mut request = Request::builder().method(Method::POST);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut request = request.body(Body::empty()).unwrap();
        if let Some(https) = https {
            request.extensions_mut().insert(Https(https));
        }
        request
    }

    fn allowed(headers: &[(&str, &str)]) -> bool {
        guard(&request(None, headers)).is_ok()
    }

    #[test]
    fn request_from_this_site_or_from_a_script_is_allowed() {
        assert!(allowed(&[HOST]));
        assert!(allowed(&[HOST, ("origin", "https://Chat.example")]));
        assert!(allowed(&[
            ("host", "chat.example:81"),
            ("origin", "http://chat.example:81")
        ]));
        assert!(allowed(&[
            ("host", "chat.example:443"),
            ("origin", "https://chat.example")
        ]));
        for site in ["same-origin", "none"] {
            assert!(allowed(&[HOST, ("sec-fetch-site", site)]));
        }
    }

    #[test]
    fn request_from_a_page_of_another_site_is_refused() {
        for origin in [
            "https://evil.example",
            "https://chat.example.evil.example",
            "http://chat.example:8080",
            "ftp://chat.example",
            "ws://chat.example",
            "null",
            "",
        ] {
            assert!(!allowed(&[HOST, ("origin", origin)]), "{origin}");
        }
        assert!(!allowed(&[("origin", "https://chat.example")]));
        let own = ("origin", "https://chat.example");
        for site in ["cross-site", "same-site", "another"] {
            let site = ("sec-fetch-site", site);
            assert!(!allowed(&[HOST, site]), "{site:?}");
            assert!(!allowed(&[HOST, own, site]), "{site:?} with the own origin");
        }
        assert!(!allowed(&[HOST, own, ("origin", "https://evil.example")]));
    }

    #[test]
    fn origin_has_the_scheme_that_the_client_uses() {
        for (https, origin, is_allowed) in [
            (Some(true), "https://chat.example", true),
            (Some(true), "http://chat.example", false),
            (Some(true), "ftp://chat.example", false),
            (Some(false), "http://chat.example", true),
            (Some(false), "https://chat.example", false),
            (None, "http://chat.example", true),
            (None, "https://chat.example", true),
            (None, "ftp://chat.example", false),
        ] {
            let request = request(https, &[HOST, ("origin", origin)]);
            assert_eq!(guard(&request).is_ok(), is_allowed, "{https:?} {origin}");
        }
    }

    #[tokio::test]
    async fn link_of_another_site_may_create_and_a_part_of_its_page_may_not() {
        let (cross, navigate) = (
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-mode", "navigate"),
        );
        let page = ("sec-fetch-dest", "document");
        let cases: [(&[(&str, &str)], bool); 12] = [
            (&[], true),
            (&[("sec-fetch-site", "none"), navigate, page], true),
            (
                &[
                    ("sec-fetch-site", "same-origin"),
                    ("sec-fetch-mode", "cors"),
                ],
                true,
            ),
            (&[cross, navigate, page], true),
            (&[("sec-fetch-site", "same-site"), navigate, page], true),
            (
                &[
                    cross,
                    ("sec-fetch-mode", "no-cors"),
                    ("sec-fetch-dest", "image"),
                ],
                false,
            ),
            (&[cross, navigate, ("sec-fetch-dest", "iframe")], false),
            (&[cross, ("sec-fetch-mode", "no-cors"), page], false),
            (&[cross, navigate], false),
            (&[cross], false),
            (
                &[cross, navigate, page, ("sec-purpose", "prefetch;prerender")],
                false,
            ),
            (&[("origin", "https://evil.example")], false),
        ];
        for (headers, is_allowed) in cases {
            let headers = [&[HOST], headers].concat();
            let (mut parts, _) = request(None, &headers).into_parts();
            let taken = Navigation::from_request_parts(&mut parts, &()).await;
            assert_eq!(taken.is_ok(), is_allowed, "{headers:?}");
        }
    }
}
