//! Answers in the form that the client prefers: a page for a browser, data for other clients.
//!
//! # Guarantees
//! A refused form comes back as its page, with the status of the refusal and the error beside its
//! field. A form that is done leads to its field `next`, which is a path of this site.

use std::convert::Infallible;

use axum::Json;
use axum::extract::FromRequestParts;
use axum::http::header::{CACHE_CONTROL, VARY};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Serialize;

use crate::error::Error;
use crate::extract::accept;
use crate::extract::next::local_path;

/// An extension of an answer that is sent as it is: it is long, and compressing it would keep the
/// processor busy for one client.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Uncompressed;

/// The form of an answer that the client prefers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// A page.
    Html,
    /// Data.
    Json,
}

impl<S: Send + Sync> FromRequestParts<S> for Format {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::of(&parts.headers))
    }
}

impl Format {
    /// The form that these headers ask for.
    pub fn of(headers: &HeaderMap) -> Self {
        if accept::prefers_html(headers) {
            Self::Html
        } else {
            Self::Json
        }
    }

    /// Whether the client prefers a page.
    pub fn is_html(self) -> bool {
        self == Self::Html
    }

    /// Answers a change that is done: sends a browser to `next`, or to `page` without one; other
    /// clients get `data`.
    pub fn done(self, next: Option<&str>, page: &str, data: impl FnOnce() -> Response) -> Response {
        match self {
            Self::Html => redirect(next, page),
            Self::Json => data(),
        }
    }

    /// Answers a change. A browser is sent on by `done`, or gets the form again from `rerender`;
    /// other clients get `data` or the error.
    ///
    /// # Errors
    /// The error of the change, where no page shows it.
    pub async fn answer<T>(
        self,
        outcome: Result<T, Error>,
        done: impl FnOnce(&T) -> Response,
        data: impl FnOnce(T) -> Response,
        rerender: impl AsyncFnOnce(Error) -> Result<Response, Error>,
    ) -> Result<Response, Error> {
        match (outcome, self) {
            (Ok(value), Self::Html) => Ok(done(&value)),
            (Ok(value), Self::Json) => Ok(data(value)),
            (Err(error), Self::Html) => rerender(error).await,
            (Err(error), Self::Json) => Err(error),
        }
    }
}

/// Sends a browser to `next`, or to `page` without one.
pub(crate) fn redirect(next: Option<&str>, page: &str) -> Response {
    Redirect::to(next.map_or(page, |next| local_path(Some(next)))).into_response()
}

/// Data as the answer of a route that has other forms too.
pub(crate) fn json(data: impl Serialize) -> Response {
    ([(VARY, "Accept"), (CACHE_CONTROL, "no-store")], Json(data)).into_response()
}

/// An answer without a body.
pub(crate) fn no_content() -> Response {
    StatusCode::NO_CONTENT.into_response()
}
