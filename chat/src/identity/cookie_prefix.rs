//! Which tokens browsers may still send in cookies without a prefix.
//!
//! # Guarantees
//! - A token counts as old only if it was issued before a version that gives cookies a prefix first
//!   ran with this database. In a database that such a version has created, no token is old.
//!
//! # Not here
//! - Cookies and their names: the server.

use crate::Chat;

impl Chat {
    /// Whether this server issued the token before its cookies had a prefix, and it has not expired.
    pub fn is_older_than_cookie_prefix(&self, token: &str) -> bool {
        let inner = &self.0;
        let claims = inner.tokens.verify(token, inner.clock.now());
        claims.is_ok_and(|claims| claims.issued_by() <= inner.cookie_prefix_at)
    }
}
