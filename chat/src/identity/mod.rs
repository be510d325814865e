//! Who asks.

pub(crate) mod account;
pub(crate) mod name_skeleton;
pub(crate) mod oidc_identity;
pub(crate) mod password;
pub(crate) mod person;
pub(crate) mod session_watch;
pub(crate) mod token;
