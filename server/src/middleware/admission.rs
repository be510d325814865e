//! Refuses requests before their handler runs: while the server stops, from pages of other sites,
//! over a limit.

use std::sync::atomic::Ordering;

use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use protocol::Refusal;

use crate::error::Error;
use crate::middleware::csrf;
use crate::state::AppState;

/// Runs the handler if the request is admitted, and counts rooms that it does not find.
pub(crate) async fn admit(state: &AppState, request: Request, next: Next) -> Response {
    let limits = &state.limits;
    if state.draining.load(Ordering::Relaxed) && request.uri().path() != "/healthz" {
        return Error::from(Refusal::Draining).into_response();
    }
    match csrf::guard(&request).and_then(|()| limits.admit(&request)) {
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
