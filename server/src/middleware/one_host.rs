//! The host of each request ([RFC 9112, section
//! 3.2](https://www.rfc-editor.org/rfc/rfc9112#section-3.2)).
//!
//! # Guarantees
//! Every later step finds exactly one `Host` header, with a valid host, whatever the version of
//! HTTP and the form of the request's target.
//!
//! # Not here
//! What a host is, and how two are compared (`extract::host`).

use axum::extract::Request;
use axum::http::{HeaderValue, Version, header};
use protocol::Refusal;

use crate::extract::host::Host;

/// Moves the host of a request to its `Host` header, and returns it.
///
/// # Errors
/// [`Refusal::Malformed`] for a request without a host, with several, or with an invalid one.
pub(crate) fn require(request: &mut Request) -> Result<Host, Refusal> {
    let of_target = request
        .uri()
        .authority()
        .map(|host| host.as_str().to_owned());
    let sent = request.headers().get_all(header::HOST).iter().count();
    // Only HTTP/2 has the host in its target instead of the header.
    let is_enough = sent == 1 || (sent == 0 && request.version() == Version::HTTP_2);
    if !is_enough {
        return Err(no_single_host());
    }
    if let Some(target) = of_target {
        let value = HeaderValue::from_str(&target).map_err(|_| no_single_host())?;
        let replaced = request.headers_mut().insert(header::HOST, value);
        let differs =
            replaced.is_some_and(|host| !host.as_bytes().eq_ignore_ascii_case(target.as_bytes()));
        if differs && request.version() == Version::HTTP_2 {
            return Err(no_single_host());
        }
    }
    Host::of(request.headers()).ok_or_else(no_single_host)
}

fn no_single_host() -> Refusal {
    Refusal::Malformed("The request must have exactly one Host header, with a host.".to_owned())
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    /// The host of a request, or `None` if it is refused.
    fn host(version: Version, target: &str, sent: &[&str]) -> Option<String> {
        let mut request = Request::builder().version(version).uri(target);
        for host in sent {
            request = request.header(header::HOST, *host);
        }
        let mut request = request.body(Body::empty()).unwrap();
        require(&mut request).ok()?;
        assert_eq!(request.headers().get_all(header::HOST).iter().count(), 1);
        Some(request.headers()[header::HOST].to_str().unwrap().to_owned())
    }

    #[test]
    fn http_1_request_needs_one_host_header() {
        for version in [Version::HTTP_10, Version::HTTP_11] {
            assert_eq!(
                host(version, "/", &["a.example"]).as_deref(),
                Some("a.example")
            );
            for sent in [
                &[][..],
                &[""],
                &["a.example", "a.example"],
                &["a.example, b.example"],
            ] {
                assert_eq!(host(version, "/", sent), None, "{sent:?}");
            }
            for sent in [&[][..], &["a.example", "a.example"]] {
                assert_eq!(host(version, "http://a.example/", sent), None, "{sent:?}");
            }
        }
    }

    #[test]
    fn host_of_an_absolute_target_replaces_the_header() {
        let found = host(Version::HTTP_11, "http://a.example:81/", &["b.example"]);
        assert_eq!(found.as_deref(), Some("a.example:81"));
        assert_eq!(
            host(Version::HTTP_11, "http://ada@a.example/", &["a.example"]),
            None
        );
    }

    #[test]
    fn http_2_request_has_its_host_in_the_target_or_the_header() {
        let found = |target, sent: &[&str]| host(Version::HTTP_2, target, sent);
        let expected = Some("a.example".to_owned());
        assert_eq!(found("https://a.example/", &[]), expected);
        assert_eq!(found("/", &["a.example"]), expected);
        assert_eq!(found("https://a.example/", &["a.example"]), expected);
        assert_eq!(found("https://a.example/", &["b.example"]), None);
        assert_eq!(found("/", &[]), None);
    }
}
