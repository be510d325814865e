//! Whether a request came over TLS, and under which address the client reached this server.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, header};

/// Whether a request came over TLS. Handlers ask for it as an argument, for example to mark a cookie as `Secure`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Https(pub bool);

impl Https {
    /// What a request says of itself. Those without TLS carry nothing, and so cost nothing.
    pub fn of(request: &Extensions) -> Self {
        request.get().copied().unwrap_or(Self(false))
    }
}

impl<S: Sync> FromRequestParts<S> for Https {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::of(&parts.extensions))
    }
}

/// Where this server is, as whoever asks reached it: `https://chat.example`, if they said so.
pub(crate) fn site_origin(headers: &HeaderMap, Https(secure): Https) -> Option<String> {
    let scheme = if secure { "https" } else { "http" };
    let host = headers.get(header::HOST)?.to_str().ok()?;
    // What is no name of a host is not repeated.
    let plain =
        |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b':' | b'[' | b']');
    (!host.is_empty() && host.bytes().all(plain)).then(|| format!("{scheme}://{host}"))
}

#[cfg(test)]
mod tests {
    use axum::extract::Request;
    use axum::http::HeaderValue;

    use super::*;

    #[tokio::test]
    async fn a_request_is_secure_if_its_connection_says_so() {
        let (mut parts, ()) = Request::new(()).into_parts();
        assert_eq!(
            Https::from_request_parts(&mut parts, &()).await,
            Ok(Https(false))
        );
        parts.extensions.insert(Https(true));
        assert_eq!(
            Https::from_request_parts(&mut parts, &()).await,
            Ok(Https(true))
        );
    }

    #[test]
    fn this_site_is_where_it_was_reached() {
        let at = |host: &'static str, secure| {
            site_origin(
                &HeaderMap::from_iter([(header::HOST, HeaderValue::from_static(host))]),
                Https(secure),
            )
        };
        assert_eq!(
            at("chat.example:8443", true).as_deref(),
            Some("https://chat.example:8443")
        );
        assert_eq!(
            at("[::1]:8080", false).as_deref(),
            Some("http://[::1]:8080")
        );
        assert_eq!(at("a\"><b>", false), None);
        assert_eq!(site_origin(&HeaderMap::new(), Https(false)), None);
    }
}
