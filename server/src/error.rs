//! Refusals and faults as answers: problem documents ([RFC
//! 9457](https://www.rfc-editor.org/rfc/rfc9457)).

use std::sync::LazyLock;
use std::time::Instant;

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use protocol::{Problem, Refusal};
use texts::{Language, refusal};

use crate::log_throttle::LogThrottle;

/// Requests that the database did not answer: while it is away, that is most of them.
static UNANSWERED: LazyLock<LogThrottle> = LazyLock::new(LogThrottle::default);

/// The refusal or the fault that a handler answers with.
#[derive(Debug)]
pub(crate) struct Error(chat::Error);

impl<E: Into<chat::Error>> From<E> for Error {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl Error {
    /// The refusal, if it is one.
    pub fn refusal(&self) -> Option<&Refusal> {
        match &self.0 {
            chat::Error::Refusal(refusal) => Some(refusal),
            chat::Error::Unavailable(_) | chat::Error::Fault(_) => None,
        }
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let is_encoded = matches!(self.refusal(), Some(Refusal::UnsupportedContentEncoding));
        let problem = problem(self.0);
        let mut response = json(&problem);
        if is_encoded {
            // Other refusals with this status must not have the header (RFC 9110, section 12.5.3).
            response.headers_mut().insert(
                header::ACCEPT_ENCODING,
                HeaderValue::from_static("identity"),
            );
        }
        if let Some(wait) = problem.retry_after {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from(wait));
        }
        for (name, value) in headers_of_status(problem.status) {
            response
                .headers_mut()
                .insert(name, HeaderValue::from_static(value));
        }
        response.extensions_mut().insert(problem);
        response
    }
}

/// The versions of the upload protocol.
static UPLOAD_VERSIONS: [(HeaderName, &str); 1] =
    [(HeaderName::from_static("tus-version"), "1.0.0")];

/// The headers of an answer with this status that tell the client how to go on.
pub(crate) fn headers_of_status(status: u16) -> &'static [(HeaderName, &'static str)] {
    match status {
        401 => &[(header::WWW_AUTHENTICATE, "Bearer")],
        408 | 413 => &[(header::CONNECTION, "close")],
        412 => &UPLOAD_VERSIONS,
        426 => &[
            (header::CONNECTION, "upgrade"),
            (header::UPGRADE, "websocket"),
            (header::SEC_WEBSOCKET_VERSION, "13"),
        ],
        _ => &[],
    }
}

/// The problem document of an error.
pub(crate) fn problem(error: chat::Error) -> Problem {
    match error {
        chat::Error::Refusal(refusal) => refusal.problem(),
        chat::Error::Unavailable(error) => {
            if let Some(requests) = UNANSWERED.count(Instant::now()) {
                tracing::warn!(%error, requests, "the database did not answer requests");
            }
            Refusal::NotReady(refusal::DATABASE_AWAY.text().to_owned()).problem()
        }
        chat::Error::Fault(fault) => report(&*fault),
    }
}

/// Logs a fault once, under an ID. The client gets the ID and no other detail.
fn report(fault: &(dyn std::error::Error + Send + Sync)) -> Problem {
    let id = getrandom::u32().map_or_else(|_| "unknown".to_owned(), |id| format!("{id:08x}"));
    tracing::error!(id, error = %fault, "a request failed");
    Problem {
        kind: "/docs/#problem-500".to_owned(),
        title: refusal::INTERNAL_ERROR.text().to_owned(),
        status: 500,
        detail: refusal::SERVER_FAILED.fill([&id]),
        field: None,
        errors: Vec::new(),
        until: None,
        free: None,
        retry_after: None,
    }
}

fn json(problem: &Problem) -> Response {
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = [
        (header::CONTENT_TYPE, "application/problem+json"),
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_LANGUAGE, Language::current().tag()),
        (header::VARY, "Accept, Accept-Language, Cookie"),
    ];
    // Strings and numbers always serialize.
    (
        status,
        headers,
        serde_json::to_vec(problem).unwrap_or_default(),
    )
        .into_response()
}
