//! Where a browser goes after a form or a sign-in: the value of `next`.
//!
//! # Guarantees
//! The result is a path of this site, whatever the client sent.

/// Where to go on: an address on this site, whatever was asked for.
pub(crate) fn local_path(next: Option<&str>) -> &str {
    let here = |next: &&str| {
        let plain = next
            .bytes()
            .all(|b| (b'!'..=b'~').contains(&b) && b != b'\\');
        plain && next.starts_with('/') && !next.starts_with("//")
    };
    next.filter(here).unwrap_or("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_led_away_from_this_site() {
        assert_eq!(
            local_path(Some("/rooms/0123456789abcdef/?a=1")),
            "/rooms/0123456789abcdef/?a=1"
        );
        for away in [
            "//evil.example",
            "https://evil.example",
            "/\\evil.example",
            "/a\r\nset-cookie: b",
            "",
            "rooms",
        ] {
            assert_eq!(local_path(Some(away)), "/", "{away}");
        }
    }
}
