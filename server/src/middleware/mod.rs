//! The steps around every handler: the client's address, the host, cookies, CSRF, admission,
//! problem pages, security headers.
//!
//! # Guarantees
//! Every answer carries the security headers; every refusal is a problem document, or a page that
//! shows it.
//!
//! # Not here
//! The order of the layers (`router`).

mod admission;
pub(crate) mod answer_admission;
pub(crate) mod client_ip;
pub(crate) mod content_encoding;
pub(crate) mod csrf;
pub(crate) mod instance_cookies;
pub(crate) mod language;
pub(crate) mod method_override;
pub(crate) mod one_host;
pub(crate) mod problem_pages;
pub(crate) mod security_headers;
mod session_mark;
