//! Browser APIs, each behind a few functions.
//!
//! # Guarantees
//! Nothing here depends on rooms, messages or pages.
//!
//! # Not here
//! The HTTP client (`api`) and the event stream (`connection`).

pub mod clipboard;
pub mod cookies;
pub mod dom;
pub mod indexed_db;
pub mod json;
pub mod local_storage;
pub mod service_worker;
pub mod startup;
pub mod web_lock;
