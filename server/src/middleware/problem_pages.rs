//! Shows problems as the client asked: as a page, in the envelope of the answers about accounts, or as they are.

use axum::extract::Request;
use axum::http::{Method, header};
use axum::response::Response;
use protocol::Problem;

use crate::error::also;
use crate::extract::accept;
use crate::respond::envelope::{self, is_enveloped};
use crate::respond::page;

/// What there is to know of a request when its answer turns out to be a problem: how that is shown.
pub(crate) enum Asked {
    /// As a page, from which the address that was looked at can be tried again.
    Page(Option<String>),
    /// In the shape of the answers about accounts.
    Envelope,
    /// As it is.
    Data,
}

impl Asked {
    pub fn of(request: &Request) -> Self {
        if accept::prefers_html(request.headers()) {
            let looks = request.method() == Method::GET;
            return Self::Page(
                looks
                    .then(|| request.uri().path_and_query().map(ToString::to_string))
                    .flatten(),
            );
        }
        if is_enveloped(request.uri().path()) {
            Self::Envelope
        } else {
            Self::Data
        }
    }

    /// The answer, and if it is a problem, as it was asked for.
    pub fn show(self, response: Response) -> Response {
        match (response.extensions().get::<Problem>().cloned(), self) {
            (Some(problem), Self::Page(place)) => {
                let mut page = page::problem(&problem, place.as_deref());
                let also = also(problem.status).iter().map(|(name, _)| name);
                for name in also.chain(&[header::RETRY_AFTER, header::ALLOW]) {
                    if let Some(value) = response.headers().get(name) {
                        page.headers_mut().insert(name, value.clone());
                    }
                }
                page
            }
            (Some(problem), Self::Envelope) => envelope::refused(response, problem),
            _ => response,
        }
    }
}
