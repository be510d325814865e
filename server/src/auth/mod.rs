//! Sign-in by an OpenID Connect provider.
//!
//! # Not here
//! The requests of browsers (`routes::oidc`), and accounts (`chat`).

pub(crate) mod oidc_client;
mod oidc_provider;
mod provider_http;
