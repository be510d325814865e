//! Shows a problem as the client asked: as a page, in the envelope of the answers about accounts,
//! or as a document.

use axum::extract::Request;
use axum::http::{Method, header};
use axum::response::Response;
use protocol::Problem;

use crate::error::headers_of_status;
use crate::extract::accept;
use crate::respond::envelope::{enclose_refusal, is_enveloped};
use crate::respond::page;

/// How the client of a request wants to see a problem.
pub(crate) enum ProblemFormat {
    /// As a page; for a `GET`, with the path that the browser can request again.
    Page(Option<String>),
    /// In the envelope of the answers about accounts.
    Envelope,
    /// As a document.
    Document,
}

impl ProblemFormat {
    /// The format for a request.
    pub fn of(request: &Request) -> Self {
        if accept::prefers_html(request.headers()) {
            let path = request.uri().path_and_query().map(ToString::to_string);
            return Self::Page(path.filter(|_| request.method() == Method::GET));
        }
        if is_enveloped(request.uri().path()) {
            Self::Envelope
        } else {
            Self::Document
        }
    }

    /// The answer; a problem in this format.
    pub fn apply(self, response: Response) -> Response {
        match (response.extensions().get::<Problem>().cloned(), self) {
            (Some(problem), Self::Page(path)) => {
                let page = page::problem(&problem, path.as_deref());
                keep_headers(page, &problem, &response)
            }
            (Some(problem), Self::Envelope) => enclose_refusal(response, problem),
            _ => response,
        }
    }
}

/// The page with the headers of the answer that tell the client how to go on.
fn keep_headers(mut page: Response, problem: &Problem, answer: &Response) -> Response {
    let of_status = headers_of_status(problem.status)
        .iter()
        .map(|(name, _)| name);
    let of_answer = [
        header::RETRY_AFTER,
        header::ALLOW,
        header::ACCEPT_ENCODING,
        header::SET_COOKIE,
    ];
    for name in of_status.chain(&of_answer) {
        for value in answer.headers().get_all(name) {
            page.headers_mut().append(name, value.clone());
        }
    }
    page
}
