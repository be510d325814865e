//! Refuses requests before their handler runs: while the server stops, without a host, in an
//! unknown encoding, from pages of other sites, over a limit.

use std::sync::atomic::Ordering;

use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use protocol::Refusal;

use crate::error::Error;
use crate::middleware::{content_encoding, csrf, one_host};
use crate::state::AppState;

/// Runs the handler if the request is admitted, and counts rooms that it does not find.
pub(crate) async fn admit(state: &AppState, mut request: Request, next: Next) -> Response {
    let limits = &state.limits;
    if state.draining.load(Ordering::Relaxed) && request.uri().path() != "/healthz" {
        return Error::from(Refusal::Draining).into_response();
    }
    let admitted = one_host::require(&mut request)
        .and_then(|_| content_encoding::check(&request))
        .and_then(|()| csrf::guard(&request))
        .and_then(|()| limits.admit(&request));
    match admitted {
        Ok(looked_up_by) => {
            let answer = next.run(request).await;
            if let Some(address) = looked_up_by
                && answer.status() == StatusCode::NOT_FOUND
            {
                limits.record_missing_room(address);
            }
            answer
        }
        Err(refusal) => Error::from(refusal).into_response(),
    }
}
