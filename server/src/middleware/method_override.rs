//! Methods of forms: HTML forms have only `GET` and `POST`, so a form can name `?method=DELETE`,
//! `?method=PATCH` or `?method=PUT` in its address. Where a network lets only some methods through, a
//! client of the tus protocol names its method in `X-HTTP-Method-Override`.
//!
//! # Guarantees
//! Only a posted form, and a posted request to an upload, can change its method. Every later step sees the changed method, so that the
//! protection against cross-site requests and the limits apply to it.

use axum::extract::Request;
use axum::http::{Method, header};

/// The request with the method that its form names.
pub(crate) fn apply(mut request: Request) -> Request {
    if let Some(method) = of_form(&request).or_else(|| of_upload(&request)) {
        *request.method_mut() = method;
    }
    request
}

fn of_form(request: &Request) -> Option<Method> {
    let query = request
        .uri()
        .query()
        .filter(|_| request.method() == Method::POST)?;
    let asked = query
        .split('&')
        .find_map(|pair| pair.strip_prefix("method="))?;
    let kind = request
        .headers()
        .get(header::CONTENT_TYPE)?
        .to_str()
        .ok()?
        .split(';')
        .next()?
        .trim();
    let form = kind.eq_ignore_ascii_case("application/x-www-form-urlencoded");
    [Method::DELETE, Method::PATCH, Method::PUT]
        .into_iter()
        .find(|method| form && method.as_str() == asked)
}

fn of_upload(request: &Request) -> Option<Method> {
    let headers = request.headers();
    let is_upload = request.method() == Method::POST
        && request.uri().path().contains("/uploads/")
        && headers.contains_key("tus-resumable");
    let asked = headers
        .get("x-http-method-override")
        .filter(|_| is_upload)?;
    [Method::DELETE, Method::HEAD, Method::OPTIONS, Method::PATCH]
        .into_iter()
        .find(|method| asked == method.as_str())
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    fn method(method: Method, uri: &str, kind: &str) -> Method {
        let request = Request::builder()
            .method(method)
            .uri(uri)
            .header("content-type", kind);
        apply(request.body(Body::empty()).unwrap()).method().clone()
    }

    #[test]
    fn only_a_posted_form_changes_its_method() {
        let form = "application/x-www-form-urlencoded; charset=utf-8";
        assert_eq!(
            method(Method::POST, "/a/?method=DELETE", form),
            Method::DELETE
        );
        assert_eq!(
            method(Method::POST, "/a/?b=c&method=PATCH", form),
            Method::PATCH
        );
        assert_eq!(method(Method::POST, "/a/?method=PUT", form), Method::PUT);
        for uri in [
            "/a/",
            "/a/?method=delete",
            "/a/?method=GET",
            "/a/?method=",
            "/a/?xmethod=DELETE",
        ] {
            assert_eq!(method(Method::POST, uri, form), Method::POST, "{uri}");
        }
        for kind in [
            "application/json",
            "multipart/form-data; boundary=a",
            "text/plain",
            "",
        ] {
            assert_eq!(
                method(Method::POST, "/a/?method=DELETE", kind),
                Method::POST,
                "{kind}"
            );
        }
        for other in [Method::GET, Method::HEAD, Method::PUT] {
            assert_eq!(method(other.clone(), "/a/?method=DELETE", form), other);
        }
    }
    #[test]
    fn only_a_posted_request_to_an_upload_is_overridden_by_its_header() {
        let method = |method: Method, uri: &str, version: &str, asked: &str| {
            let request = Request::builder()
                .method(method)
                .uri(uri)
                .header(version, "1.0.0")
                .header("x-http-method-override", asked);
            apply(request.body(Body::empty()).unwrap()).method().clone()
        };
        let uri = "/rooms/1/uploads/2";
        for asked in [Method::PATCH, Method::DELETE, Method::HEAD, Method::OPTIONS] {
            let seen = method(Method::POST, uri, "tus-resumable", asked.as_str());
            assert_eq!(seen, asked);
        }
        for (sent, uri, version, asked) in [
            (Method::POST, uri, "tus-resumable", "GET"),
            (Method::POST, uri, "tus-resumable", "patch"),
            (Method::POST, uri, "other", "PATCH"),
            (Method::POST, "/rooms/1/", "tus-resumable", "DELETE"),
            (Method::GET, uri, "tus-resumable", "DELETE"),
        ] {
            assert_eq!(method(sent.clone(), uri, version, asked), sent, "{asked}");
        }
    }
}
