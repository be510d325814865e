//! The names of cookies. Browsers send a cookie to every port of its host, so each instance of the
//! server has names of its own: `session-0123abcd` with the instance's ID. Over TLS, the names of
//! the cookies that authenticate also begin with `__Host-`, so that no other host of the same domain
//! can set them, nor anybody without TLS ([RFC
//! 6265bis](https://httpwg.org/http-extensions/draft-ietf-httpbis-rfc6265bis.html#name-the-__host-prefix)).
//! Handlers read and set all cookies under the plain name, `session`.
//!
//! # Guarantees
//! A cookie of another instance on the same host is neither read nor changed. Over TLS, a cookie
//! that authenticates is read under the name with the prefix only. If a browser has two values of it
//! without TLS, another host of the domain may have set one: neither is read, because the planted one
//! can be valid, too.
//!
//! A cookie with an older name, without the instance's ID or without the prefix, is read once: the
//! browser gets it under the new name, and loses the old one. Who is behind an old session or key is
//! checked first, because it may belong to another instance of an older version. Over TLS, another
//! host of the domain may have set the older name, so that only a session or key is read that was
//! issued before this instance had the prefix, and no sign-in; a browser that has a cookie with the
//! prefix has none with an older name to be taken over.
//!
//! # Not here
//! The values of the cookies (`extract::cookies`), and the script of pages, which finds the
//! instance's ID in the document (`app`).

use std::collections::{HashMap, HashSet};

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use chat::Person;
use cookie::Cookie;
use cookie::time::Duration;
use serde::de::IgnoredAny;

use crate::extract::cookies::{GUEST, SESSION, SIGN_IN, all_cookies, known_cookie};
use crate::extract::https::Https;
use crate::middleware::session_mark::mark_session;
use crate::state::AppState;

/// The beginning of names that browsers accept only from this host over TLS, with the path `/`.
const HOST_PREFIX: &str = "__Host-";

/// The `Set-Cookie` headers that move cookies with older names to the names of this instance.
pub(crate) type Moves = Vec<HeaderValue>;

/// Gives handlers the cookies of this instance, under their plain names.
pub(crate) async fn take_own(state: &AppState, request: &mut Request) -> Moves {
    if !request.headers().contains_key(header::COOKIE) {
        return Moves::new();
    }
    let names = Names::of(state, Https::of(request.extensions()));
    let (mut own, old) = names.split_cookies(request.headers());
    let mut moves = Moves::new();
    for OldCookie { name, sent, value } in old {
        let is_known = own.iter().any(|(known, _)| *known == name);
        if is_known || !names.can_be_own(state, &name, &value).await {
            continue;
        }
        moves.extend(names.move_cookie(&name, &sent, &value));
        own.push((name, value));
    }
    request.headers_mut().remove(header::COOKIE);
    let pairs: Vec<_> = own
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    if let Ok(cookies) = HeaderValue::from_str(&pairs.join("; ")) {
        request.headers_mut().insert(header::COOKIE, cookies);
    }
    moves
}

/// The name and the value of a cookie.
pub(crate) type Pair = (String, String);

/// A cookie with an older name.
#[derive(Debug)]
pub(crate) struct OldCookie {
    /// The plain name.
    name: String,
    /// The name under which the browser has sent it.
    sent: String,
    value: String,
}

/// Whether a cookie with this plain name authenticates its browser.
fn authenticates(name: &str) -> bool {
    matches!(name, SESSION | GUEST | SIGN_IN)
}

/// The names of this instance's cookies on one kind of connection.
#[derive(Clone, Copy)]
pub(crate) struct Names<'a> {
    pub suffix: &'a str,
    pub is_https: bool,
}

impl<'a> Names<'a> {
    fn of(state: &'a AppState, Https(is_https): Https) -> Self {
        let suffix = &state.cookie_suffix;
        Self { suffix, is_https }
    }

    fn has_prefix(self, name: &str) -> bool {
        self.is_https && authenticates(name)
    }

    /// The name of this instance's cookie.
    fn full_name(self, name: &str) -> String {
        let prefix = if self.has_prefix(name) {
            HOST_PREFIX
        } else {
            ""
        };
        format!("{prefix}{name}{}", self.suffix)
    }

    /// The cookies of this instance under their plain names, and those that the browser has under
    /// older names.
    pub(crate) fn split_cookies(self, headers: &HeaderMap) -> (Vec<Pair>, Vec<OldCookie>) {
        let mut own: Vec<Pair> = Vec::new();
        let mut old: Vec<OldCookie> = Vec::new();
        for (sent, value) in all_cookies(headers) {
            let name = sent.strip_suffix(self.suffix).unwrap_or(sent);
            let name = name.strip_prefix(HOST_PREFIX).unwrap_or(name);
            // A name with a tab at its end would be read as the one without, past all rules.
            if known_cookie(name, value).is_none() {
                continue;
            }
            let value = value.to_owned();
            if self.full_name(name) == sent {
                own.push((name.to_owned(), value));
            } else if !sent.starts_with(HOST_PREFIX) {
                let (name, sent) = (name.to_owned(), sent.to_owned());
                old.push(OldCookie { name, sent, value });
            }
        }
        let sent = own.iter().map(|(name, value)| (&**name, &**value));
        let ambiguous = ambiguous_names(sent);
        own.retain(|(name, _)| !authenticates(name) || !ambiguous.contains(name));
        let sent = old.iter().map(|cookie| (&*cookie.sent, &*cookie.value));
        let ambiguous = ambiguous_names(sent);
        old.retain(|cookie| !authenticates(&cookie.name) || !ambiguous.contains(&cookie.sent));
        if own.iter().any(|(name, _)| self.has_prefix(name)) {
            old.retain(|cookie| !authenticates(&cookie.name));
        }
        (own, old)
    }

    /// Sets a cookie under the name of this instance, and removes it under the one that was sent.
    fn move_cookie(self, name: &str, sent: &str, value: &str) -> Moves {
        let Some(cookie) = known_cookie(name, value) else {
            return Moves::new();
        };
        let mut kept = cookie.clone();
        kept.set_name(self.full_name(name));
        if self.has_prefix(name) {
            kept.set_path("/");
        }
        let mut removed = cookie;
        removed.set_name(sent.to_owned());
        removed.set_value("");
        removed.set_max_age(Duration::ZERO);
        let header = |cookie: Cookie<'_>| HeaderValue::from_str(&cookie.to_string()).ok();
        [kept, removed].into_iter().filter_map(header).collect()
    }

    /// A `Set-Cookie` header with this instance's name of the cookie.
    fn rename(self, cookie: &HeaderValue) -> Option<HeaderValue> {
        let mut cookie = Cookie::parse(cookie.to_str().ok()?).ok()?;
        if self.has_prefix(cookie.name()) {
            cookie.set_path("/");
        }
        cookie.set_name(self.full_name(cookie.name()));
        HeaderValue::from_str(&cookie.to_string()).ok()
    }
}

/// The names under which these cookies have several values.
fn ambiguous_names<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> HashSet<String> {
    let mut first = HashMap::new();
    let differs = |(name, value)| (*first.entry(name).or_insert(value) != value).then_some(name);
    pairs.filter_map(differs).map(str::to_owned).collect()
}

impl Names<'_> {
    /// Whether a cookie with an older name is one that this instance has set.
    async fn can_be_own(self, state: &AppState, name: &str, value: &str) -> bool {
        let is_old = match name {
            _ if !self.has_prefix(name) => true,
            // It would be the sign-in of another person.
            SIGN_IN => false,
            _ => state.chat.is_older_than_cookie_prefix(value),
        };
        is_old && is_of_this_instance(state, name, value).await
    }
}

/// Whether this instance has set the cookie, as far as one can tell: the values that pages set do
/// not show it.
async fn is_of_this_instance(state: &AppState, name: &str, value: &str) -> bool {
    match name {
        SESSION | GUEST => match state.chat.authenticate_token(value).await {
            Ok(Person::Account(_)) => name == SESSION,
            Ok(Person::Guest(_)) => name == GUEST,
            _ => false,
        },
        SIGN_IN => state.chat.unseal::<IgnoredAny>(SIGN_IN, value).is_some(),
        _ => known_cookie(name, value).is_some(),
    }
}

/// Gives the cookies that an answer sets the names of this instance, after the `moves` of the
/// request's cookies.
pub(crate) fn name_own(state: &AppState, https: Https, response: &mut Response, moves: Moves) {
    let headers = response.headers_mut();
    let set: Vec<_> = headers
        .get_all(header::SET_COOKIE)
        .iter()
        .cloned()
        .collect();
    if set.is_empty() && moves.is_empty() {
        return;
    }
    headers.remove(header::SET_COOKIE);
    // A proxy may give a public answer to other people.
    let cached = headers.get(header::CACHE_CONTROL);
    let is_public = cached.is_some_and(|value| value.as_bytes().starts_with(b"public"));
    let moves = moves.into_iter().filter(|_| !is_public);
    let names = Names::of(state, https);
    let marks: Vec<_> = set.iter().filter_map(mark_session).collect();
    let renamed = set
        .iter()
        .chain(&marks)
        .filter_map(|cookie| names.rename(cookie));
    for cookie in moves.chain(renamed) {
        headers.append(header::SET_COOKIE, cookie);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::cookies::read_cookie;

    fn pair(name: &str, value: &str) -> Pair {
        (name.to_owned(), value.to_owned())
    }

    const PLAIN: Names<'_> = Names {
        suffix: "-1",
        is_https: false,
    };

    const HTTPS: Names<'_> = Names {
        is_https: true,
        ..PLAIN
    };

    fn split(names: Names<'_>, sent: &'static str) -> (Vec<Pair>, Vec<String>) {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, HeaderValue::from_static(sent));
        let (own, old) = names.split_cookies(&headers);
        let old = old.into_iter().map(|cookie| cookie.sent);
        (own, old.collect())
    }

    #[test]
    fn cookies_of_other_instances_are_left_out() {
        let mut headers = HeaderMap::new();
        let sent = "session-1=a=b; session-2=c; name=ada";
        headers.append(header::COOKIE, HeaderValue::from_static(sent));
        headers.append(header::COOKIE, HeaderValue::from_static("theme-1=dark"));
        let (own, old) = PLAIN.split_cookies(&headers);
        assert_eq!(own, [pair("session", "a=b"), pair("theme", "dark")]);
        // What is not known is not moved.
        let sent: Vec<_> = old.iter().map(|cookie| &cookie.sent).collect();
        assert_eq!(sent, ["name"]);
        assert!(PLAIN.move_cookie("session-2", "session-2", "c").is_empty());
    }

    #[test]
    fn cookies_are_split_as_handlers_read_them() {
        for sent in [
            "session-1= \"a\" ; guest-1=b",
            " session-1 =a;;=x;y; guest-1 = b",
        ] {
            let headers = HeaderMap::from_iter([(header::COOKIE, HeaderValue::from_static(sent))]);
            let (own, _) = PLAIN.split_cookies(&headers);
            assert_eq!(own.len(), 2, "{sent}");
            for (name, value) in own {
                let read = read_cookie(&headers, &format!("{name}-1"));
                assert_eq!(read, Some(value.as_str()), "{sent}");
            }
        }
    }

    #[test]
    fn cookie_with_an_older_name_is_moved_with_its_attributes() {
        let cases = [
            (PLAIN, "guest", "guest-1"),
            (HTTPS, "guest", "__Host-guest-1"),
            (HTTPS, "guest-1", "__Host-guest-1"),
        ];
        for (names, sent, name) in cases {
            let moves = names.move_cookie("guest", sent, "key");
            let moves: Vec<_> = moves
                .iter()
                .map(|cookie| cookie.to_str().unwrap())
                .collect();
            let [kept, removed] = moves[..] else {
                panic!("{moves:?}");
            };
            let attributes = "; HttpOnly; SameSite=Lax; Path=/; Max-Age=";
            assert!(
                kept.starts_with(&format!("{name}=key{attributes}")),
                "{kept}"
            );
            assert_eq!(removed, format!("{sent}={attributes}0"));
        }
    }

    #[test]
    fn over_tls_only_the_prefix_authenticates() {
        let (own, old) = split(
            HTTPS,
            "__Host-session-1=a; session-1=b; session=c; theme-1=d",
        );
        assert_eq!(own, [pair("session", "a"), pair("theme", "d")]);
        assert!(old.is_empty(), "{old:?}");
        // Also if the browser has another cookie with the prefix.
        let (own, old) = split(HTTPS, "session-1=b; __Host-guest-1=g");
        assert_eq!(own, [pair("guest", "g")]);
        assert!(old.is_empty(), "{old:?}");
        // A browser that has none yet.
        let (own, old) = split(HTTPS, "session-1=b; guest=g; name=ada");
        assert!(own.is_empty(), "{own:?}");
        assert_eq!(old, ["session-1", "guest", "name"]);
        // Without TLS, the server has set no cookie with the prefix.
        let (own, old) = split(PLAIN, "__Host-session-1=a; session-1=b");
        assert_eq!(own, [pair("session", "b")]);
        assert!(old.is_empty(), "{old:?}");
    }

    #[test]
    fn name_with_white_space_at_its_end_is_no_cookie_of_this_server() {
        for cookies in [
            "session\t-1=a",
            "session -1=a",
            "__Host-session\t-1=a",
            "guest\t-1=g",
        ] {
            for connection in [PLAIN, HTTPS] {
                let (own, old) = split(connection, cookies);
                assert!(
                    own.is_empty() && old.is_empty(),
                    "{cookies}: {own:?} {old:?}"
                );
            }
        }
    }

    #[test]
    fn cookie_that_authenticates_with_two_values_is_none() {
        let (own, _) = split(
            PLAIN,
            "session-1=a; guest-1=g; session-1=b; guest-1=g; theme-1=c",
        );
        let expected = [pair("guest", "g"), pair("guest", "g"), pair("theme", "c")];
        assert_eq!(own, expected);
        let (_, old) = split(HTTPS, "session-1=a; session-1=b; session=c");
        assert_eq!(old, ["session"]);
    }

    #[test]
    fn set_cookie_gets_the_path_that_its_prefix_needs() {
        let set = HeaderValue::from_static(
            "openid=x; HttpOnly; SameSite=Lax; Path=/login/openid/; Max-Age=600",
        );
        let rest = "=x; HttpOnly; SameSite=Lax; Path=";
        let renamed = |names: Names<'_>| names.rename(&set).unwrap().to_str().unwrap().to_owned();
        assert_eq!(
            renamed(PLAIN),
            format!("openid-1{rest}/login/openid/; Max-Age=600")
        );
        assert_eq!(
            renamed(HTTPS),
            format!("__Host-openid-1{rest}/; Max-Age=600")
        );
    }
}
