//! Whether a request came over TLS, and the address under which the client reached this server.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap};

use crate::extract::host::Host;

/// Whether a request came over TLS, for example to mark a cookie as `Secure`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Https(pub bool);

impl Https {
    /// Reads it from the extensions of a request. A request without TLS has none, and so costs
    /// nothing.
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

/// The origin of this server as the client reached it, like `https://chat.example`; `None` without
/// a valid `Host` header.
pub(crate) fn site_origin(headers: &HeaderMap, Https(https): Https) -> Option<String> {
    let scheme = if https { "https" } else { "http" };
    Some(Host::of(headers)?.origin(scheme))
}

#[cfg(test)]
mod tests {
    use axum::extract::Request;
    use axum::http::{HeaderValue, header};

    use super::*;

    #[tokio::test]
    async fn request_is_https_if_its_connection_marks_it() {
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
    fn origin_is_the_host_that_the_client_used_and_nothing_else() {
        let at = |host: &'static str, https| {
            site_origin(
                &HeaderMap::from_iter([(header::HOST, HeaderValue::from_static(host))]),
                Https(https),
            )
        };
        assert_eq!(
            at("chat.example:8443", true).as_deref(),
            Some("https://chat.example:8443")
        );
        assert_eq!(
            at("chat.example:443", true).as_deref(),
            Some("https://chat.example")
        );
        assert_eq!(
            at("[::1]:8080", false).as_deref(),
            Some("http://[::1]:8080")
        );
        assert_eq!(at("a\"><b>", false), None);
        assert_eq!(site_origin(&HeaderMap::new(), Https(false)), None);
    }
}
