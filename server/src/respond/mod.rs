//! Answers: pages, pages with forms, static files, the envelope of the answers about accounts.
//!
//! # Not here
//! Problem documents (`error`), event streams (`stream`).

pub(crate) mod assets;
pub(crate) mod envelope;
pub(crate) mod form_page;
pub(crate) mod page;
