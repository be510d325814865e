//! What a form means: HTML forms know only `GET` and `POST`, so one may say `?method=DELETE` or `?method=PATCH` in its
//! address.
//!
//! Promises: it counts for forms that are posted, and for nothing else; everything behind sees the method that is meant,
//! so that what guards and counts requests (`origin`) treats it as such.

use axum::extract::Request;
use axum::http::{Method, header};

/// The request as it is meant.
pub(crate) fn meant(mut request: Request) -> Request {
    if let Some(method) = of_form(&request) {
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
    [Method::DELETE, Method::PATCH]
        .into_iter()
        .find(|method| form && method.as_str() == asked)
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
        meant(request.body(Body::empty()).unwrap()).method().clone()
    }

    #[test]
    fn only_a_form_that_is_posted_means_another_method() {
        let form = "application/x-www-form-urlencoded; charset=utf-8";
        assert_eq!(
            method(Method::POST, "/a/?method=DELETE", form),
            Method::DELETE
        );
        assert_eq!(
            method(Method::POST, "/a/?b=c&method=PATCH", form),
            Method::PATCH
        );
        for uri in [
            "/a/",
            "/a/?method=delete",
            "/a/?method=PUT",
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
}
