//! Signing in by a provider outside of this server.
//!
//! # Not here
//! What follows from a sign-in (`routes::oidc`), and accounts (`chat`).

pub(crate) mod oidc_client;
