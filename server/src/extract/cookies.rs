//! Cookies: reading those of a request, and writing those that the server sets.
//!
//! # Guarantees
//! Other sites' forms do not carry the server's cookies (`SameSite=Lax`), and scripts do not read
//! those that authenticate (`HttpOnly`). Over TLS every cookie is marked as `Secure` on its way out
//! (`middleware::security_headers`).

use std::time::Duration;

use axum::http::{HeaderMap, header};
use chat::{GUEST_LIFETIME, Session};
use cookie::{Cookie, SameSite};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

/// The cookie of a session.
pub(crate) const SESSION: &str = "session";

/// The cookie of a guest's key.
pub(crate) const GUEST: &str = "guest";

/// The cookie of a browser that is at the provider of sign-in, and the purpose of the seal on it.
pub(crate) const SIGN_IN: &str = "openid";

/// How long a person can take at the provider of sign-in.
pub(crate) const SIGN_IN_LIFETIME: Duration = Duration::from_secs(10 * 60);

/// The path of the routes of sign-in by a provider; browsers send [`SIGN_IN`] nowhere else.
const SIGN_IN_PATH: &str = "/login/openid/";

/// The cookie of the name under which a visitor writes.
const NAME: &str = "name";

/// The cookie by which the script of a page sees that the session is another one.
pub(crate) const SESSION_MARK: &str = "account";

/// The cookie of the language that a visitor has chosen.
pub(crate) const LANGUAGE: &str = "language";

/// The cookies that only pages set.
const OF_PAGES: [&str; 4] = [LANGUAGE, "suggested", "theme", "visits"];

/// How long a browser keeps the name of its visitor, and what else pages set.
const NAME_LIFETIME: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// The names and the values of a request's cookies.
pub(crate) fn all_cookies(headers: &HeaderMap) -> impl Iterator<Item = (&str, &str)> {
    let values = headers.get_all(header::COOKIE).iter();
    let values = values.filter_map(|value| value.to_str().ok());
    let cookies = values.flat_map(Cookie::split_parse).flatten();
    cookies.filter_map(|cookie| Some((cookie.name_raw()?, cookie.value_raw()?)))
}

/// The value of a cookie.
pub(crate) fn read_cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut cookies = all_cookies(headers);
    cookies.find_map(|(found, value)| (found == name).then_some(value))
}

/// The cookie by which a browser stays signed in.
pub(crate) fn session_cookie(session: &Session) -> String {
    private_cookie(SESSION, &session.token, "/", session.lifetime)
}

/// The cookie that signs a browser out.
pub(crate) fn no_session() -> String {
    private_cookie(SESSION, "", "/", Duration::ZERO)
}

/// The cookie of a guest's key.
pub(crate) fn guest_cookie(token: &str) -> String {
    private_cookie(GUEST, token, "/", GUEST_LIFETIME)
}

/// The cookie of a browser that is at the provider of sign-in.
pub(crate) fn sign_in_cookie(sealed: &str, lifetime: Duration) -> String {
    private_cookie(SIGN_IN, sealed, SIGN_IN_PATH, lifetime)
}

/// The cookie of this name with a value that a browser has sent. The value of a session may end
/// earlier than its cookie. `None` if the server has no cookie of this name.
pub(crate) fn known_cookie(name: &str, value: &str) -> Option<Cookie<'static>> {
    let lifetime = match name {
        SESSION | GUEST => GUEST_LIFETIME,
        SIGN_IN => SIGN_IN_LIFETIME,
        name if name == NAME || OF_PAGES.contains(&name) => NAME_LIFETIME,
        _ => return None,
    };
    let path = if name == SIGN_IN { SIGN_IN_PATH } else { "/" };
    let mut cookie = lasting_cookie(name, value, path, lifetime).into_owned();
    cookie.set_http_only(matches!(name, SESSION | GUEST | SIGN_IN));
    Some(cookie)
}

/// A cookie that scripts cannot read.
fn private_cookie(name: &str, value: &str, path: &str, lifetime: Duration) -> String {
    let mut cookie = lasting_cookie(name, value, path, lifetime);
    cookie.set_http_only(true);
    cookie.to_string()
}

/// The cookie of the name under which a visitor writes; the page reads it.
pub(crate) fn name_cookie(username: &str) -> String {
    let name = utf8_percent_encode(username, NON_ALPHANUMERIC).to_string();
    lasting_cookie(NAME, &name, "/", NAME_LIFETIME).to_string()
}

/// The cookie of a chosen language, or the one that ends the choice.
pub(crate) fn language_cookie(tag: Option<&str>) -> String {
    let lifetime = tag.map_or(Duration::ZERO, |_| NAME_LIFETIME);
    lasting_cookie(LANGUAGE, tag.unwrap_or_default(), "/", lifetime).to_string()
}

fn lasting_cookie<'a>(
    name: &'a str,
    value: &'a str,
    path: &'a str,
    lifetime: Duration,
) -> Cookie<'a> {
    let seconds = i64::try_from(lifetime.as_secs()).unwrap_or(i64::MAX);
    Cookie::build((name, value))
        .path(path)
        .max_age(cookie::time::Duration::seconds(seconds))
        .same_site(SameSite::Lax)
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookie_is_found_among_others() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, "name=ada; xsession=no".parse().unwrap());
        headers.append(header::COOKIE, "guest=g;session=a.b.c".parse().unwrap());
        assert_eq!(read_cookie(&headers, SESSION), Some("a.b.c"));
        assert_eq!(read_cookie(&headers, "none"), None);
    }

    #[test]
    fn cookie_that_authenticates_is_hidden_from_scripts_and_the_name_is_not() {
        let kept = sign_in_cookie("sealed", SIGN_IN_LIFETIME);
        for attribute in [
            "openid=sealed",
            "HttpOnly",
            "SameSite=Lax",
            "Path=/login/openid/",
            "Max-Age=600",
        ] {
            assert!(kept.split("; ").any(|part| part == attribute), "{kept}");
        }
        let name = name_cookie("ada l");
        assert!(name.starts_with("name=ada%20l;"), "{name}");
        assert!(
            !name.contains("HttpOnly") && name.contains("Max-Age=31536000"),
            "{name}"
        );
    }
}
