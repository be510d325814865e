//! The mark of a session, in a cookie that scripts can read.
//!
//! # Guarantees
//! Each session has another mark, and a mark tells nothing about its session. By it a page that the
//! browser shows again notices that someone else is signed in.

use axum::http::HeaderValue;
use cookie::Cookie;
use sha2::{Digest, Sha256};

use crate::extract::cookies::{SESSION, SESSION_MARK};

/// For a cookie that begins or ends a session: the one that begins or ends its mark.
pub(crate) fn mark_session(cookie: &HeaderValue) -> Option<HeaderValue> {
    let session = Cookie::parse(cookie.to_str().ok()?).ok()?;
    if session.name() != SESSION {
        return None;
    }
    let mut mark = session.clone();
    mark.set_name(SESSION_MARK);
    mark.set_http_only(false);
    if !session.value().is_empty() {
        let digest = Sha256::digest(session.value());
        mark.set_value(format!(
            "{:02x}{:02x}{:02x}{:02x}",
            digest[0], digest[1], digest[2], digest[3]
        ));
    }
    HeaderValue::from_str(&mark.to_string()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(cookie: &'static str) -> Option<String> {
        let mark = mark_session(&HeaderValue::from_static(cookie))?;
        Some(mark.to_str().unwrap().to_owned())
    }

    #[test]
    fn mark_begins_and_ends_with_its_session_and_scripts_can_read_it() {
        let begun = mark("session=a.b.c; HttpOnly; Path=/; Max-Age=60").unwrap();
        assert!(
            begun.starts_with("account=") && !begun.contains("a.b.c"),
            "{begun}"
        );
        assert!(
            begun.contains("Max-Age=60") && !begun.contains("HttpOnly"),
            "{begun}"
        );
        assert_ne!(mark("session=a.b.d; Path=/; Max-Age=60").unwrap(), begun);
        let ended = mark("session=; HttpOnly; Path=/; Max-Age=0").unwrap();
        assert!(
            ended.starts_with("account=;") && ended.contains("Max-Age=0"),
            "{ended}"
        );
        assert_eq!(mark("guest=a.b.c; Path=/"), None);
    }
}
