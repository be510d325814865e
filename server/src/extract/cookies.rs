//! Cookies: reading them from a request, and writing those that the server sets.

use std::time::Duration;

use axum::http::{HeaderMap, header};
use chat::{GUEST_LIFETIME, Session};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

/// The cookie of somebody who is signed in.
pub(crate) const SESSION: &str = "session";

/// The cookie with a guest's key.
pub(crate) const GUEST: &str = "guest";

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

/// The cookie by which a page's visitor keeps the name for a year.
pub(crate) fn name_cookie(username: &str) -> String {
    let name = utf8_percent_encode(username, NON_ALPHANUMERIC);
    format!("name={name}; Path=/; Max-Age=31536000; SameSite=Lax")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_found_among_others() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, "name=ada; xsession=no".parse().unwrap());
        headers.append(header::COOKIE, "guest=g;session=a.b.c".parse().unwrap());
        assert_eq!(cookie(&headers, SESSION), Some("a.b.c"));
        assert_eq!(cookie(&headers, "none"), None);
    }
}
