//! Accounts, sessions, guest keys, and attempts to act as another user.

mod accounts;
mod cross_site;
mod csrf;
mod instance_cookies;
mod name_claims;
mod oidc;
mod sign_in_pages;
mod sign_out;
mod tokens;
