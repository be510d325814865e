//! Encodings of request bodies ([RFC 9110, section
//! 8.4](https://www.rfc-editor.org/rfc/rfc9110#section-8.4)): the server understands none.

use axum::body::HttpBody;
use axum::extract::Request;
use axum::http::header;
use protocol::Refusal;

/// Refuses a body that is encoded.
///
/// # Errors
/// [`Refusal::UnsupportedContentEncoding`] if it is.
pub(crate) fn check(request: &Request) -> Result<(), Refusal> {
    let mut encodings = request
        .headers()
        .get_all(header::CONTENT_ENCODING)
        .iter()
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','));
    let is_plain = encodings.all(|name| {
        let name = name.trim_ascii();
        name.is_empty() || name.eq_ignore_ascii_case(b"identity")
    });
    if is_plain || request.body().is_end_stream() {
        Ok(())
    } else {
        Err(Refusal::UnsupportedContentEncoding)
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    fn is_refused(encodings: &[&str], body: &'static str) -> bool {
        let mut request = Request::post("/rooms/");
        for encoding in encodings {
            request = request.header(header::CONTENT_ENCODING, *encoding);
        }
        check(&request.body(Body::from(body)).unwrap()).is_err()
    }

    #[test]
    fn encoded_body_is_refused() {
        for encodings in [
            &["gzip"][..],
            &["br, identity"],
            &["identity", "GZIP"],
            &["utf-8"],
        ] {
            assert!(is_refused(encodings, "{}"), "{encodings:?}");
            assert!(!is_refused(encodings, ""), "{encodings:?} without a body");
        }
        for encodings in [&[][..], &[""], &["identity"], &["Identity, identity"]] {
            assert!(!is_refused(encodings, "{}"), "{encodings:?}");
        }
    }
}
