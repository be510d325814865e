//! Cookies: each line of the input is a `Cookie` header; its first line is a name too.

#![no_main]

use app::fuzzing::read_cookie as read_in_app;
use axum::http::header::COOKIE;
use axum::http::{HeaderMap, HeaderValue};
use libfuzzer_sys::fuzz_target;
use percent_encoding::percent_decode_str;
use server::fuzzing::{known_cookie, name_cookie, own_cookies, read_cookie};

const NAMES: [&str; 6] = ["session", "guest", "openid", "name", "theme", "visits"];

fuzz_target!(|data: &[u8]| {
    let lines = data.split(|byte| *byte == b'\n');
    let values: Vec<HeaderValue> = lines
        .filter_map(|line| HeaderValue::from_bytes(line).ok())
        .collect();
    let headers: HeaderMap = values.iter().map(|value| (COOKIE, value.clone())).collect();
    for name in NAMES {
        if let Some(value) = read_cookie(&headers, name) {
            check_value(name, value);
        }
    }
    check_own(&headers, false);
    check_own(&headers, true);
    if let Some(Ok(text)) = data
        .split(|byte| *byte == b'\n')
        .next()
        .map(std::str::from_utf8)
    {
        check_name(text);
    }
});

/// A value is sent back as one cookie, with the attributes of the server alone.
fn check_value(name: &str, value: &str) {
    assert!(!value.contains(';') && value.is_ascii(), "{value:?}");
    let cookie = known_cookie(name, value).expect("the server has a cookie of this name");
    let mut parts = cookie.split("; ");
    assert_eq!(parts.next(), Some(format!("{name}={value}").as_str()));
    let is_attribute = |part: &str| {
        part == "HttpOnly"
            || ["SameSite=Lax", "Path=/", "Path=/login/openid/"].contains(&part)
            || part
                .strip_prefix("Max-Age=")
                .is_some_and(|age| age.parse::<u64>().is_ok())
    };
    assert!(parts.all(is_attribute), "{cookie:?}");
    assert!(HeaderValue::from_str(&cookie).is_ok());
}

/// Cookies of this instance that are sent under their plain names are read under these, and those
/// that authenticate have one value.
fn check_own(headers: &HeaderMap, is_https: bool) {
    let own = own_cookies(headers, "-0123abcd", is_https);
    let print = |(name, value): &(String, String)| format!("{name}={value}");
    let pairs: Vec<_> = own.iter().map(print).collect();
    let plain = HeaderValue::from_str(&pairs.join("; ")).expect("pairs of a header are a header");
    let plain = HeaderMap::from_iter([(COOKIE, plain)]);
    for name in NAMES {
        let mut values = own.iter().filter(|(own, _)| own == name);
        let first = values.next().map(|(_, value)| value.as_str());
        assert_eq!(read_cookie(&plain, name), first, "{name} in {pairs:?}");
        let is_single = values.all(|(_, value)| Some(value.as_str()) == first);
        let authenticates = ["session", "guest", "openid"].contains(&name);
        assert!(is_single || !authenticates, "{name} in {pairs:?}");
        if is_https && authenticates && first.is_some() {
            let sent = format!("__Host-{name}-0123abcd");
            assert_eq!(
                read_cookie(headers, &sent),
                first,
                "browsers protect {sent}"
            );
        }
    }
}

/// Server and browser read the name back that the server has set.
fn check_name(name: &str) {
    let cookie = name_cookie(name);
    let pair = cookie.split("; ").next().unwrap();
    let headers = HeaderMap::from_iter([(COOKIE, HeaderValue::from_str(pair).unwrap())]);
    let value = read_cookie(&headers, "name").expect("the cookie is read");
    assert_eq!(percent_decode_str(value).decode_utf8().unwrap(), name);
    assert_eq!(read_in_app(pair, "name").as_deref(), Some(name));
}
