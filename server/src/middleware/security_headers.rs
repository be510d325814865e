//! The security headers, which every answer carries.

use axum::http::header::{
    CONTENT_SECURITY_POLICY, Entry, HeaderName, REFERRER_POLICY, SET_COOKIE,
    STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::Response;

use crate::extract::https::Https;

/// The headers of every answer. A page sets a policy of its own; other answers may load and do
/// nothing in a browser.
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

/// Tells browsers that came over TLS to use TLS only, for a year
/// ([RFC 6797](https://www.rfc-editor.org/rfc/rfc6797#section-6.1)).
const TLS_ONLY: &str = "max-age=31536000";

/// Adds the headers that an answer does not set itself.
pub(crate) fn add(mut response: Response, Https(https): Https) -> Response {
    response.headers_mut().reserve(SECURITY.len());
    for (name, value) in SECURITY {
        response
            .headers_mut()
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    }
    if https {
        response.headers_mut().insert(
            STRICT_TRANSPORT_SECURITY,
            HeaderValue::from_static(TLS_ONLY),
        );
        keep_cookies_secure(response.headers_mut());
    }
    response
}

/// Marks the cookies of an answer over TLS as `Secure`, so that browsers do not send them without
/// TLS.
fn keep_cookies_secure(headers: &mut HeaderMap) {
    if let Entry::Occupied(mut cookies) = headers.entry(SET_COOKIE) {
        for cookie in cookies.iter_mut() {
            // A header with more ASCII is still a header.
            if let Ok(secure) = HeaderValue::from_bytes(&[cookie.as_bytes(), b"; Secure"].concat())
            {
                *cookie = secure;
            }
        }
    }
}
