//! `/guests/`: keys for guests.

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::error::Error;
use crate::openapi::responses::RateLimited;
use crate::state::AppState;

/// A token that this server has signed.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Token {
    /// For the header `Authorization: Bearer`.
    pub token: String,
}

/// Creates a guest's key.
///
/// A guest who posts with the key holds the name in that room: no other guest can take it. Browsers
/// get their key as a cookie.
#[utoipa::path(post, path = "/guests/", tag = "people",
    responses(
        (status = 201, description = "A new key", body = Token),
        RateLimited,
    ))]
pub(crate) async fn create_guest(State(state): State<AppState>) -> Result<Response, Error> {
    let key = Token {
        token: state.chat.issue_guest_token()?,
    };
    let headers = [(header::CACHE_CONTROL, "no-store")];
    Ok((StatusCode::CREATED, headers, Json(key)).into_response())
}
