//! The headers that every answer carries.

use axum::http::header::{
    CONTENT_SECURITY_POLICY, Entry, HeaderName, REFERRER_POLICY, SET_COOKIE,
    STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::Response;

use crate::extract::https::Https;

/// Pages bring a policy of their own; nothing else has any business in a browser's window.
const SECURITY: [(HeaderName, &str); 6] = [
    (
        CONTENT_SECURITY_POLICY,
        "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (X_FRAME_OPTIONS, "DENY"),
    (REFERRER_POLICY, "same-origin"),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
];

/// For whoever has come over TLS: to come without it no more, for a year
/// ([RFC 6797](https://www.rfc-editor.org/rfc/rfc6797#section-6.1)).
const TLS_ONLY: &str = "max-age=31536000";

/// Adds what an answer does not say itself.
pub(crate) fn secure(mut response: Response, Https(secure): Https) -> Response {
    response.headers_mut().reserve(SECURITY.len());
    for (name, value) in SECURITY {
        response
            .headers_mut()
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    }
    if secure {
        response.headers_mut().insert(
            STRICT_TRANSPORT_SECURITY,
            HeaderValue::from_static(TLS_ONLY),
        );
        keep_cookies_secure(response.headers_mut());
    }
    response
}

/// Cookies that were given over TLS are not to be shown without it.
fn keep_cookies_secure(headers: &mut HeaderMap) {
    if let Entry::Occupied(mut cookies) = headers.entry(SET_COOKIE) {
        for cookie in cookies.iter_mut() {
            // What was a header and ASCII stays one.
            if let Ok(secure) = HeaderValue::from_bytes(&[cookie.as_bytes(), b"; Https"].concat()) {
                *cookie = secure;
            }
        }
    }
}
