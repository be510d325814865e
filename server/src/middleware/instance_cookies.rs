//! The names of cookies. Browsers send a cookie to every port of its host, so each instance of the
//! server has names of its own: `session-0123abcd` with the instance's ID. Handlers read and set
//! them under the plain name, `session`.
//!
//! # Guarantees
//! A cookie of another instance on the same host is neither read nor changed. A cookie with a plain
//! name, as older versions have set it, is read once: the browser gets it under the new name, and
//! loses the old one. Who is behind a plain session or key is checked first, because it may belong
//! to another instance of an older version.
//!
//! # Not here
//! The values of the cookies (`extract::cookies`), and the script of pages, which finds the
//! instance's ID in the document (`app`).

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use chat::Person;
use cookie::Cookie;
use cookie::time::Duration;
use serde::de::IgnoredAny;

use crate::extract::cookies::{GUEST, SESSION, SIGN_IN, known_cookie};
use crate::state::AppState;

/// The `Set-Cookie` headers that move cookies with plain names to the names of this instance.
pub(crate) type Moves = Vec<HeaderValue>;

/// Gives handlers the cookies of this instance, under their plain names.
pub(crate) async fn take_own(state: &AppState, request: &mut Request) -> Moves {
    if !request.headers().contains_key(header::COOKIE) {
        return Moves::new();
    }
    let (mut own, plain) = split_cookies(request.headers(), &state.cookie_suffix);
    let mut moves = Moves::new();
    for (name, value) in plain {
        let is_known = own.iter().any(|(known, _)| *known == name);
        if is_known || !is_of_this_instance(state, &name, &value).await {
            continue;
        }
        moves.extend(move_cookie(&name, &value, &state.cookie_suffix));
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
type Pair = (String, String);

/// The cookies of this instance under their plain names, and those that the browser has under plain
/// names.
fn split_cookies(headers: &HeaderMap, suffix: &str) -> (Vec<Pair>, Vec<Pair>) {
    let values = headers.get_all(header::COOKIE).iter();
    let pairs = values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='));
    let mut own = Vec::new();
    let mut plain = Vec::new();
    for (name, value) in pairs {
        match name.strip_suffix(suffix) {
            Some(name) => own.push((name.to_owned(), value.to_owned())),
            None => plain.push((name.to_owned(), value.to_owned())),
        }
    }
    (own, plain)
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

/// Sets a cookie under the name of this instance, and removes it under its plain name.
fn move_cookie(name: &str, value: &str, suffix: &str) -> Moves {
    let Some(cookie) = known_cookie(name, value) else {
        return Moves::new();
    };
    let mut kept = cookie.clone();
    kept.set_name(format!("{name}{suffix}"));
    let mut removed = cookie;
    removed.set_value("");
    removed.set_max_age(Duration::ZERO);
    let header = |cookie: Cookie<'_>| HeaderValue::from_str(&cookie.to_string()).ok();
    [kept, removed].into_iter().filter_map(header).collect()
}

/// Gives the cookies that an answer sets the names of this instance, after the `moves` of the
/// request's cookies.
pub(crate) fn name_own(state: &AppState, response: &mut Response, moves: Moves) {
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
    let renamed = set
        .iter()
        .filter_map(|cookie| add_suffix(cookie, &state.cookie_suffix));
    for cookie in moves.chain(renamed) {
        headers.append(header::SET_COOKIE, cookie);
    }
}

/// A `Set-Cookie` header with the suffix at the end of the cookie's name.
fn add_suffix(cookie: &HeaderValue, suffix: &str) -> Option<HeaderValue> {
    let (name, rest) = cookie.to_str().ok()?.split_once('=')?;
    HeaderValue::from_str(&format!("{name}{suffix}={rest}")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(name: &str, value: &str) -> Pair {
        (name.to_owned(), value.to_owned())
    }

    #[test]
    fn cookies_of_other_instances_are_left_out() {
        let mut headers = HeaderMap::new();
        let sent = "session-1=a=b; session-2=c; name=ada";
        headers.append(header::COOKIE, HeaderValue::from_static(sent));
        headers.append(header::COOKIE, HeaderValue::from_static("theme-1=dark"));
        let (own, plain) = split_cookies(&headers, "-1");
        assert_eq!(own, [pair("session", "a=b"), pair("theme", "dark")]);
        // What is not known is not moved.
        assert_eq!(plain, [pair("session-2", "c"), pair("name", "ada")]);
        assert!(move_cookie("session-2", "c", "-1").is_empty());
    }

    #[test]
    fn plain_cookie_is_moved_with_its_attributes() {
        let moves = move_cookie("guest", "key", "-1");
        let moves: Vec<_> = moves
            .iter()
            .map(|cookie| cookie.to_str().unwrap())
            .collect();
        let [kept, removed] = moves[..] else {
            panic!("{moves:?}");
        };
        assert!(
            kept.starts_with("guest-1=key; HttpOnly; SameSite=Lax; Path=/; Max-Age="),
            "{kept}"
        );
        assert_eq!(removed, "guest=; HttpOnly; SameSite=Lax; Path=/; Max-Age=0");
    }
}
