//! The OpenAPI document: the description of the API that the routes declare.
//!
//! # Guarantees
//! The server describes every route that it answers, because the router has no other way to add
//! one.
//!
//! # Not here
//! The descriptions of single routes (`routes`), and the page that shows the document
//! (`routes::api_docs`).

mod forms;
pub(crate) mod responses;

use std::fmt;
use std::sync::OnceLock;

use bytes::Bytes;
use utoipa::openapi::OpenApi;

/// The document that the router has built from the descriptions of its routes.
pub(crate) struct ApiDocument {
    /// The document itself.
    pub openapi: OpenApi,
    /// The document as JSON, encoded for the first reader.
    pub json: OnceLock<Bytes>,
    /// The page that shows it, rendered for the first reader.
    pub page: OnceLock<Bytes>,
}

impl ApiDocument {
    /// A document whose page is not rendered yet.
    pub fn new(mut openapi: OpenApi) -> Self {
        forms::describe_forms(&mut openapi);
        Self {
            openapi,
            json: OnceLock::new(),
            page: OnceLock::new(),
        }
    }
}

impl fmt::Debug for ApiDocument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiDocument").finish_non_exhaustive()
    }
}
