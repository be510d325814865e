//! Answers: pages, pages with forms, negotiated answers, static files, the envelope of the answers
//! about accounts.
//!
//! # Not here
//! Problem documents (`error`), event streams (`stream`), the look of the pages (`app`).

pub(crate) mod assets;
pub(crate) mod byte_range;
pub(crate) mod content_disposition;
pub(crate) mod envelope;
pub(crate) mod form_page;
pub(crate) mod history;
pub(crate) mod negotiated;
pub(crate) mod page;
