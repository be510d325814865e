//! Hosts and origins: the first line of the input is the `Host`, the second one the `Origin`, the
//! third one the target of the request.

#![no_main]

use axum::body::Body;
use axum::http::header::{HOST, ORIGIN};
use axum::http::{HeaderValue, Request, Version};
use libfuzzer_sys::fuzz_target;
use server::fuzzing::{check_origin, local_path, origin, origin_of_request, override_method};

fuzz_target!(|text: &str| {
    let mut lines = text.split('\n');
    let mut line = || lines.next().unwrap_or_default();
    let (host, site, target) = (line(), line(), line());
    for scheme in ["http", "https"] {
        if let Some(origin) = origin(host, scheme) {
            check_host(host, scheme, &origin);
        }
    }
    check_site(host, site);
    check_target(host, target);
    check_path(host);
});

/// An origin holds nothing but a name and a port, and names its own host again.
fn check_host(host: &str, scheme: &str, own: &str) {
    let name = own
        .strip_prefix(scheme)
        .and_then(|rest| rest.strip_prefix("://"))
        .unwrap();
    let is_plain = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-' | b'_' | b':' | b'[' | b']');
    assert!(!name.is_empty() && name.bytes().all(is_plain), "{own}");
    assert_eq!(
        origin(name, scheme).as_deref(),
        Some(own),
        "a printed host is read back"
    );
    assert_eq!(
        origin(&host.to_ascii_uppercase(), scheme).as_deref(),
        Some(own)
    );
    assert!(
        may_write(host, own, None),
        "a page of {own} may write to {host}"
    );
    let is_https = scheme == "https";
    assert!(may_write(host, own, Some(is_https)));
    assert!(
        !may_write(host, own, Some(!is_https)),
        "another scheme is another site"
    );
    assert!(!may_write(host, &format!("{scheme}://x{name}"), None));
}

/// A page that may write is one of this host.
fn check_site(host: &str, site: &str) {
    if HeaderValue::from_str(site).is_err() || !may_write(host, site, None) {
        return;
    }
    let (scheme, name) = site.split_once("://").expect("an origin has a scheme");
    assert!(scheme == "http" || scheme == "https", "{scheme}");
    assert_eq!(origin(name, scheme), origin(host, scheme), "the same host");
    assert!(origin(host, scheme).is_some());
}

fn may_write(host: &str, site: &str, https: Option<bool>) -> bool {
    let request = Request::post("/").header(HOST, host).header(ORIGIN, site);
    let request = request.body(Body::empty());
    request.is_ok_and(|request| check_origin(request, https).is_ok())
}

/// A request that is let through has one `Host`, and its origin is the one of this header.
fn check_target(host: &str, target: &str) {
    for version in [Version::HTTP_10, Version::HTTP_11, Version::HTTP_2] {
        let request = Request::post(target).version(version).header(HOST, host);
        let Ok(request) = request.body(Body::empty()) else {
            return;
        };
        let mut request = override_method(request);
        if let Ok(found) = origin_of_request(&mut request, "https") {
            assert_eq!(request.headers().get_all(HOST).iter().count(), 1);
            let header = request.headers()[HOST].to_str().unwrap();
            assert_eq!(origin(header, "https"), Some(found));
        }
    }
}

/// A path after a form is one of this site.
fn check_path(next: &str) {
    let path = local_path(Some(next));
    assert!(
        path.starts_with('/') && !path.starts_with("//") && !path.contains('\\'),
        "{path}"
    );
    assert!(HeaderValue::from_str(path).is_ok());
    assert!(path == next || path == "/");
}
